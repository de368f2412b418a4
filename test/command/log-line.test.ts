import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { driverNames } from '../support/bot.ts';
import type { Persona, Values } from '../support/chat-driver.ts';
import {
  deployElsewhere,
  deployReady,
  effectOf,
  pressAction,
  type Stage,
  stageOn,
  typeLine,
} from './harness.ts';

const KART = { application: 'kart-racing', version: 'v1.2', near: 'Montreal' };

interface Line {
  readonly level: number;
  readonly outcome: string;
  readonly command: string;
  readonly incident?: string;
  readonly [field: string]: unknown;
}

/** The log lines that contain the outcome of an invocation. */
function ended({ bot }: Stage): Line[] {
  return bot.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'invocation: ended');
}

describe.each(driverNames)('the log lines of invocations on %s', (name) => {
  let stage: Stage;
  let id: string;
  beforeAll(async () => {
    stage = await stageOn(name);
    id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
  });
  afterAll(() => stage?.close());

  /** The only log line for a person's request, and the private messages to the person. */
  async function lineOf(persona: Persona, act: () => Promise<void>) {
    const before = ended(stage).length;
    const effect = await effectOf(stage, persona, act);
    const lines = ended(stage).slice(before);
    expect(lines).toHaveLength(1);
    const [line] = lines as [Line];
    const secret = stage.bot.log.filter((one) => /hush-hush|203\.0\.113\.7/.test(one));
    expect(secret).toEqual([]);
    expect(line).toMatchObject({
      platform: stage.driver.platform,
      workspace: expect.any(String),
      channel: expect.any(String),
      person: expect.any(String),
      name: expect.any(String),
      ms: expect.any(Number),
    });
    return { line, shown: effect.privately.map(({ text }) => text).join('\n') };
  }
  const commanded = (persona: Persona, command: string, values: Values = {}) =>
    lineOf(persona, () => stage.driver.command(persona, command, values));

  test("a finished command is logged with the person's name, the target and the deployment", async () => {
    const { line } = await commanded('operator', 'logs', { deployment: id.slice(0, 8) });
    expect(line).toMatchObject({ outcome: 'done', command: 'logs', target: id });
    expect(line).not.toHaveProperty('code');
    const deployed = await commanded('operator', 'deploy', { ...KART, ip: '203.0.113.7', tag: 'hush-hush' });
    const made = [...stage.simulator.deployments.keys()].at(-1);
    expect(deployed.line).toMatchObject({
      outcome: 'done',
      command: 'deploy',
      target: 'kart-racing v1.2',
      deployment: made,
    });
    expect((await commanded('operator', 'help')).line).not.toHaveProperty('target');
  });

  test('a press of a button is logged with the action and the target', async () => {
    await commanded('operator', 'stop', { deployment: id });
    const { line } = await lineOf('operator', () => stage.driver.press('operator', 'Keep it'));
    expect(line).toMatchObject({ outcome: 'done', command: 'stop:cancel', target: id });
  });

  test.runIf(name !== 'console').each(['gone', 'constructor'])(
    'a press of a button from an older version (%s) is refused and logged',
    async (action) => {
      await deployReady(stage);
      const press = () => pressAction(stage, 'operator', { command: 'stop', action, arg: id });
      const { line, shown } = await lineOf('operator', press);
      expect(line).toMatchObject({
        outcome: 'refused',
        code: 'action-unknown',
        command: `stop:${action}`,
        target: id,
      });
      expect(shown).toContain('This button is from an older version of me.');
    },
  );

  const refused = (values: Values, command = 'deploy') => commanded('operator', command, values);
  test.each<[string, string, () => ReturnType<typeof lineOf>, object]>([
    [
      'an application that does not exist',
      'application-unknown',
      () => refused({ ...KART, application: 'kart-raching' }),
      { command: 'deploy', target: 'kart-raching v1.2' },
    ],
    [
      'a tag that is too long',
      'tag-too-long',
      () => refused({ ...KART, tag: `hush-hush${'x'.repeat(20)}` }),
      { command: 'deploy', target: 'kart-racing v1.2' },
    ],
    [
      'a very long request_id',
      'not-a-request-id',
      () => refused({ deployment: 'y'.repeat(9_000) }, 'status'),
      { command: 'status', target: `${'y'.repeat(64)}…` },
    ],
    [
      'a text over the limit',
      'text-too-long',
      () => refused({ deployment: 'z'.repeat(13_000) }, 'status'),
      // The terminal passes the whole line on as typed.
      name === 'console' ? {} : { command: 'status' },
    ],
    [
      'a person without the permission',
      'not-permitted',
      () => commanded('reader', 'stop', { deployment: '93924761ccde' }),
      { command: 'stop', target: '93924761ccde' },
    ],
    [
      'a person from another workspace',
      'not-home',
      () => commanded('stranger', 'stop', { deployment: '93924761ccde' }),
      { command: 'stop', target: '93924761ccde' },
    ],
  ])('a refusal of %s is logged', async (title, code, act, expected) => {
    // A terminal has no strangers and no people with only the right to read.
    if (name === 'console' && title.startsWith('a person')) return;
    const { line, shown } = await act();
    expect(line).toMatchObject({ outcome: 'refused', code, level: 30, ...expected });
    expect(line.incident).toMatch(/^[0-9a-f]{8}$/);
    expect(shown).toContain(`Reference ${line.incident}`);
  });

  if (name !== 'discord')
    test.each([
      ['frobnicate the lot', 'command-unknown', { command: 'frobnicate' }],
      [
        'deploy kart-racing v1.2 hush-hush',
        'argument-extra',
        { command: 'deploy', target: 'kart-racing v1.2' },
      ],
      ['deploy --tag hush-hush --tag', 'value-missing', { command: 'deploy' }],
    ])(
      'if the bot refuses the command line "%s", the log line of the command has the error code',
      async (text, code, expected) => {
        const { line, shown } = await lineOf('operator', () => typeLine(stage, 'operator', text));
        expect(line).toMatchObject({ outcome: 'refused', code, ...expected });
        expect(shown).toContain(`Reference ${line.incident}`);
      },
    );

  test.each([
    [403, 'failed', 'edgegap-forbidden'],
    [500, 'unknown', 'edgegap-unavailable'],
  ])(
    'a deploy that Edgegap answers with %i is logged with the right outcome',
    async (status, outcome, code) => {
      stage.simulator.faults.next(
        { endpoint: 'deploy' },
        { kind: 'server-error', when: 'before', status },
        9,
      );
      const { line } = await commanded('operator', 'deploy', KART);
      stage.simulator.faults.clear();
      expect(line).toMatchObject({ outcome, code, command: 'deploy', target: 'kart-racing v1.2' });
    },
  );

  test('if Edgegap has no room for a deploy, the deploy is logged as failed', async () => {
    stage.simulator.faults.next({ endpoint: 'deploy' }, { kind: 'cannot-allocate' });
    const { line } = await commanded('operator', 'deploy', KART);
    const deployment = [...stage.simulator.deployments.keys()].at(-1);
    expect(line).toMatchObject({ outcome: 'failed', code: expect.stringMatching(/^edgegap-/), deployment });
  });
});

