import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { effectOf, type Stage, stageOn, typeLine } from '../command/harness.ts';
import { type DriverName, startBot } from '../support/bot.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { rowsIn } from '../support/rows.ts';
import { until } from '../support/test-clock.ts';

const SECRET = 'correct "horse" battery staple';
/** The secret in the form in which a person types it between quotation marks. */
const TYPED = `"${SECRET.replaceAll('"', '\\"')}"`;
/** A part of the secret without characters that JSON escapes. */
const PIECE = 'battery staple';

let folder: string;
let stage: Stage;
let clock: ReturnType<typeof pacedClock>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chatops-'));
});
afterEach(async () => {
  await stage?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(name: DriverName, environment: Record<string, string> = {}) {
  clock = pacedClock(1);
  const file = { DATABASE_URL: join(folder, 'bot.db') };
  stage = await stageOn(name, { clock, environment: { ...file, ...environment } });
}

async function pass(ms: number): Promise<void> {
  const end = clock.now() + ms;
  clock.speed(ms / 100);
  await until(() => clock.now() >= end, 'the time to pass');
  clock.speed(1);
}

const deploy = (options = '') =>
  effectOf(stage, 'operator', async () => {
    const line = `deploy kart-racing v1.2 --near Montreal ${options} --env MODE=race --env PASSPHRASE=${TYPED}`;
    if (stage.name !== 'discord') return await typeLine(stage, 'operator', line);
    const env = `MODE=race PASSPHRASE=${TYPED}`;
    await stage.driver.command('operator', 'deploy', {
      application: 'kart-racing',
      version: 'v1.2',
      near: 'Montreal',
      env,
    });
  });
const press = (label: string) => effectOf(stage, 'operator', () => stage.driver.press('operator', label));
const shown = async (text: string) =>
  until(
    async () => (await stage.driver.channel()).findLast((one) => one.text.includes(text)),
    `a message with ${text}`,
  );
const told = async (text: string) => {
  clock.speed(60);
  await shown(text);
  await stage.bot.app.settled();
  clock.speed(1);
};

/** The texts of messages, files, log lines and the database, and the bytes of the database file. */
async function everything(): Promise<string> {
  const { driver, bot } = stage;
  const seen = [...(await driver.channel()), ...(await driver.privately('operator'))];
  await bot.app.stop();
  const file = join(folder, 'bot.db');
  return JSON.stringify([seen, rowsIn(file), bot.log]) + readFileSync(file, 'latin1');
}

const environmentOf = (nth: number) => [...stage.simulator.deployments.values()].at(nth)?.environment;
const SENT = [
  expect.objectContaining({ key: 'MODE', value: 'race' }),
  expect.objectContaining({ key: 'PASSPHRASE', value: SECRET }),
];

describe.each(['console', 'discord', 'slack-http'] as const)('variables on %s', (name) => {
  test('the values of variables are sent to the server, and appear in no question, card, log line or database row', async () => {
    await start(name, { CONFIRM_DEPLOY: 'always' });
    const asked = await deploy();
    expect(asked.privately.at(-1)?.text).toContain('PASSPHRASE');
    await press('Deploy');
    await told('is ready');
    expect(environmentOf(0)).toEqual(SENT);
    expect((await stage.driver.channel())[0]?.text).toContain('PASSPHRASE');
    const all = await everything();
    expect(all).toContain('PASSPHRASE');
    expect(all).not.toContain(PIECE);
  });
});

describe('the values of variables', () => {
  test("if Edgegap's refusal of a deploy repeats a variable's value, whole or in part, the value is masked", async () => {
    await start('console');
    const message = `PASSPHRASE may not be ${SECRET} (nor "${SECRET.slice(0, 18)}…"), and MODE=race`;
    stage.simulator.faults.next(
      { endpoint: 'deploy' },
      { kind: 'server-error', when: 'before', status: 400, message },
    );
    const { publicly } = await deploy();
    expect(publicly.at(-1)?.text).toMatch(/Not deployed[\s\S]*may not be \[masked\]/);
    const all = await everything();
    expect(all).not.toContain(PIECE);
    expect(all).not.toContain('correct ');
  });

  test("if a refusal by Edgegap's older API repeats the command or the arguments, the bot leaves them out of the error", async () => {
    await start('console');
    const message = 'The command run -p hunter-7 with “--rcon hunter-8” cannot be used';
    stage.simulator.faults.next(
      { endpoint: 'deployLegacy' },
      { kind: 'server-error', when: 'before', status: 400, message },
    );
    const line =
      'deploy kart-racing v1.2 --ip 203.0.113.7 --command "run -p hunter-7" --arguments "--rcon hunter-8"';
    const { publicly } = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line));
    expect(publicly.at(-1)?.text).toMatch(
      /Not deployed[\s\S]*The command \[masked\] with “\[masked\]” cannot/,
    );
  });

  test('the values of variables are stored until the deploy can no longer be sent again, and are then deleted', async () => {
    await start('slack-http');
    stage.simulator.faults.next({ endpoint: 'deploy' }, { kind: 'reset', when: 'before' });
    await deploy();
    await told('may have started, but Edgegap neither answered');
    await stage.bot.app.stop();
    expect(JSON.stringify(rowsIn(join(folder, 'bot.db')))).toContain(PIECE);
    stage.bot = await startBot(stage.driver, {
      clock,
      edgegap: stage.simulator,
      environment: { DATABASE_URL: join(folder, 'bot.db') },
    });
    // If Edgegap refuses the repeated deploy, the person can press "Deploy again" once more.
    const refusal = { kind: 'server-error', when: 'before', status: 400 } as const;
    stage.simulator.faults.next({ endpoint: 'deploy' }, refusal);
    await press('Deploy again');
    await pass(2_000);
    await press('Deploy again');
    await told('is ready');
    expect(environmentOf(-1)).toEqual(SENT);
    expect(await everything()).not.toContain(PIECE);
  });

  test('if a person cancels the question about a deploy, the values of its variables are deleted', async () => {
    await start('console', { CONFIRM_DEPLOY: 'always' });
    await deploy();
    await press('Cancel');
    expect(await everything()).not.toContain(PIECE);
  });

  test('on Discord, if a quotation mark in the variables is never closed, the variables are refused and nothing is sent', async () => {
    await start('discord');
    const { privately, publicly } = await effectOf(stage, 'operator', () =>
      stage.driver.command('operator', 'deploy', { application: 'kart-racing', env: 'A="two words' }),
    );
    expect(publicly).toEqual([]);
    expect(privately.at(-1)?.text).toContain('never closed');
    expect(stage.simulator.deployments.size).toBe(0);
  });

  test("a variable's value that needs quotation marks but has none is refused, and appears neither in the answer nor in the log", async () => {
    await start('slack-http');
    for (const line of [
      'deploy kart-racing --env PASSPHRASE=correct battery-staple --near Montreal',
      'deploy --env PASSPHRASE=correct battery-staple kart-racing v1.2',
    ]) {
      const { privately, publicly } = await effectOf(stage, 'operator', () =>
        typeLine(stage, 'operator', line),
      );
      expect(publicly).toEqual([]);
      expect(privately.at(-1)?.text).toContain('quotation marks');
    }
    await effectOf(stage, 'operator', () =>
      typeLine(stage, 'operator', 'deploy kart-racing A=battery-staple'),
    );
    expect(stage.bot.log.join('')).not.toContain('battery');
    expect(stage.simulator.deployments.size).toBe(0);
  });
});
