import { describe, expect, test } from 'vitest';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { administer } from '../support/postgres-server.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { postToBot } from '../support/slack-inbound.ts';
import { until } from '../support/test-clock.ts';
import { openStage, type Stage } from './harness.ts';

const deploys = ({ simulator }: Stage) =>
  simulator.requests.filter(({ endpoint }) => endpoint === 'deploy').length;

describe('processes that share a database', () => {
  test('an event that Slack sends to two processes is carried out once', async () => {
    const stage = await openStage('slack-http');
    const { server, userIds } = stage.driver as SlackDriver;
    const [one, other] = [await stage.start(), await stage.start()];
    const { world } = server;
    const said = `<@${world.bot.user}> deploy kart-racing v1.2 --near Montreal`;
    const posted = await world.call('xoxp-operator', 'chat.postMessage', {
      channel: world.channels.team,
      text: said,
    });
    const ts = String(posted.ts);
    const event = {
      type: 'event_callback',
      team_id: world.team,
      api_app_id: 'A0EDGEGAP',
      event_id: 'Ev-twice',
      event: {
        type: 'app_mention',
        user: userIds.operator,
        text: said,
        ts,
        channel: world.channels.team,
        event_ts: ts,
      },
    };
    for (const [attempt, { url }] of [one, other, one].entries()) {
      const retry = attempt === 0 ? {} : { retry: { attempt } };
      expect((await postToBot(url, 'events_api', event, retry)).status).toBe(200);
    }
    await until(() => stage.simulator.deployments.size > 0, 'the deployment');
    await one.app.settled();
    await other.app.settled();
    expect(deploys(stage)).toBe(1);
    const again = [one, other].map(
      ({ log }) => log.filter((line) => line.includes('"outcome":"repeat"')).length,
    );
    expect(again).toEqual([1, 1]);
  });

  test('if a process counts as dead after it posted a card, the process deploys nothing, because the person was told to ask again', async () => {
    const stage = await openStage('slack-http');
    const [slow, other] = [await stage.start(), await stage.start()];
    // Slack sends its requests to the process that started last.
    await stage.driver.ready({ url: slow.url });
    slow.stopAfter('postCard');
    const deploy = { application: 'kart-racing', version: 'v1.2', near: 'Montreal' };
    stage.driver.command('operator', 'deploy', deploy).catch(() => undefined);
    await until(() => slow.standing() === 1, 'the card');
    await administer(slow.database, "update invocations set holder = 'dead'");
    const told = async (text: string) =>
      (await stage.driver.channel()).filter((message) => message.text.includes(text)).length;
    await until(async () => (await told('Nothing was deployed; ask again')) > 0, 'the answer', 40_000);
    slow.goOn();
    await until(
      () => slow.log.some((line) => line.includes('"outcome":"taken-over"')) || deploys(stage) > 0,
      'it to go on',
    );
    await slow.app.settled();
    await other.app.settled();
    expect(deploys(stage)).toBe(0);
    expect([await told('Requesting'), await told('Nothing was deployed')]).toEqual([0, 1]);
  });

  test('while the database refuses writes, a command does nothing, and the answer says so', async () => {
    const stage = await openStage('discord');
    const process = await stage.start();
    await administer(process.database, 'alter table invocations rename to away');
    await stage.driver.command('operator', 'deploy', {
      application: 'kart-racing',
      version: 'v1.2',
      near: 'Montreal',
    });
    const said = (await stage.driver.privately('operator')).map(({ text }) => text.replaceAll('\\', ''));
    expect(said).toEqual([expect.stringContaining('I cannot write to my database, so I did nothing.')]);
    expect(await stage.driver.channel()).toEqual([]);
    expect(stage.simulator.deployments.size).toBe(0);
    // The bot acknowledges a read before it stores the read, so the error comes as a later answer.
    const { server, user } = stage.driver as DiscordDriver;
    const read = server.command(user('operator'), 'list', []);
    await until(async () => (await stage.driver.privately('operator')).length > 1, 'the error of the read');
    expect((await stage.driver.privately('operator')).at(-1)?.text).toContain('so I did nothing');
    expect(read.acknowledged).toBe(5);
    await administer(process.database, 'alter table away rename to invocations');
    await stage.driver.command('operator', 'help');
    await until(async () => (await stage.driver.privately('operator')).length > 2, 'help');
  });

  test('while the database cannot store form values, the answer to a form on Discord lists the values that may be shown', async () => {
    const { said } = await submitWithout('kept');
    expect(said?.text).toContain('Nothing was done.');
    expect(said?.text).toMatch(/You entered[\s\S]*MODE[\s\S]*TOKEN/);
    expect(said?.text).not.toMatch(/race|correct horse/);
    expect(said?.buttons).toEqual([]);
  });

  test('while the database cannot store invocations, the answer to a form on Discord has a button that opens the filled-in form', async () => {
    const { driver, said } = await submitWithout('invocations');
    expect(said?.text).toContain('so I did nothing');
    expect(said?.buttons).toEqual(['Open form']);
    await driver.press('operator', 'Open form');
    expect([driver.form()?.title, driver.shown('env')]).toEqual(['Variables', 'MODE=race']);
  });

  test('while the database refuses writes, a form on Slack stays open and can be submitted again later', async () => {
    const stage = await openStage('slack-http', undefined, { CONFIRM_DEPLOY: 'never' });
    const driver = stage.driver as SlackDriver;
    const process = await stage.start();
    await driver.ready({ url: process.url });
    await driver.command('operator', 'deploy');
    await administer(process.database, 'alter table invocations rename to away');
    const entries = { application: 'kart-racing', near: 'Paris' };
    await driver.fillIn('operator', entries);
    expect(Object.values(driver.mistakes()).join()).toMatch(/did nothing|nothing was done/);
    await administer(process.database, 'alter table away rename to invocations');
    await driver.fillIn('operator', entries);
    await until(() => stage.simulator.deployments.size === 1, 'the deployment');
  });
});

/** Submits a part of the form of `deploy` on Discord, while this table of the database is missing. */
async function submitWithout(table: string) {
  const stage = await openStage('discord');
  const driver = stage.driver as DiscordDriver;
  const process = await stage.start();
  const asides = async () => await driver.privately('operator');
  await driver.command('operator', 'deploy');
  await until(async () => (await asides()).length === 1, 'the menu');
  await driver.press('operator', 'Variables');
  await administer(process.database, `alter table ${table} rename to away`);
  await driver.fillIn('operator', { env: 'MODE=race', hidden: 'TOKEN=correct horse' });
  await until(async () => (await asides()).length === 2, 'the answer');
  await administer(process.database, `alter table away rename to ${table}`);
  return { driver, said: (await asides()).at(-1) };
}