test('a command that arrives while the bot stops is also logged', async () => {
  const stage = await stageOn('discord');
  onTestFinished(() => stage.driver.close());
  const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
  stage.simulator.faults.next({ endpoint: 'logs' }, { kind: 'slow', when: 'before', ms: 1_000 });
  await stage.driver.command('operator', 'logs', { deployment: id });
  const stopped = stage.bot.stop();
  await stage.driver.command('operator', 'stop', { deployment: id });
  await stopped;
  expect(ended(stage).map(({ command, outcome, target, name }) => [command, outcome, target, name])).toEqual(
    expect.arrayContaining([
      ['stop', 'refused', id, 'Olga'],
      ['logs', 'done', id, 'Olga'],
    ]),
  );
});

test("an error in the bot's own code is logged with the stack and the reference that the person sees", async () => {
  const commands = mkdtempSync(join(import.meta.dirname, '.log-line-'));
  const define = pathToFileURL(join(import.meta.dirname, '../../src/command/define.ts'));
  writeFileSync(
    join(commands, 'boom.ts'),
    `import { defineCommand } from '${define.href}';
    export default defineCommand({
      description: 'Fail', permission: 'deployments.read', ack: 'public', options: {},
      run: async () => { throw new TypeError('not for people'); },
    });`,
  );
  const stage = await stageOn('discord', { commands });
  onTestFinished(async () => {
    await stage.close();
    rmSync(commands, { recursive: true });
  });
  const { privately, publicly } = await effectOf(stage, 'operator', () =>
    stage.driver.command('operator', 'boom'),
  );
  expect(publicly).toEqual([]);
  const [line, ...others] = ended(stage);
  expect(others).toEqual([]);
  expect(line).toMatchObject({ level: 50, outcome: 'failed', command: 'boom', name: 'Olga' });
  expect(line?.err).toMatchObject({ message: 'not for people', stack: expect.stringContaining('boom.ts') });
  expect(privately[0]?.text).toContain(`Reference ${line?.incident}`);
  expect(privately[0]?.text).not.toContain('not for people');
});
