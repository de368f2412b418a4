import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { freshDatabase } from '../support/databases.ts';
import { createDiscordDriver, type DiscordDriver, groupIds } from '../support/discord-driver.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/test-clock.ts';
import { BotProcess, START_MS } from './bot-process.ts';

vi.setConfig({ testTimeout: 6 * START_MS, hookTimeout: START_MS });

let driver: DiscordDriver;
let simulator: Simulator;
let database: string;
let processes: BotProcess[];
let proxies: TcpProxy[];

interface Readiness {
  readonly status: string;
  readonly parts: Readonly<Record<string, boolean>>;
  readonly roles: Readonly<Record<string, string>>;
}

function start(more: Record<string, string> = {}): BotProcess {
  const bot = new BotProcess({
    EDGEGAP_API_TOKEN: simulator.token,
    EDGEGAP_API_URL: simulator.url,
    DISCORD_OPERATOR_ROLES: groupIds.operators,
    ...driver.environment,
    DATABASE_URL: database,
    PORT: '0',
    ...more,
  });
  processes.push(bot);
  return bot;
}

async function readiness(url: string): Promise<Readiness & { readonly code: number }> {
  const answer = await fetch(`${url}/readyz`);
  return { code: answer.status, ...((await answer.json()) as Readiness) };
}

async function hasRole(url: string, role: string): Promise<void> {
  const ready = async () => {
    const { code, roles } = await readiness(url);
    return code === 200 && roles.discord === role;
  };
  await until(ready, `a process that is ${role}`, START_MS);
}

/** The URL of the database through a proxy whose connections the test can break. */
async function brittleDatabase(): Promise<{ line: TcpProxy; url: string }> {
  const url = new URL(database);
  const line = await startTcpProxy({ host: url.hostname, port: Number(url.port) });
  proxies.push(line);
  url.port = String(line.port);
  return { line, url: String(url) };
}

beforeEach(async () => {
  processes = [];
  proxies = [];
  database = await freshDatabase('postgres');
  driver = await createDiscordDriver();
  simulator = await startSimulator({ clock: systemClock });
});

afterEach(async () => {
  await Promise.all(processes.map((bot) => bot.kill('SIGKILL')));
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await driver.close();
  await simulator.close();
});

const REGISTERED = 'discord: the commands are registered';

test('only the process that receives events from Discord registers the commands', async () => {
  const registrations = () =>
    driver.server.requests.filter(({ method, path }) => method === 'GET' && path.endsWith('/commands'))
      .length;
  const holder = start();
  await hasRole(await holder.started(), 'active');
  const other = start();
  const url = await other.started();
  await hasRole(url, 'standby');
  await until(() => holder.output.includes(REGISTERED), 'the registration by the first process');
  expect(other.output).not.toContain(REGISTERED);
  await holder.kill('SIGTERM');
  await until(() => other.output.includes(REGISTERED), 'the registration by the second process', START_MS);
  expect(registrations()).toBe(2);
});

test('after a kill -9 of the process that receives events from Discord, another process resumes the gateway session', async () => {
  const { gateway } = driver.server;
  const holder = start();
  await hasRole(await holder.started(), 'active');
  const other = start();
  const url = await other.started();
  expect(await readiness(url)).toMatchObject({
    code: 200,
    parts: { store: true, discord: true },
    roles: { discord: 'standby' },
  });
  expect(gateway.identifies).toHaveLength(1);

  const killedAt = Date.now();
  await holder.kill('SIGKILL');
  await until(() => !gateway.connected, 'the loss of the connection');
  await until(() => gateway.connected, 'another connection', START_MS);
  console.info(`taken over ${Date.now() - killedAt} ms after kill -9`);
  await hasRole(url, 'active');
  expect(other.output).toContain('platforms: this process receives');
  // The second process resumed the session, so the bot missed no events.
  expect(gateway).toMatchObject({ resumes: 1, mostAtOnce: 1 });
  await driver.command('operator', 'help');
  await until(async () => (await driver.privately('operator')).length > 0, 'an answer');
  expect(await other.kill('SIGTERM')).toBe(0);
  expect(driver.server.violations).toEqual([]);
});

test.each(['cut', 'freeze'] as const)(
  'a process that loses its database (%s) leaves the Discord gateway to a second process and can take over again later',
  async (how) => {
    const { gateway } = driver.server;
    const { line, url: brittle } = await brittleDatabase();
    const holder = start({ DATABASE_URL: brittle });
    const holderUrl = await holder.started();
    await hasRole(holderUrl, 'active');
    const other = start();
    const otherUrl = await other.started();
    await hasRole(otherUrl, 'standby');

    const brokeAt = Date.now();
    line[how]();
    await until(() => !gateway.connected, 'the holder to disconnect', START_MS);
    const disconnectedAt = Date.now();
    await until(() => gateway.connected, 'the other to connect', START_MS);
    console.info(
      `${how}: disconnected after ${disconnectedAt - brokeAt} ms, taken over after ${Date.now() - brokeAt} ms`,
    );
    await hasRole(otherUrl, 'active');
    expect(gateway.mostAtOnce).toBe(1);
    expect(await readiness(holderUrl)).toMatchObject({ code: 503, parts: { store: false, discord: false } });
    await driver.command('operator', 'help');
    await until(async () => (await driver.privately('operator')).length > 0, 'an answer');

    line.restore();
    await hasRole(holderUrl, 'standby');
    expect(gateway.identifies).toHaveLength(1);
    expect(await other.kill('SIGTERM')).toBe(0);
    await hasRole(holderUrl, 'active');
    expect(gateway).toMatchObject({ resumes: 2, mostAtOnce: 1 });
    expect(await holder.kill('SIGTERM')).toBe(0);
  },
);

test('a process that was suspended longer than its lease leaves the Discord gateway to the process that took over', async () => {
  const { gateway } = driver.server;
  const holder = start();
  const holderUrl = await holder.started();
  await hasRole(holderUrl, 'active');
  const other = start();
  const otherUrl = await other.started();
  await hasRole(otherUrl, 'standby');
  holder.signal('SIGSTOP');
  await hasRole(otherUrl, 'active');
  holder.signal('SIGCONT');
  await hasRole(holderUrl, 'standby');
  await driver.command('operator', 'help');
  await until(async () => (await driver.privately('operator')).length > 0, 'an answer');
  expect(gateway).toMatchObject({ resumes: 1, mostAtOnce: 1, identifies: [{ intents: 1 }] });
  await hasRole(otherUrl, 'active');
});
