import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { accessPoint, selfStopToken } from '../../src/simulator/identity.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import {
  AT_ONCE,
  deployElsewhere,
  deployReady,
  effectOf,
  phase,
  pressAction,
  type Stage,
  stageOn,
} from '../command/harness.ts';
import { startBot } from '../support/bot.ts';
import type { Values } from '../support/chat-driver.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { texts } from '../support/planned-stops.ts';
import { until } from '../support/test-clock.ts';

const platforms = ['console', 'discord', 'slack-http'] as const;
type Platform = (typeof platforms)[number];

let simulator: Simulator;
let clock: ReturnType<typeof pacedClock>;
let stage: Stage;
/** The request_id of the deployment in which the bot runs. */
let own = '';

/** A bot that runs as a deployment of Edgegap. */
async function hosted(name: Platform, environment: Record<string, string> = {}): Promise<void> {
  clock = pacedClock(1);
  simulator = await startSimulator({ clock, ...AT_ONCE });
  own = await deployElsewhere(simulator, 'lobby-chat', 'stable');
  stage = await stageOn(name, {
    clock,
    edgegap: simulator,
    environment: { ...variablesOf(own), ...environment },
  });
}

/** The environment variables that Edgegap sets in the container of a deployment. */
const variablesOf = (id: string) => ({
  ARBITRIUM_DELETE_URL: `${simulator.url}/v1/self/stop/${id}/${accessPoint(id)}`,
  ARBITRIUM_DELETE_TOKEN: selfStopToken(id),
});

afterEach(async () => {
  await stage.close();
  await simulator?.close();
});

const ask = async (values = {}) => {
  const effect = await effectOf(stage, 'operator', () =>
    stage.driver.command('operator', 'self-stop', values),
  );
  expect(effect.publicly).toEqual([]);
  return texts(effect.privately);
};
const press = async (label: string) => {
  const { privately } = await effectOf(stage, 'operator', () => stage.driver.press('operator', label));
  return texts(privately);
};
const said = async () => texts(await stage.driver.privately('operator'));

describe.each(platforms)('a bot that runs as an Edgegap deployment, on %s', (name) => {
  test('"self-stop" asks for confirmation, says which work of the bot then ends, and answers before the bot calls Edgegap', async () => {
    await hosted(name);
    const question = await ask({ 'log-storage': 'bot-logs' });
    expect(question).toContain('This stops the bot');
    expect(question).toContain('All servers go on running');
    expect(question).toContain('No message now waits to be sent');
    expect(question).toMatch(/kept in bot.?-logs/);
    expect(question).toContain(own);
    simulator.faults.next({ endpoint: 'selfStop' }, { kind: 'slow', when: 'before', ms: 300 });
    const pressed = press('Stop the bot');
    await until(async () => (await said()).includes('I stop now'), 'the answer');
    expect(phase(simulator, own)).toBe('READY');
    await pressed;
    await until(() => phase(simulator, own) === 'TERMINATED', 'the end of the bot’s deployment');
    expect(simulator.deployments.get(own)?.logStorage).toBe('bot-logs');
    expect(stage.bot.log.join('\n')).not.toContain(selfStopToken(own));
  });

  test('if a person cancels "self-stop", the bot keeps running', async () => {
    await hosted(name);
    await ask();
    expect(await press('Keep it running')).toContain('I go on running');
    expect(phase(simulator, own)).toBe('READY');
  });

  test('if Edgegap refuses "self-stop", the person learns the reason and that the bot keeps running', async () => {
    await hosted(name, { ARBITRIUM_DELETE_TOKEN: 'another-token' });
    await ask();
    const answer = await press('Stop the bot');
    expect(answer).toContain('Edgegap does not accept the token with which this server stops itself');
    expect(answer).toContain('I go on running');
    expect(phase(simulator, own)).toBe('READY');
    expect(await ask()).toContain('Stop me?');
  });
});

test('if Edgegap does not host the bot, "self-stop" answers that there is nothing to stop', async () => {
  await hosted('console', { ARBITRIUM_DELETE_URL: '', ARBITRIUM_DELETE_TOKEN: '' });
  expect(await ask()).toContain('There is nothing to stop');
  expect(simulator.requests.some(({ endpoint }) => endpoint === 'selfStop')).toBe(false);
});

test('if the address in ARBITRIUM_DELETE_URL is unusable, the bot still starts, and "self-stop" names the variable', async () => {
  await hosted('console', { ARBITRIUM_DELETE_URL: 'not an address' });
  await ask();
  const answer = await press('Stop the bot');
  expect(answer).toContain('ARBITRIUM_DELETE_URL is no http or https address');
  expect(answer).toContain('The server goes on running');
});

