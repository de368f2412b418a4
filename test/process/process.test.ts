import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { createDiscordDriver, type DiscordDriver, groupIds } from '../support/discord-driver.ts';
import { until } from '../support/test-clock.ts';
import { BotProcess, START_MS } from './bot-process.ts';

vi.setConfig({ testTimeout: 4 * START_MS, hookTimeout: START_MS });

let driver: DiscordDriver;
let simulator: Simulator;
let folder: string;
let processes: BotProcess[];

function start(more: Record<string, string> = {}): BotProcess {
  const bot = new BotProcess({
    EDGEGAP_API_TOKEN: simulator.token,
    EDGEGAP_API_URL: simulator.url,
    DISCORD_OPERATOR_ROLES: groupIds.operators,
    ...driver.environment,
    DATABASE_URL: join(folder, 'bot.db'),
    PORT: '0',
    ...more,
  });
  processes.push(bot);
  return bot;
}

beforeEach(async () => {
  processes = [];
  folder = await mkdtemp(join(tmpdir(), 'edgegap-chatops-'));
  driver = await createDiscordDriver();
  const durations = {
    initializing: 20,
    seeking: 20,
    seeked: 20,
    scanning: 20,
    deploying: 20,
    terminating: 50,
  };
  simulator = await startSimulator({ clock: systemClock, durations });
});

afterEach(async () => {
  await Promise.all(processes.map((bot) => bot.kill('SIGKILL')));
  await driver.close();
  await simulator.close();
  await rm(folder, { recursive: true, force: true });
});

const deploy = { application: 'kart-racing', version: 'v1.2', near: 'Montreal' };

test('on SIGTERM, the bot finishes and answers the running command, and then exits with 0', async () => {
  const bot = start();
  await bot.started();
  simulator.faults.next({ endpoint: 'deploy' }, { kind: 'slow', when: 'before', ms: 400 });
  await driver.command('operator', 'deploy', deploy);
  await until(
    () => simulator.requests.some((request) => request.method === 'POST'),
    'the request to Edgegap',
    START_MS,
  );
  expect(await bot.kill('SIGTERM')).toBe(0);
  expect(simulator.deployments.size).toBe(1);
  expect(bot.output).toContain('"msg":"stopped"');
  expect(bot.output).not.toContain(simulator.token);
});

test('if a kill interrupts a deploy, the next start finds the deployment and does not send the deploy again', async () => {
  const first = start();
  await first.started();
  simulator.faults.next({ endpoint: 'deploy' }, { kind: 'slow', when: 'after', ms: 60_000 });
  await driver.command('operator', 'deploy', deploy);
  await until(() => simulator.deployments.size === 1, 'the deployment at Edgegap', START_MS);
  await first.kill('SIGKILL');

  const second = start();
  await second.started();
  const [id] = simulator.deployments.keys();
  const ready = await until(
    async () => (await driver.channel()).find((message) => message.text.includes('is ready')),
    'the news that it is ready',
    START_MS,
  );
  expect(ready.text).toContain(id);
  expect(simulator.requests.filter((request) => request.method === 'POST')).toHaveLength(1);
  const [card] = await driver.channel();
  expect(card?.buttons).toContain('Logs');
});

test('a second process on the same SQLite file cannot start until the first process is killed', async () => {
  const first = start();
  await first.started();
  const second = start();
  expect(await second.exited).toBe(1);
  expect(second.output).toMatch(/cannot start: The database .* another process has it open/);
  await first.kill('SIGKILL');
  const third = start();
  await third.started();
  expect(await third.kill('SIGTERM')).toBe(0);
});

test('if the port is already in use or Discord refuses the token, the start fails with a plain message', async () => {
  const first = start();
  await first.started();
  const port = /"port":(\d+)/.exec(first.output)?.[1] ?? '';
  const second = start({ PORT: port, DATABASE_URL: join(folder, 'other.db') });
  expect(await second.exited).toBe(1);
  expect(second.output).toContain(`Port ${port} cannot be used`);
  const third = start({ DISCORD_TOKEN: 'not.the.token', DATABASE_URL: join(folder, 'third.db') });
  expect(await third.exited).toBe(1);
  expect(third.output).toContain('DISCORD_TOKEN is not accepted by Discord');
  expect(third.output).not.toMatch(/\n {4}at /);
});

test('if PostgreSQL is unreachable, the start fails with a plain message that does not contain the password', async () => {
  const bot = start({ DATABASE_URL: 'postgres://bot:hunter2@127.0.0.1:1/chatops' });
  expect(await bot.exited).toBe(1);
  expect(bot.output).toMatch(/The database .*chatops.* on 127\.0\.0\.1:1 /);
  expect(bot.output).not.toContain('hunter2');
  expect(bot.output).not.toMatch(/\n {4}at /);
});

test('if Discord permanently refuses the bot and no second platform is configured, the bot exits with 1', async () => {
  const bot = start();
  await bot.started();
  const { gateway } = driver.server;
  gateway.refuseWith = 4004;
  gateway.forgetSession = true;
  gateway.drop();
  expect(await bot.exited).toBe(1);
  expect(bot.output).toContain('DISCORD_TOKEN is not accepted by Discord');
  expect(bot.output).toContain('"msg":"stopped"');
});

test('an unhandled promise rejection is logged with secrets masked, and an uncaught error stops the bot cleanly', async () => {
  const trouble = `process.on('SIGUSR2', () => {
    Promise.reject(new Error('rejected ${simulator.token}'));
    setTimeout(() => { throw new Error('thrown ${simulator.token}'); }, 50);
  })`;
  const NODE_OPTIONS = `--import="data:text/javascript,${encodeURIComponent(trouble)}"`;
  const bot = start({ NODE_OPTIONS });
  await bot.started();
  expect(await bot.kill('SIGUSR2')).toBe(1);
  expect(bot.output).toContain('a rejection that nobody handled');
  expect(bot.output).toContain('an error that nobody caught: stopping');
  expect(bot.output).toContain('"msg":"stopped"');
  expect(bot.output).not.toContain(simulator.token);
});
