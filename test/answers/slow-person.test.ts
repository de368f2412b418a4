import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Message } from '../../src/chat/card.ts';
import type { Invocation, Person } from '../../src/chat/port.ts';
import { systemClock } from '../../src/clock.ts';
import { type CommandSpec, createDirectory } from '../../src/command/define.ts';
import { createInvocations } from '../../src/command/invocations.ts';
import { createPipeline } from '../../src/command/run.ts';
import { Membership } from '../../src/replicas/membership.ts';
import { textOf } from '../notify/memory-chat.ts';
import type { Persona } from '../support/chat-driver.ts';
import { freshStore } from '../support/databases.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { TestClock, until } from '../support/test-clock.ts';
import { openStage } from './harness.ts';

/** A delay in the bot's time that is longer than Slack waits for an acknowledgement. */
const SLOW = { kind: 'slow', ms: 2_000 } as const;
const DEPLOY = 'deploy kart-racing v1.2 --near Montreal';

async function stageOf(name: 'slack-http' | 'slack-socket') {
  const stage = await openStage(name);
  const driver = stage.driver as SlackDriver;
  const shown = async (persona: Persona) => ({
    publicly: (await driver.channel()).map(({ text }) => text),
    privately: (await driver.privately(persona)).map(({ text }) => text),
  });
  return { stage, driver, shown, process: await stage.start() };
}

describe.each(['slack-http', 'slack-socket'] as const)('a person whose rights %s reports slowly', (name) => {
  test('if a process is killed while it waits for facts about the person, the next process answers the acknowledged deploy', async () => {
    const { stage, driver, shown, process } = await stageOf(name);
    driver.server.faults.inject('users.info', { ...SLOW, ms: 60_000 });
    // Resolves when the command is acknowledged. Slack never sends an acknowledged command again.
    await driver.slash('operator', DEPLOY);
    await process.kill();
    const next = await stage.start();
    await until(async () => (await shown('operator')).publicly.length > 0, 'the answer');
    await next.app.settled();
    const { publicly, privately } = await shown('operator');
    expect([publicly.length, privately]).toEqual([1, []]);
    expect(publicly[0]).toMatch(/I was restarted in the middle of your .?deploy/);
    expect(stage.simulator.deployments.size).toBe(0);
  });

  test("while Slack is slow to report rights, a deploy waits; then an operator's deploy runs, and a reader's deploy is refused", async () => {
    const { stage, driver, shown, process } = await stageOf(name);
    driver.server.faults.inject('users.info', SLOW, 2);
    await driver.slash('operator', DEPLOY);
    await driver.slash('reader', DEPLOY);
    await until(async () => (await shown('reader')).privately.length > 0, 'the refusal');
    await until(async () => (await shown('operator')).publicly.length > 0, 'the card');
    await process.app.settled();
    await process.kill();
    const next = await stage.start();
    await next.app.settled();
    const { publicly, privately } = await shown('reader');
    expect(privately).toEqual([expect.stringContaining('You may not change servers here.')]);
    expect(publicly.filter((text) => text.includes('restarted'))).toEqual([]);
    expect(stage.simulator.deployments.size).toBe(1);
  });
});

const person: Person = { id: 'u', name: 'Una', home: true, guest: false, admin: true, groups: [] };

/** Sends a command that changes something. Slack reports the rights of the person only after `known` is called. */
async function asking() {
  const log = pino({ level: 'silent' });
  const clock = new TestClock();
  const store = await freshStore(clock);
  const membership = new Membership({ store, shared: false, clock: systemClock, log });
  await membership.join();
  onTestFinished(() => membership.leave());
  let runs = 0;
  const command = {
    description: 'd',
    permission: 'deployments.stop',
    ack: 'public',
    options: {},
    run: async () => void runs++,
  };
  const directory = createDirectory([{ name: 'stop', command: command as CommandSpec }]);
  const parts = { store, directory, clock, log };
  const invocations = createInvocations({ ...parts, membership, realClock: systemClock });
  const pipeline = createPipeline({
    services: () => ({ directory, settings: {} }) as never,
    policy: { rules: { memory: { readersByDefault: 'members' } }, readOnly: false } as never,
    invocations,
    clock,
    realClock: systemClock,
    log,
  });
  const known = Promise.withResolvers<Person>();
  const did: string[] = [];
  const invocation = {
    id: '1',
    at: { platform: 'memory', workspace: 'w', channel: 'c' },
    adapter: { supports: {} },
    request: { kind: 'command', command: 'stop', args: { kind: 'values', values: {} } },
    reply: () => ({}),
    meanwhile: {
      askerId: 'u',
      holdBack: (stored: Promise<void>) => void stored.then(() => did.push('may be told')),
    },
    person: () => known.promise,
    acknowledge: async () => void did.push('acknowledged'),
    refuse: async (message: Message) => void did.push(textOf(message)),
  } as unknown as Invocation;
  const states = async () =>
    (await store.selectFrom('invocations').selectAll().execute()).map(({ state }) => state);
  const tooLong = async () => {
    await until(() => clock.pending > 0, 'the person to be asked for');
    await clock.advance(1_200);
  };
  return { store, pipeline, invocation, known, did, states, tooLong, runs: () => runs };
}

test('a command that has to wait for facts about the person is stored before the acknowledgement and runs only once', async () => {
  const { pipeline, invocation, known, did, states, tooLong, runs } = await asking();
  const first = pipeline.invoke(invocation);
  expect(await states()).toEqual([]);
  expect(did).toEqual([]);
  await tooLong();
  await until(() => did.length > 0, 'it to be stored');
  expect(await states()).toEqual(['running']);
  const again = pipeline.invoke(invocation);
  await tooLong();
  await again;
  known.resolve(person);
  await first;
  expect(did).toEqual(['may be told', 'may be told', 'acknowledged']);
  expect([await states(), runs()]).toEqual([['done'], 1]);
});

test('the bot refuses a stored command when it later learns that the person lacks the permission', async () => {
  const { pipeline, invocation, known, did, states, tooLong, runs } = await asking();
  const handled = pipeline.invoke(invocation);
  await tooLong();
  await until(() => did.length > 0, 'it to be stored');
  known.resolve({ ...person, admin: false });
  await handled;
  expect(did).toEqual(['may be told', expect.stringContaining('You may not change servers here.')]);
  expect([await states(), runs()]).toEqual([['failed'], 0]);
});

test('if a command cannot be stored, the person gets the error and the command is not carried out', async () => {
  const { store, pipeline, invocation, known, did, tooLong, runs } = await asking();
  await store.schema.alterTable('invocations').renameTo('away').execute();
  const handled = pipeline.invoke(invocation);
  await tooLong();
  await handled;
  known.resolve(person);
  expect(did).toEqual(['may be told', expect.stringContaining('I cannot write to my database')]);
  expect(runs()).toBe(0);
});
