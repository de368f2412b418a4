import { sql } from 'kysely';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import type { Message } from '../../src/chat/card.ts';
import type { AckMode } from '../../src/chat/port.ts';
import { systemClock } from '../../src/clock.ts';
import { createInvocations, TakenOver } from '../../src/command/invocations.ts';
import { loadCommands } from '../../src/command/load.ts';
import { createRecovery } from '../../src/command/recovery.ts';
import { Membership } from '../../src/replicas/membership.ts';
import type { Store } from '../../src/store/schema.ts';
import { transact } from '../../src/store/transact.ts';
import { textOf } from '../notify/memory-chat.ts';
import { freshStore, suiteDatabase } from '../support/databases.ts';
import { TestClock, until } from '../support/test-clock.ts';

const DAY = 24 * 60 * 60_000;
const at = { platform: 'memory', workspace: 'w', channel: 'c' };
const person = { id: 'u', name: 'Una', home: true, guest: false, admin: false, groups: [] };
const silent = pino({ level: 'silent' });
const directory = await loadCommands(new URL('../../commands', import.meta.url).pathname);

const shared = suiteDatabase === 'postgres';

/** Starts a process that uses the store. */
async function process(store: Store, clock: TestClock) {
  const membership = new Membership({ store, shared, clock: systemClock, log: silent });
  await membership.join();
  const parts = { store, membership, directory, clock, log: silent };
  const invocations = createInvocations({ ...parts, realClock: systemClock });
  const recovery = createRecovery({ ...parts, invocations });
  const begin = (
    id: string,
    {
      what = 'list',
      changes = false,
      isAcknowledged = false,
      mode = 'private' as AckMode,
      reply = { token: id },
    } = {},
  ) => invocations.begin({ id, at, person, what, changes, isAcknowledged, mode, reply });
  return { membership, invocations, recovery, begin };
}

async function open() {
  const clock = new TestClock();
  const store = await freshStore(clock);
  const join = async () => {
    const joined = await process(store, clock);
    onTestFinished(() => joined.membership.leave());
    return joined;
  };
  const ids = async () => {
    const rows = await store.selectFrom('invocations').select('id').orderBy('id').execute();
    return rows.map(({ id }) => id);
  };
  const states = async () => {
    const rows = await store.selectFrom('invocations').selectAll().orderBy('id').execute();
    return rows.map(({ id, state, reply_json }) => [id, state, reply_json === null]);
  };
  const outbox = async () => {
    const rows = await store.selectFrom('outbox').selectAll().orderBy('id').execute();
    return rows.map(({ kind, order_key, message_json, target_json }) => ({
      kind,
      id: order_key,
      text: textOf(JSON.parse(message_json)),
      ...((JSON.parse(target_json ?? '{}') ?? {}) as { reply?: object; orElse?: Message }),
    }));
  };
  return { clock, store, join, ids, states, outbox };
}

test('only one process claims an invocation, and a finished invocation is not claimed again', async () => {
  const { join, states } = await open();
  const one = await join();
  // With PostgreSQL, each claim has a connection of its own, so either claim may come first.
  const claims = await Promise.all([one.begin('1'), one.begin('1')]);
  expect(claims.toSorted()).toEqual([false, true]);
  if (shared) expect(await (await join()).begin('1')).toBe(false);
  await one.invocations.finish('1', 'done');
  expect(await one.begin('1')).toBe(false);
  expect(await states()).toEqual([['1', 'done', true]]);
});

test('if many read-only requests arrive at the same moment, and each arrives twice, each is stored once and ended once', async () => {
  const { join, states } = await open();
  const { begin, invocations } = await join();
  const ids = Array.from({ length: 600 }, (_, nth) => `i${String(nth).padStart(3, '0')}`);
  const begun = await Promise.all([...ids, ...ids].map((id) => begin(id, { isAcknowledged: true })));
  expect(begun.map((taken, nth) => taken === nth < ids.length)).not.toContain(false);
  expect((await states()).filter(([, state]) => state === 'running')).toHaveLength(ids.length);
  const ends = ids.map((id, nth) => invocations.finish(id, nth % 3 === 0 ? 'failed' : 'done'));
  await Promise.all(ends);
  expect(await states()).toEqual(ids.map((id, nth) => [id, nth % 3 === 0 ? 'failed' : 'done', true]));
});

