import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { AT_ONCE } from '../command/harness.ts';
import { type Bot, startBot } from '../support/bot.ts';
import { createDiscordDriver } from '../support/discord-driver.ts';
import { createSlackDriver, type SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

let slack: SlackDriver;
let bot: Bot;
afterEach(async () => {
  await bot.stop();
  await slack.close();
});

/** A bot on Slack. Unless `operators` says otherwise, the settings name one person as operator. */
async function start(environment: Record<string, string> = {}, operators?: string): Promise<void> {
  slack = await createSlackDriver({ mode: 'socket' });
  bot = await startBot(slack, {
    environment: { SLACK_OPERATORS: operators ?? slack.userIds.operator, SLACK_READERS: '', ...environment },
    simulator: AT_ONCE,
  });
  await bot.app.warmed();
}

async function letters(): Promise<string[]> {
  return (await slack.privately('operator'))
    .map(({ text }) => text)
    .filter((text) => text.includes('is refused'));
}

const refuseEdgegap = () =>
  bot.simulator.faults.next(
    {},
    { kind: 'server-error', when: 'before', status: 401 },
    Number.POSITIVE_INFINITY,
  );

async function ask(): Promise<void> {
  await slack.command('operator', 'hosts', { fleet: 'tournament' });
}

test('if Edgegap refuses the token later, each operator whom the settings name gets one direct message', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-alarm-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await start({ DATABASE_URL: join(folder, 'bot.db') });
  expect(await letters()).toEqual([]);
  refuseEdgegap();
  await ask();
  await ask();
  await until(async () => (await letters()).length > 0);
  expect((await letters()).join()).toMatch(/EDGEGAP_API_TOKEN[\s\S]*is refused[\s\S]*set a valid token/);
  // After the next start, the bot sends no further message.
  bot = await bot.restart();
  await ask();
  await bot.app.settled();
  expect(await letters()).toHaveLength(1);
  const persons = (await slack.privately('admin')).map(({ text }) => text);
  expect(persons.join()).not.toContain('is refused');
});

test('if Discord refuses the token later, the bot sends the operators on Slack a message', async () => {
  const discord = await createDiscordDriver();
  onTestFinished(() => discord.close());
  await start(discord.environment);
  await until(() => discord.server.gateway.connected, 'the bot on Discord');
  discord.server.gateway.refuseWith = 4004;
  discord.server.gateway.end(4004);
  await until(async () => (await letters()).length > 0);
  expect((await letters()).join()).toMatch(/DISCORD_TOKEN[\s\S]*is refused/);
});

test('if Slack refuses the app token later, the bot sends the operators on Slack a message and keeps trying', async () => {
  await start();
  const { server } = slack;
  server.faults.inject('apps.connections.open', { kind: 'error', error: 'invalid_auth' }, 3);
  server.socket.drop();
  await until(async () => (await letters()).length > 0);
  expect((await letters()).join()).toMatch(/SLACK_APP_TOKEN[\s\S]*is refused[\s\S]*invalid_auth/);
  await until(() => server.socket.connections > 0, 'the next connection');
});

test('if the settings name no operator, a refused token is reported only in the log', async () => {
  await start({}, 'S0OPERATORS');
  refuseEdgegap();
  await ask();
  await ask();
  const lines = () => bot.log.filter((line) => line.includes('alarm: '));
  await until(() => lines().length > 0);
  expect(lines()).toEqual([expect.stringContaining('the settings name no person to tell')]);
});

test('if PUBLIC_URL does not lead to the bot, the bot logs this, but its start does not wait for the check', async () => {
  await start({ PUBLIC_URL: 'http://127.0.0.1:1' });
  await bot.app.warn();
  const said = bot.log.filter((line) => line.includes('doctor: something is not as it should be'));
  expect(said).toEqual([expect.stringMatching(/"check":"address\.public".*cannot be reached.*"hint":/)]);
});