test.each(platforms)(
  `"stop" and "bulk-stop" do not stop the bot's own deployment, and recommend the command "self-stop", on %s`,
  async (name) => {
    await hosted(name);
    const run = async (command: string, values: Values) =>
      await effectOf(stage, 'operator', () => stage.driver.command('operator', command, values));
    const alone = await run('stop', { deployment: own });
    expect(texts(alone.privately)).toMatch(/in which I run[\s\S]*Nothing was stopped[\s\S]*self-stop/);
    expect(alone.privately.flatMap(({ buttons }) => buttons)).toEqual([]);
    const nothing = await run('bulk-stop', { all: true });
    expect(texts(nothing.privately)).toMatch(/Only the server in which I run matches[\s\S]*self-stop/);
    const other = await deployElsewhere(simulator, 'lobby-chat', 'stable');
    const plan = await run('bulk-stop', { all: true });
    expect(texts(plan.privately)).toMatch(
      new RegExp(`Stop 1 server\\?[\\s\\S]*${other}[\\s\\S]*in which I run, \\W?${own}[\\s\\S]*self-stop`),
    );
    await press('Stop 1 server');
    await until(() => phase(simulator, other) === 'TERMINATED', 'the end of the other deployment');
    expect(phase(simulator, own)).toBe('READY');
  },
);

test.each(['console', 'discord'] as const)(
  'the question of "self-stop" can no longer be answered after 15 minutes, on %s',
  async (name) => {
    await hosted(name);
    await ask();
    const end = clock.now() + 16 * 60_000;
    clock.speed(2_000);
    await until(() => clock.now() >= end, '16 minutes to pass');
    clock.speed(1);
    await stage.bot.app.settled();
    expect(await press('Stop the bot')).toMatch(/15 minutes ago[\s\S]*This press did nothing/);
    expect(phase(simulator, own)).toBe('READY');
  },
);

test('after a "self-stop" question was answered, its buttons change nothing', async () => {
  await hosted('discord');
  await deployReady(stage);
  for (const action of ['confirm', 'cancel']) {
    const old = { command: 'self-stop', action, arg: '0123456789abcdefghijkl' };
    const { privately } = await effectOf(stage, 'operator', () => pressAction(stage, 'operator', old));
    expect(texts(privately)).toMatch(/was answered already/);
  }
  expect(phase(simulator, own)).toBe('READY');
});

test('"self-stop" distinguishes two deployments of the bot with unusual addresses', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chatops-'));
  const environment = { DATABASE_URL: join(folder, 'bot.db'), ARBITRIUM_DELETE_TOKEN: 'token-of-a-bot' };
  const at = (path: string) => ({ ...environment, ARBITRIUM_DELETE_URL: `${simulator.url}${path}` });
  await hosted('discord', environment);
  await stage.bot.app.stop();
  const parts = { clock, edgegap: simulator };
  stage.bot = await startBot(stage.driver, { ...parts, environment: at('/v9/one') });
  expect(await ask()).toContain('Stop me?');
  await stage.bot.app.stop();
  stage.bot = await startBot(stage.driver, { ...parts, environment: at('/v9/other') });
  expect(await press('Stop the bot')).toContain('Stop me?');
  await stage.bot.app.stop();
  await rm(folder, { recursive: true, force: true });
});

test('if the confirmation of "self-stop" reaches a replica in a second deployment, this replica asks whether to stop the second deployment', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chatops-'));
  const DATABASE_URL = join(folder, 'bot.db');
  await hosted('discord', { DATABASE_URL });
  await ask();
  await stage.bot.app.stop();
  const other = await deployElsewhere(simulator, 'lobby-chat', 'stable');
  stage.bot = await startBot(stage.driver, {
    clock: pacedClock(1),
    edgegap: simulator,
    environment: { DATABASE_URL, ...variablesOf(other) },
  });
  expect(await press('Stop the bot')).toMatch(new RegExp(`Stop me\\?[\\s\\S]*${other}`));
  expect([own, other].map((id) => phase(simulator, id))).toEqual(['READY', 'READY']);
  await press('Stop the bot');
  await until(() => phase(simulator, other) === 'TERMINATED', 'the end of the other deployment');
  expect(phase(simulator, own)).toBe('READY');
  await stage.bot.app.stop();
  await rm(folder, { recursive: true, force: true });
});