test('old invocations are deleted, and recent or running invocations are kept', async () => {
  const { join, clock, ids } = await open();
  const { begin, invocations, recovery } = await join();
  for (const id of ['done', 'failed', 'running']) await begin(id);
  await invocations.finish('done', 'done');
  await invocations.finish('failed', 'failed');
  await clock.advance(6 * DAY);
  await begin('recent');
  await invocations.finish('recent', 'done');
  expect(await recovery.purge(clock.now() - 7 * DAY)).toBe(false);
  expect(await ids()).toEqual(['done', 'failed', 'recent', 'running']);
  await clock.advance(2 * DAY);
  expect(await recovery.purge(clock.now() - 7 * DAY)).toBe(false);
  expect(await ids()).toEqual(['recent', 'running']);
});

test('after a process dies, each of its unanswered invocations is answered by exactly one other process', async () => {
  const { join, states, outbox } = await open();
  const dead = await join();
  await dead.begin('read');
  await dead.begin('stop', { what: 'stop:confirm', changes: true, mode: 'update' });
  await dead.begin('deploy', { what: 'deploy', changes: true, mode: 'public' });
  await dead.begin('over');
  await dead.invocations.finish('over', 'failed');
  await dead.membership.leave();
  const others = [await join(), await join()];
  await Promise.all(others.map(({ recovery }) => recovery.recover()));
  expect(await states()).toEqual([
    ['deploy', 'interrupted', true],
    ['over', 'failed', true],
    ['read', 'interrupted', true],
    ['stop', 'interrupted', true],
  ]);
  const rows = (await outbox()).toSorted((a, b) => a.id.localeCompare(b.id));
  expect(rows).toMatchObject([
    {
      kind: 'answer',
      id: 'deploy',
      reply: { token: 'deploy' },
      text: 'u I was restarted in the middle of your deploy. Nothing was deployed; ask again.',
    },
    {
      kind: 'answer',
      id: 'read',
      reply: { token: 'read' },
      text: 'I was restarted in the middle of your list. Ask again.',
    },
    {
      kind: 'answer',
      id: 'stop',
      reply: { token: 'stop' },
      text: expect.stringMatching(
        /of your stop. The server may or may not have been stopped, or its stop planned: look with status/,
      ),
    },
  ]);
  // The channel gets messages only about invocations that may have changed something.
  expect(rows.map(({ orElse }) => orElse && textOf(orElse).slice(0, 15))).toEqual([
    'u I was restart',
    undefined,
    'u I was restart',
  ]);
});

test('if a process dies during a stored request that changes something, the interruption is reported in the channel', async () => {
  const { join, outbox } = await open();
  const dead = await join();
  const about = { at, person, mode: 'public', reply: undefined } as const;
  await dead.invocations.begin({ ...about, id: 'stop', what: 'stop', changes: true });
  await dead.invocations.begin({ ...about, id: 'list', what: 'list', changes: false });
  await dead.membership.leave();
  await (await join()).recovery.recover();
  const [told, ...others] = await outbox();
  expect(told).toMatchObject({
    kind: 'post',
    id: 'stop',
    text: expect.stringContaining('in the middle of your stop'),
  });
  expect(others).toEqual([]);
});

test('an invocation of a living process is not touched by other processes', async () => {
  const { join, states, outbox } = await open();
  const alive = await join();
  await alive.begin('1');
  if (shared) await (await join()).recovery.recover();
  await alive.recovery.recover();
  expect(await states()).toEqual([['1', 'running', false]]);
  expect(await outbox()).toEqual([]);
});

test('a process that counts as dead can no longer confirm an invocation', async () => {
  const { join, store, states } = await open();
  const slow = await join();
  await slow.begin('1', { what: 'deploy', changes: true });
  await store.transaction().execute((tx) => slow.invocations.confirm(tx, '1'));
  await slow.membership.leave();
  await (await join()).recovery.recover();
  await expect(store.transaction().execute((tx) => slow.invocations.confirm(tx, '1'))).rejects.toBeInstanceOf(
    TakenOver,
  );
  await slow.invocations.finish('1', 'done');
  expect(await states()).toEqual([['1', 'interrupted', true]]);
});

test('if the end of an invocation cannot be stored at first, the end is stored later', async () => {
  const { join, store, states } = await open();
  const { begin, invocations, recovery } = await join();
  await begin('1');
  await store.schema.alterTable('invocations').renameTo('away').execute();
  await invocations.finish('1', 'done');
  await store.schema.alterTable('away').renameTo('invocations').execute();
  expect(await states()).toEqual([['1', 'running', false]]);
  await recovery.lookAfter();
  expect(await states()).toEqual([['1', 'done', true]]);
});

