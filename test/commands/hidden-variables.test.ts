import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { AT_ONCE, effectOf, type Stage, stageOn } from '../command/harness.ts';
import { startBot } from '../support/bot.ts';
import { pacedClock } from '../support/paced-clock.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

const SECRET = 'correct horse battery staple';
const VALUES = { application: 'kart-racing', near: 'Montreal', hidden: `GREETING=${SECRET}` };
const SENT = [{ key: 'GREETING', value: SECRET, is_hidden: true }];

let folder: string;
let stage: Stage;
let driver: SlackDriver;
let clock: ReturnType<typeof pacedClock>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chatops-'));
  clock = pacedClock(1);
  stage = await stageOn('slack-http', { clock, environment: settings() });
  driver = stage.driver as SlackDriver;
});
afterEach(async () => {
  await stage?.close();
  rmSync(folder, { recursive: true, force: true });
});

const settings = () => ({ DATABASE_URL: join(folder, 'bot.db') });
const effect = (act: () => Promise<void>) => effectOf(stage, 'operator', act);
const press = (label: string) => effect(() => driver.press('operator', label));

async function deploy(): Promise<void> {
  await driver.command('operator', 'deploy');
  await driver.more('operator');
  await effect(() => driver.fillIn('operator', VALUES));
}

async function told(text: string): Promise<void> {
  clock.speed(60);
  await until(
    async () => (await driver.channel()).some((one) => one.text.includes(text)),
    `a message with ${text}`,
  );
  await stage.bot.app.settled();
  clock.speed(1);
}

/** All texts that people see, and all texts in the log and the database. */
async function everything(): Promise<string> {
  const seen = [...(await driver.channel()), ...(await driver.privately('operator'))];
  const files = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'latin1'));
  return JSON.stringify([seen, stage.bot.log]) + files.join('\n');
}

/** Makes a deploy whose outcome is unknown. The bot has searched for the deployment without success. */
async function lose(): Promise<void> {
  stage.simulator.faults.next({ endpoint: 'deploy' }, { kind: 'reset', when: 'before' });
  await deploy();
  await told('may have started, but Edgegap neither answered');
  expect(await everything()).not.toContain(SECRET);
}

async function restartWith(edgegap: Simulator): Promise<void> {
  await stage.bot.app.stop();
  stage.bot = await startBot(driver, { clock, edgegap, environment: settings() });
}

test('after a restart, "Deploy again" for a deploy with an unknown outcome still sends the hidden variables as hidden', async () => {
  await lose();
  await restartWith(stage.simulator);
  await press('Deploy again');
  await told('is ready');
  expect([...stage.simulator.deployments.values()].at(-1)?.environment).toEqual(SENT);
  expect(await everything()).not.toContain(SECRET);
});

test('if the Edgegap token was replaced, "Deploy again" deploys nothing and says that the hidden values are lost', async () => {
  await lose();
  const renewed = await startSimulator({ clock, ...AT_ONCE, token: '11111111-0000-4000-8000-51a0d0e0f00d' });
  try {
    await restartWith(renewed);
    const { publicly } = await press('Deploy again');
    expect(publicly.at(-1)?.text).toContain(
      'I can no longer read the value of the hidden variable GREETING.',
    );
    expect(renewed.deployments.size).toBe(0);
    await stage.bot.app.stop();
  } finally {
    await renewed.close();
  }
});

test('if the values of an open form were encrypted with an earlier token, the form is refused and nothing is deployed', async () => {
  await driver.command('operator', 'deploy', { application: 'kart-racing' });
  const renewed = await startSimulator({ clock, ...AT_ONCE, token: '11111111-0000-4000-8000-51a0d0e0f00d' });
  try {
    await restartWith(renewed);
    const { privately } = await effect(() =>
      driver.fillIn('operator', { application: 'kart-racing', near: 'Montreal' }),
    );
    expect(privately.at(-1)?.text).toContain('This form was sent already, or is more than 12 hours old.');
    expect(privately.at(-1)?.buttons).toEqual(['Open form']);
    expect(renewed.deployments.size).toBe(0);
    await stage.bot.app.stop();
  } finally {
    await renewed.close();
  }
});

test("if Edgegap's refusal repeats the value of a hidden variable, the bot leaves the value out", async () => {
  const message = `GREETING may not be ${SECRET}`;
  stage.simulator.faults.next(
    { endpoint: 'deploy' },
    { kind: 'server-error', when: 'before', status: 400, message },
  );
  await driver.command('operator', 'deploy');
  await driver.more('operator');
  const { publicly } = await effect(() => driver.fillIn('operator', VALUES));
  expect(publicly.at(-1)?.text).toContain('may not be [masked]');
  expect(await everything()).not.toContain(SECRET);
});

test('if an ended deployment is repeated, its hidden variables are listed as left out', async () => {
  await deploy();
  await told('is ready');
  const [id = ''] = stage.simulator.deployments.keys();
  stage.simulator.terminate(id);
  await told(' stopped');
  await until(async () => (await driver.channel())[0]?.buttons.includes('Deploy again'), 'the button');
  const { privately } = await press('Deploy again');
  expect(privately.at(-1)?.text).toContain('these variables are left out: GREETING');
  expect(await everything()).not.toContain(SECRET);
});

test('after a mistake in a form, the corrected form keeps the hidden variables, but their values appear nowhere', async () => {
  await driver.command('operator', 'deploy');
  await driver.more('operator');
  const wrong = await effect(() => driver.fillIn('operator', { ...VALUES, command: '/bin/server' }));
  expect(wrong.privately.at(-1)?.text).toContain(
    'With command, Edgegap takes only the addresses of players.',
  );
  expect(await everything()).not.toContain(SECRET);
  await driver.press('operator', 'Correct it');
  expect([driver.shown('command'), driver.shown('hidden')]).toEqual(['/bin/server', 'GREETING=••••••••']);
  expect(JSON.stringify(driver.server.web.views.open)).not.toContain(SECRET);
  await effect(() => driver.fillIn('operator', { command: '' }));
  expect([...stage.simulator.deployments.values()][0]?.environment).toEqual(SENT);
  expect(await everything()).not.toContain(SECRET);
});

test('if a hidden variable in a corrected form is wrong, the person can remove it by deleting its line', async () => {
  await driver.command('operator', 'deploy');
  await driver.more('operator');
  await effect(() => driver.fillIn('operator', { ...VALUES, command: '/bin/server' }));
  await driver.press('operator', 'Correct it');
  const env = 'GREETING=hello';
  await driver.fillIn('operator', { command: '', env });
  expect(driver.mistakes().hidden).toContain('GREETING is set twice: openly and hidden');
  await effect(() => driver.fillIn('operator', { command: '', env, hidden: '' }));
  expect([...stage.simulator.deployments.values()][0]?.environment).toEqual([
    { key: 'GREETING', value: 'hello', is_hidden: false },
  ]);
});

test('a preset refuses hidden variables, because a preset shows its values', async () => {
  const { privately } = await effect(() =>
    driver.slash('operator', 'preset save qa kart-racing --hidden GREETING=hello'),
  );
  expect(privately.at(-1)?.text).toContain('has no option “--hidden”');
});
