import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { type Bot, startBot } from '../support/bot.ts';
import { createSlackDriver, type SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

let driver: SlackDriver | undefined;
let bot: Bot | undefined;

afterEach(async () => {
  await bot?.stop();
  await driver?.close();
});

test.each(['after', 'before'] as const)(
  'if the connection breaks while a line is sent to Slack (%s the effect), the line appears once in the channel',
  async (when) => {
    driver = await createSlackDriver({ mode: 'http' });
    // This test runs in real time. The local Slack dates messages by the machine's clock, and the search starts at the
    // time of the attempt.
    bot = await startBot(driver, {
      clock: systemClock,
      simulator: { durations: { initializing: 50, seeking: 50, seeked: 50, scanning: 50, deploying: 2_000 } },
    });
    const { server } = driver;
    await driver.command('operator', 'deploy', {
      application: 'kart-racing',
      version: 'v1.2',
      near: 'Montreal',
    });
    await until(() => bot?.simulator.deployments.size === 1);
    server.faults.inject('chat.postMessage', { kind: 'reset', when });
    const posts = () => server.requests.filter(({ method }) => method === 'chat.postMessage').length;
    const before = posts();
    await until(
      async () => (await driver?.channel())?.some(({ text }) => text.includes('is ready')),
      'the line',
    );
    await bot.app.settled();
    bot.simulator.terminate([...bot.simulator.deployments.keys()][0] ?? '');
    const said = await until(async () => {
      const messages = (await driver?.channel()) ?? [];
      return messages.some(({ text }) => text.includes(' stopped')) ? messages : undefined;
    }, 'the end');
    expect(said.filter(({ text }) => text.includes('is ready'))).toHaveLength(1);
    expect(said.filter(({ text }) => text.includes('possibly repeated'))).toEqual([]);
    expect(posts() - before).toBe(when === 'after' ? 2 : 3);
  },
);
