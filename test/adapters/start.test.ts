import { describe, expect, onTestFinished, test } from 'vitest';
import { createPlatforms } from '../../src/adapters/start.ts';
import type { Adapter } from '../../src/chat/port.ts';
import { AppError, ConfigError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { Leases } from '../../src/replicas/leases.ts';
import { Membership } from '../../src/replicas/membership.ts';
import { dialectFor, openStore } from '../../src/store/store.ts';
import { startBot } from '../support/bot.ts';
import { createDiscordDriver } from '../support/discord-driver.ts';
import { inboxOf } from '../support/inbox.ts';
import { createSlackDriver } from '../support/slack-driver.ts';
import { TestClock, turn, until } from '../support/test-clock.ts';

const wrongToken = new ConfigError(['DISCORD_TOKEN is wrong']);
const away = new AppError('slack-unreachable', 'Slack cannot be reached.');

/** Adapters that can only start. `failures` lists the errors with which the starts of each adapter fail, in order. */
async function stage(failures: Readonly<Record<string, (AppError | undefined)[]>>) {
  const clock = new TestClock();
  const started: string[] = [];
  const lost = new Map<string, (error: AppError) => void>();
  const over: AppError[] = [];
  const lines: string[] = [];
  const adapters = Object.entries(failures).map(
    ([platform, errors]) =>
      ({
        platform,
        async start(_: unknown, whenLost: (error: AppError) => void) {
          const error = errors.shift();
          if (error) throw error;
          started.push(platform);
          lost.set(platform, whenLost);
        },
        stop: async () => void started.push(`${platform} stopped`),
        close: async () => undefined,
      }) as unknown as Adapter,
  );
  const log = createLog({
    level: 'info',
    secrets: [],
    destination: { write: (line) => void lines.push(line) },
  });
  const store = await openStore(dialectFor(':memory:', log));
  onTestFinished(() => store.destroy());
  const membership = new Membership({ store, shared: false, clock, log });
  const platforms = createPlatforms({
    adapters,
    leases: new Leases(store, membership, clock),
    membership,
    clock,
    log,
    inbox: inboxOf(async () => {}),
    over: (error) => void over.push(error),
  });
  return { clock, platforms, started, lost, over, lines };
}

describe('the start of the platforms', () => {
  test('an unreachable platform is retried after longer and longer waits, while the other platform works', async () => {
    const { clock, platforms, started, lines } = await stage({ discord: [], slack: [away, away, undefined] });
    await platforms.start();
    await turn();
    expect(started).toEqual(['discord']);
    expect(lines.join('')).toContain('Slack cannot be reached.');
    await clock.advance(5_000);
    await clock.advance(9_999);
    expect(started).toEqual(['discord']);
    await clock.advance(1);
    await turn();
    expect(started).toEqual(['discord', 'slack']);
    await clock.advance(3_600_000);
    expect(started).toHaveLength(2);
  });

  test('a platform with wrong settings is logged once and not tried again', async () => {
    const { clock, platforms, started, lines, over } = await stage({ discord: [wrongToken], slack: [] });
    await platforms.start();
    await turn();
    await clock.advance(3_600_000);
    expect(started).toEqual(['slack']);
    expect(lines.filter((line) => line.includes('DISCORD_TOKEN is wrong'))).toHaveLength(1);
    expect(over).toEqual([]);
  });

  test('if all platforms fail, the start fails and lists every wrong setting', async () => {
    await expect((await stage({ slack: [away] })).platforms.start()).rejects.toBe(away);
    const both = { discord: [wrongToken], slack: [new ConfigError(['SLACK_BOT_TOKEN is wrong'])] };
    await expect((await stage(both)).platforms.start()).rejects.toMatchObject({
      problems: ['DISCORD_TOKEN is wrong', 'SLACK_BOT_TOKEN is wrong'],
    });
  });

  test('the bot ends if both platforms are permanently lost, but not if only Discord is lost', async () => {
    const { platforms, lost, over } = await stage({ discord: [], slack: [] });
    await platforms.start();
    await turn();
    lost.get('discord')?.(wrongToken);
    expect(over).toEqual([]);
    lost.get('slack')?.(away);
    expect(over).toEqual([away]);
  });

  test('a stopping bot no longer tries to start a failed platform', async () => {
    const { clock, platforms, started } = await stage({ discord: [], slack: [away] });
    await platforms.start();
    await turn();
    await platforms.close();
    await clock.advance(3_600_000);
    expect(started).toEqual(['discord', 'discord stopped', 'slack stopped']);
  });
});

describe('a bot whose platform fails', () => {
  test('a bot with a wrong Slack token serves Discord, and /readyz names Slack as the part that fails', async () => {
    const slack = await createSlackDriver({ mode: 'socket' });
    onTestFinished(() => slack.close());
    const driver = await createDiscordDriver();
    onTestFinished(() => driver.close());
    const bot = await startBot(driver, {
      environment: { ...slack.environment, SLACK_BOT_TOKEN: 'xoxb-not-the-token' },
    });
    onTestFinished(() => bot.stop());
    const said = await until(() => bot.log.find((line) => line.includes('SLACK_BOT_TOKEN')), 'the log');
    expect(JSON.parse(said)).toMatchObject({ level: 50, platform: 'slack' });
    const ready = await fetch(`${bot.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ parts: { store: true, discord: true, slack: false } });
    await driver.command('operator', 'help');
    await until(async () => (await driver.privately('operator')).length > 0, 'an answer');
    expect(driver.server.gateway.identifies).toHaveLength(1);
  });

  test('if Discord is down when the bot starts, the bot serves Discord as soon as Discord is back', async () => {
    const slack = await createSlackDriver({ mode: 'socket' });
    onTestFinished(() => slack.close());
    const driver = await createDiscordDriver();
    onTestFinished(() => driver.close());
    driver.server.gateway.refuseWith = 4014;
    const bot = await startBot(slack, { environment: driver.environment });
    onTestFinished(() => bot.stop());
    await until(() => bot.log.some((line) => line.includes('discord-intents')), 'the first failure');
    driver.server.gateway.refuseWith = undefined;
    await until(() => driver.server.gateway.connected, 'Discord to be tried again', 15_000);
    const health = async () => (await fetch(`${bot.url}/readyz`)).status === 200;
    await until(health, 'both to work', 15_000);
  });

  test('if Edgegap refuses the token, the bot logs this at its start', async () => {
    const driver = await createDiscordDriver();
    onTestFinished(() => driver.close());
    const bot = await startBot(driver, { environment: { EDGEGAP_API_TOKEN: 'not-the-token' } });
    onTestFinished(() => bot.stop());
    const said = await until(
      () => bot.log.find((line) => line.includes('Edgegap does not answer')),
      'the log',
    );
    expect(JSON.parse(said)).toMatchObject({ level: 50, hint: expect.stringContaining('EDGEGAP_API_TOKEN') });
  });
});
