import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Message } from '../../src/chat/card.ts';
import type { Invocation } from '../../src/chat/port.ts';
import { systemClock } from '../../src/clock.ts';
import { type CommandSpec, type Context, createDirectory } from '../../src/command/define.ts';
import { createInvocations } from '../../src/command/invocations.ts';
import { createRecovery } from '../../src/command/recovery.ts';
import { createPipeline } from '../../src/command/run.ts';
import { Membership } from '../../src/replicas/membership.ts';
import { textOf } from '../notify/memory-chat.ts';
import { freshStore } from '../support/databases.ts';
import { TestClock } from '../support/test-clock.ts';

const log = pino({ level: 'silent' });
const at = { platform: 'memory', workspace: 'w', channel: 'c' };
const person = { id: 'u', name: 'Una', home: true, guest: false, admin: true, groups: [] };

/**
 * Carries out a command that posts a card. `frozen` is called in the middle of the command, and lets another process
 * take over.
 */
async function takenOver(frozen: (membership: Membership) => void) {
  const clock = new TestClock();
  const store = await freshStore(clock);
  const join = async () => {
    const membership = new Membership({ store, shared: false, clock: systemClock, log });
    onTestFinished(() => membership.leave());
    return membership;
  };
  const [one, other] = [await join(), await join()];
  await one.join();
  const shown: string[] = [];
  const show = async (message: Message) => void shown.push(textOf(message));
  const command = {
    description: 'd',
    permission: 'help',
    ack: 'public',
    options: {},
    async run(context: Context<unknown>) {
      await store.deleteFrom('instances').execute();
      await recovery.recover();
      const left = await store.selectFrom('outbox').select('message_json').executeTakeFirstOrThrow();
      await show(JSON.parse(left.message_json));
      frozen(one);
      await context.postCard({ kind: 'card', tone: 'neutral', title: ['Requesting'], nodes: [] });
      await store.transaction().execute((tx) => invocations.confirm(tx, context.invocationId));
    },
  };
  const directory = createDirectory([{ name: 'deploy', command: command as CommandSpec }]);
  const parts = { store, directory, clock, log };
  const invocations = createInvocations({ ...parts, membership: one, realClock: systemClock });
  const recovery = createRecovery({ ...parts, membership: other, invocations });
  const pipeline = createPipeline({
    services: () => ({ directory, settings: {} }) as never,
    policy: { rules: {}, readOnly: false } as never,
    invocations,
    clock,
    realClock: systemClock,
    log,
  });
  await pipeline.invoke({
    id: '1',
    at,
    adapter: { supports: {} },
    request: { kind: 'command', command: 'deploy', args: { kind: 'values', values: {} } },
    reply: () => ({}),
    person: async () => person,
    acknowledge: async () => undefined,
    refuse: show,
    respond: show,
    respondPrivately: show,
    postCard: async (message: Message) => {
      await show(message);
      return { ...at, message: '1' };
    },
  } as unknown as Invocation);
  return shown;
}

test('if a process posts a card after another process has answered, that answer replaces the card', async () => {
  const shown = await takenOver(() => undefined);
  expect(shown).toHaveLength(3);
  expect(shown[1]).toContain('Requesting');
  expect(shown[2]).toBe(shown[0]);
  expect(shown[2]).toContain('I was restarted in the middle');
});

test('a process that possibly counts as dead posts no card', async () => {
  const shown = await takenOver((membership) => vi.spyOn(membership, 'isCertain').mockReturnValue(false));
  expect(shown).toHaveLength(1);
});