test('an answer that both the platform and the store refused is put into the outbox once the store works again', async () => {
  const { join, store, states, outbox } = await open();
  const { begin, invocations, recovery } = await join();
  const record = {
    id: '1',
    at,
    person,
    what: 'stop:confirm',
    changes: true,
    mode: 'private',
    reply: { token: '1' },
  } as const;
  await begin('1', record);
  await store.schema.alterTable('outbox').renameTo('away').execute();
  await invocations.leaveToOutbox(record, { kind: 'line', tone: 'danger', text: ['It failed.'] }, 'failed');
  expect(await states()).toEqual([['1', 'running', false]]);
  await store.schema.alterTable('away').renameTo('outbox').execute();
  await recovery.lookAfter();
  await recovery.lookAfter();
  expect(await states()).toEqual([['1', 'failed', true]]);
  expect(await outbox()).toMatchObject([{ kind: 'answer', id: '1', text: 'It failed.' }]);
});

test('if the bot gives up storing an invocation, and the insert reaches the database later, the invocation counts as failed', async () => {
  const { join, store, states } = await open();
  const { begin, invocations, recovery, membership } = await join();
  await store.schema.alterTable('invocations').renameTo('away').execute();
  await expect(begin('1')).rejects.toMatchObject({ code: 'not-stored' });
  await store.schema.alterTable('away').renameTo('invocations').execute();
  await invocations.catchUp();
  expect(await states()).toEqual([['1', 'failed', true]]);
  // The insert arrives after the bot gave up, or the platform repeats the invocation.
  expect(await begin('1')).toBe(false);
  await membership.leave();
  await recovery.recover();
  expect(await states()).toEqual([['1', 'failed', true]]);
});

test.runIf(shared)(
  'if the commit of an invocation takes too long, the invocation is stored as failed when the commit succeeds at last',
  async () => {
    const { join, store, states } = await open();
    const { begin, invocations, membership } = await join();
    await store.schema.alterTable('invocations').renameTo('away').execute();
    await expect(begin('1')).rejects.toMatchObject({ code: 'not-stored' });
    await store.schema.alterTable('away').renameTo('invocations').execute();
    const hanging = Promise.withResolvers<void>();
    onTestFinished(() => hanging.resolve());
    const inserted = Promise.withResolvers<void>();
    const late = store.transaction().execute(async (tx) => {
      await sql`set local idle_in_transaction_session_timeout = 0`.execute(tx);
      const columns = { platform: 'memory', workspace: 'w', channel: 'c', asker_id: 'u', asker_name: 'Una' };
      await tx
        .insertInto('invocations')
        .values({
          ...columns,
          id: '1',
          what: 'list',
          changes: 0,
          state: 'running',
          created_at: 0,
          holder: membership.id,
          reply_json: '{}',
        })
        .execute();
      inserted.resolve();
      await hanging.promise;
    });
    await inserted.promise;
    const caughtUp = invocations.catchUp().catch((error: unknown) => error);
    const waiting = sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await until(async () => (await waiting.execute(store)).rows.length > 0, 'it to be waited for');
    hanging.resolve();
    await late;
    await caughtUp;
    await invocations.catchUp();
    expect(await states()).toEqual([['1', 'failed', true]]);
  },
);

test('an answer is put into the outbox only once, even if the confirmation of the commit is lost', async () => {
  const { store, clock, outbox, states } = await open();
  let cut = false;
  const fragile = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (name !== 'transaction' || !cut) return typeof value === 'function' ? value.bind(target) : value;
      cut = false;
      return () => ({
        execute: async (work: (tx: Store) => Promise<void>) => {
          await target.transaction().execute(work);
          throw new Error('Connection terminated unexpectedly');
        },
      });
    },
  });
  const { begin, invocations, membership } = await process(fragile, clock);
  onTestFinished(() => membership.leave());
  const about = { what: 'stop:confirm', changes: true, mode: 'private', reply: { token: '1' } } as const;
  await begin('1', about);
  cut = true;
  const message: Message = { kind: 'line', tone: 'danger', text: ['It failed.'] };
  await invocations.leaveToOutbox({ id: '1', at, person, ...about }, message, 'failed');
  expect(cut).toBe(false);
  await invocations.catchUp();
  expect(await outbox()).toMatchObject([{ id: '1', text: 'It failed.' }]);
  expect(await states()).toEqual([['1', 'failed', true]]);
});

test('if the bot cannot store an invocation, it does not carry out the invocation', async () => {
  const { join, store } = await open();
  const { begin } = await join();
  await store.schema.alterTable('invocations').renameTo('away').execute();
  await expect(begin('1')).rejects.toMatchObject({ code: 'not-stored' });
});

