/**
 * What the pipeline costs a person: from a signed Slack request to the answer they see. A is the bot (who may, parse,
 * store, acknowledge, run, render `help`), B a bare Bolt app that acknowledges and responds with one line. Both run on
 * the same local Slack, one request at a time.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { App, HTTPReceiver } from '@slack/bolt';
import { startBot } from '../test/support/bot.ts';
import { createSlackDriver } from '../test/support/slack-driver.ts';
import type { Bench } from './support/bench.ts';
import { sideBySide } from './support/side-by-side.ts';

const BATCH = 10;

export const bench: Bench = {
  about: 'From a signed slash command to the answer on screen: the whole pipeline, against a bare Bolt app.',
  bar: undefined,
  async run(print) {
    const driver = await createSlackDriver({ mode: 'http' });
    const bot = await startBot(driver, { environment: { PERSON_REQUESTS: '0' } });

    const bareDriver = await createSlackDriver({ mode: 'http' });
    const {
      SLACK_BOT_TOKEN: token = '',
      SLACK_SIGNING_SECRET: signingSecret = '',
      SLACK_API_URL = '',
    } = bareDriver.environment;
    const receiver = new HTTPReceiver({ signingSecret, endpoints: ['/slack/events'] });
    const bare = new App({
      token,
      receiver,
      clientOptions: { slackApiUrl: SLACK_API_URL.endsWith('/') ? SLACK_API_URL : `${SLACK_API_URL}/` },
    });
    bare.command('/edgegap', async ({ ack, respond }) => {
      await ack();
      await respond({ text: 'help', response_type: 'ephemeral' });
    });
    const server = createServer(receiver.requestListener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await bareDriver.ready({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });

    const { ratio } = await sideBySide({
      print,
      a: {
        name: 'the bot',
        async run() {
          for (let index = 0; index < BATCH; index++) await driver.command('operator', 'help');
        },
      },
      b: {
        name: 'a bare Bolt app',
        async run() {
          for (let index = 0; index < BATCH; index++) await bareDriver.command('operator', 'help');
        },
      },
      rounds: 15,
      batch: BATCH,
    });
    await bot.stop();
    await driver.close();
    server.close();
    await bareDriver.close();
    return { ratio };
  },
};
