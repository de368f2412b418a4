import { Client } from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { AT_ONCE, phase } from '../command/harness.ts';
import { freshDatabase } from '../support/databases.ts';
import { createDiscordDriver, type DiscordDriver, groupIds } from '../support/discord-driver.ts';
import { until } from '../support/test-clock.ts';
import { BotProcess, START_MS } from './bot-process.ts';

vi.setConfig({ testTimeout: 6 * START_MS, hookTimeout: START_MS });

let driver: DiscordDriver;
let simulator: Simulator;
let database: string;
let client: Client;
let processes: BotProcess[];

async function started(): Promise<BotProcess> {
  const bot = new BotProcess({
    EDGEGAP_API_TOKEN: simulator.token,
    EDGEGAP_API_URL: simulator.url,
    DISCORD_OPERATOR_ROLES: groupIds.operators,
    ...driver.environment,
    ARBITRIUM_DELETE_URL: `${simulator.url}/v1/self/stop/abc/660`,
    ARBITRIUM_DELETE_TOKEN: 'token',
    DATABASE_URL: database,
    PORT: '0',
  });
  processes.push(bot);
  await bot.started();
  return bot;
}

beforeEach(async () => {
  processes = [];
  database = await freshDatabase('postgres');
  client = new Client({ connectionString: database });
  await client.connect();
  driver = await createDiscordDriver();
  simulator = await startSimulator({ clock: systemClock, ...AT_ONCE });
});

afterEach(async () => {
  await Promise.all(processes.map((bot) => bot.kill('SIGKILL')));
  await client.end();
  await driver.close();
  await simulator.close();
});

/** Whether the purge with this key has run and its next run is scheduled for an hour later. */
async function hasRun(key: string): Promise<boolean> {
  const { rows } = await client.query(
    `select 1 from tasks where kind = 'purge' and key = '${key}' and run_at > 0 and holder is null`,
  );
  return rows.length === 1;
}

test('a task that a process has claimed moves to another process only if the first process is killed', async () => {
  const holder = await started();
  await until(() => hasRun('kept'), 'the purges of the first start', START_MS);
  await until(() => hasRun('outbox'), 'the purges of the first start', START_MS);
  const instances = 'select id from instances';
  const [{ id }] = (await client.query(instances)).rows;
  await started();
  // Gives the task the row that remains if a process is killed in the middle of the task.
  await client.query(`update tasks set holder = '${id}', run_at = 0 where key = 'kept'`);
  await client.query(`update tasks set run_at = 0 where key = 'outbox'`);
  await until(() => hasRun('outbox'), 'a purge that nobody holds', START_MS);
  expect(await hasRun('kept')).toBe(false);
  await holder.kill('SIGKILL');
  await until(() => hasRun('kept'), 'the purge of the dead process', START_MS);
});

/** Makes the tasks of this type due now. Resolves with true if there are any. */
async function makeDue(kind: string): Promise<boolean> {
  const { rowCount } = await client.query('update tasks set run_at = 0 where kind = $1', [kind]);
  return (rowCount ?? 0) > 0;
}

test('if the process that planned a stop is killed, another process carries out the stop once', async () => {
  const first = await started();
  await driver.command('operator', 'deploy', {
    application: 'kart-racing',
    version: 'v1.2',
    near: 'Montreal',
  });
  const isReady = (id: string) => phase(simulator, id) === 'READY';
  const ready = () => [...simulator.deployments.keys()].find(isReady);
  const deployment = await until(ready, 'the deployment', START_MS);
  await driver.command('operator', 'stop', { deployment, in: '5m' });
  const asked = async () => (await driver.privately('operator')).some(({ buttons }) => buttons.length > 0);
  await until(asked, 'the question', START_MS);
  await driver.press('operator', 'Stop it in 5 min');
  const shows = (words: string) => async () =>
    (await driver.channel()).some(({ text }) => text.includes(words));
  await until(shows('stops later'), 'the card', START_MS);
  await first.kill('SIGKILL');
  await makeDue('stop-later');
  await Promise.all([started(), started()]);
  await until(shows('Stopped kart-racing'), 'the outcome', START_MS);
  const stops = simulator.requests.filter(({ endpoint }) => endpoint === 'stop');
  expect(stops).toHaveLength(1);
  await driver.command('operator', 'self-stop');
  const told = async () => (await driver.privately('operator')).map(({ text }) => text).join();
  // For some seconds, the other processes still consider the killed process alive.
  await until(async () => /one of [23] processes of mine/.test(await told()), 'the question', START_MS);
});

test('if a process is killed after asking about a lifetime, the other processes stop the server once and do not ask again', async () => {
  const first = await started();
  const values = { application: 'lobby-chat', version: 'stable', near: 'Montreal', for: '1h' };
  await driver.command('operator', 'deploy', values);
  const count = async (words: string) =>
    (await driver.channel()).filter(({ text }) => text.includes(words)).length;
  const shows = (words: string) => async () => (await count(words)) > 0;
  await until(() => makeDue('end-warning'), 'the planned question', START_MS);
  await until(shows('its lifetime is over then'), 'the question', START_MS);
  await first.kill('SIGKILL');
  await makeDue('lifetime');
  await Promise.all([started(), started()]);
  await until(shows('Ended by its lifetime'), 'the end on the card', START_MS);
  expect(simulator.requests.filter(({ endpoint }) => endpoint === 'stop')).toHaveLength(1);
  expect(await count('its lifetime is over then')).toBe(1);
});