test('an invocation ends only after its answer was stored', async () => {
  const { store, join, states, outbox } = await open();
  const { begin, invocations } = await join();
  for (const id of ['1', '2']) {
    await begin(id, { what: 'stop', changes: true });
    await store.schema.alterTable('outbox').renameTo('away').execute();
    const message: Message = { kind: 'line', tone: 'neutral', text: ['Stopped.'] };
    const record = { id, at, person, what: 'stop', changes: true, mode: 'private' as const, reply: {} };
    await invocations.leaveToOutbox(record, message);
    if (id === '1') await invocations.finish(id, 'done');
    expect(await states()).toContainEqual([id, 'running', false]);
    await store.schema.alterTable('away').renameTo('outbox').execute();
    const caughtUp = invocations.catchUp();
    if (id === '2') await invocations.finish(id, 'done');
    await caughtUp;
    await invocations.catchUp();
    expect(await states()).toContainEqual([id, 'done', true]);
  }
  expect((await outbox()).map(({ id, text }) => [id, text])).toEqual([
    ['1', 'Stopped.'],
    ['2', 'Stopped.'],
  ]);
});

test('if the row of an interrupted invocation is damaged, the channel gets a report, and other invocations are still answered', async () => {
  const { store, join, states, outbox } = await open();
  const dead = await join();
  await dead.begin('damaged', { what: 'stop:confirm', changes: true });
  await dead.begin('read');
  await store
    .updateTable('invocations')
    .set({ reply_json: '{"mode":' })
    .where('id', '=', 'damaged')
    .execute();
  await dead.membership.leave();
  await (await join()).recovery.recover();
  expect(await states()).toEqual([
    ['damaged', 'interrupted', true],
    ['read', 'interrupted', true],
  ]);
  expect((await outbox()).map(({ id, kind }) => [id, kind]).toSorted()).toEqual([
    ['damaged', 'post'],
    ['read', 'answer'],
  ]);
});

test('if an invocation was stored but the confirmation was lost, the invocation is marked as failed', async () => {
  const { store, clock, states } = await open();
  let insert: unknown;
  let cut = false;
  const fragile = store.withPlugin({
    transformQuery({ node, queryId }) {
      if (cut && node.kind === 'InsertQueryNode') insert = queryId;
      return node;
    },
    async transformResult({ queryId, result }) {
      if (!cut || queryId !== insert) return result;
      cut = false;
      throw new Error('Connection terminated unexpectedly');
    },
  });
  const { begin, invocations, membership } = await process(fragile, clock);
  onTestFinished(() => membership.leave());
  await begin('under way');
  for (const id of ['1', 'under way']) {
    cut = true;
    await expect(begin(id)).rejects.toMatchObject({ code: 'not-stored' });
  }
  await invocations.catchUp();
  expect(await states()).toEqual([
    ['1', 'failed', true],
    ['under way', 'running', false],
  ]);
  // If the platform repeats an invocation that was not stored before, the repeated invocation ends separately.
  await store.deleteFrom('invocations').where('id', '=', '1').execute();
  cut = true;
  await begin('2').catch(() => undefined);
  await store.deleteFrom('invocations').where('id', '=', '2').execute();
  expect(await begin('2')).toBe(true);
  await invocations.catchUp();
  expect(await states()).toContainEqual(['2', 'running', false]);
});

test('an invocation that is stored as ended together with its change is not answered again after a crash', async () => {
  const { store, join, states, outbox } = await open();
  const [one, other] = [await join(), await join()];
  await one.begin('1', { what: 'bulk-stop:confirm', changes: true, mode: 'public' });
  await transact(store, (tx) => one.invocations.conclude(tx, '1'));
  await one.membership.leave();
  await other.recovery.recover();
  expect(await states()).toEqual([['1', 'done', true]]);
  expect(await outbox()).toEqual([]);
});

test('if another process has answered an invocation, the first process can no longer change the invocation', async () => {
  const { store, join, states, outbox } = await open();
  const [one, other] = [await join(), await join()];
  await one.begin('1', { what: 'bulk-stop:confirm', changes: true, mode: 'public' });
  await one.membership.leave();
  await other.recovery.recover();
  expect((await outbox()).map(({ text }) => text).join()).toContain('Nothing was stopped. Ask again.');
  await expect(transact(store, (tx) => one.invocations.conclude(tx, '1'))).rejects.toThrow(TakenOver);
  expect(await states()).toEqual([['1', 'interrupted', true]]);
});
