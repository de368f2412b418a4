import { sql } from 'kysely';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { enqueue } from '../../src/notify/outbox.ts';
import { createOutboxWorker } from '../../src/notify/worker.ts';
import { Membership } from '../../src/replicas/membership.ts';
import type { Store } from '../../src/store/schema.ts';
import { TestClock, until } from '../support/test-clock.ts';
import { card, clockAhead, drained, here, line, openDesk } from './harness.ts';
import { tooFast } from './memory-chat.ts';

/** Whether a transaction is waiting for a row that a different transaction has changed. */
async function waitsForRow(store: Store): Promise<boolean> {
  const waiting = sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return (await waiting.execute(store)).rows.length > 0;
}

describe('several processes with a shared store', () => {
  test('several processes together send each message once and in order, and only one message at a time to each channel', async () => {
    const desk = await openDesk();
    let sending = 0;
    let most = 0;
    const inner = desk.chat.adapter();
    const watched = {
      ...inner,
      async post(...args: Parameters<typeof inner.post>) {
        sending++;
        most = Math.max(most, sending);
        await new Promise((resolve) => setImmediate(resolve));
        try {
          return await inner.post(...args);
        } finally {
          sending--;
        }
      },
    };
    const processes = [desk.worker, desk.beside([watched]), desk.beside([watched])];
    desk.worker = desk.beside([watched]);
    for (let n = 0; n < 10; n++)
      for (const order of ['a', 'b', 'c']) await desk.post(order, `${order}${n}`, { urgent: true });
    await Promise.all([...processes.slice(1), desk.worker].map((process) => process.start()));
    await drained(desk, 500);
    const { texts } = desk.chat;
    for (const order of ['a', 'b', 'c'])
      expect(texts.filter((text) => text.startsWith(order))).toEqual(
        Array.from({ length: 10 }, (_, n) => `${order}${n}`),
      );
    expect(texts).toHaveLength(30);
    expect(most).toBe(1);
    await Promise.all(processes.slice(1).map((process) => process.stop()));
  });

  test("several processes together send messages to a channel no faster than the channel's rate limit allows", async () => {
    const desk = await openDesk({ paceMs: 60_000 });
    const other = desk.beside();
    for (const text of ['first', 'second']) await desk.post('d1', text);
    await desk.worker.start();
    await other.start();
    await until(() => desk.chat.texts.length > 0);
    await desk.resting();
    other.wake();
    await desk.clock.advance(30_000);
    await desk.resting();
    expect(desk.chat.texts).toEqual(['first']);
    await other.stop();
  });

  test('if a newer edit is stored while a process is claiming an edit, the process sends the newer content', async () => {
    const desk = await openDesk();
    const target = desk.chat.add(card('Requesting'), here);
    await desk.edit('d1', target, 'Deploying');
    const newer = await desk.store.startTransaction().execute();
    await enqueue(newer, desk.clock, { kind: 'edit', orderKey: 'd1', target, message: card('Ready') });
    await desk.worker.start();
    await until(() => waitsForRow(desk.store), 'the worker to want the row');
    await newer.commit().execute();
    await desk.settle();
    expect(desk.chat.calls).toEqual(['edit Ready']);
    expect(await desk.states()).toEqual(['sent']);
  });

  test('if an edit is stored just after a process claimed an older edit, the new edit is sent afterwards', async () => {
    const desk = await openDesk();
    const target = desk.chat.add(card('Requesting'), here);
    await desk.edit('d1', target, 'Deploying');
    const taking = await desk.store.startTransaction().execute();
    await taking
      .updateTable('outbox')
      .set({ state: 'leased', holder: desk.worker.membership.id, uncertain: 1, attempts: 1 })
      .execute();
    const written = desk.edit('d1', target, 'Ready');
    await until(() => waitsForRow(desk.store), 'the writer to want the row');
    await taking.commit().execute();
    await written;
    expect(await desk.states()).toEqual(['leased', 'pending']);
    desk.worker = desk.next();
    await desk.worker.start();
    await drained(desk, 1_000);
    expect(desk.chat.calls).toEqual(['edit Deploying', 'edit Ready']);
  });

  test('if a process hangs in a transaction on the outbox, other processes keep sending messages', async () => {
    const desk = await openDesk();
    await desk.post('d1', 'sent by the other');
    await desk.store.updateTable('outbox').set({ state: 'leased', holder: 'other', uncertain: 1 }).execute();
    const stopped = await desk.store.startTransaction().execute();
    await sql`set local idle_in_transaction_session_timeout = 0`.execute(stopped);
    await stopped.updateTable('outbox').set({ state: 'sent', holder: null }).execute();
    await desk.post('d2', 'news', { to: { ...here, channel: 'elsewhere' } });
    await desk.worker.start();
    await until(() => desk.chat.texts.includes('news'));
    expect(await desk.states()).toEqual(['leased', 'sent']);
    await stopped.rollback().execute();
  });

  test('if the clock of a process was set back, the process can still take over the messages of a dead process', async () => {
    const { clock, setRight } = clockAhead(30 * 60_000);
    const desk = await openDesk({ clock });
    await desk.worker.start();
    setRight();
    await desk.post('d1', 'news');
    await desk.store.updateTable('outbox').set({ state: 'leased', holder: 'dead', uncertain: 1 }).execute();
    const from = desk.clock.now();
    await drained(desk, 1_000);
    expect(desk.chat.texts).toEqual(['news']);
    expect(desk.clock.now() - from).toBeLessThan(60_000);
  });

  test('a process that possibly counts as dead sends no messages', async () => {
    const desk = await openDesk();
    await desk.worker.start();
    await desk.worker.membership.leave();
    const target = desk.chat.add(card('Requesting'), here);
    const elsewhere = { ...here, channel: 'elsewhere' };
    await desk.post('d1', 'news');
    await desk.edit('d2', target, 'Ready');
    const message = line('late');
    await enqueue(desk.store, desk.clock, { kind: 'tell', orderKey: 'd3', at: here, person: 'ann', message });
    await enqueue(desk.store, desk.clock, {
      kind: 'answer',
      orderKey: 'd4',
      at: elsewhere,
      reply: {},
      message,
    });
    await desk.settle();
    expect(desk.chat.calls).toEqual([]);
    const rows = await desk.store.selectFrom('outbox').selectAll().execute();
    expect(rows).toHaveLength(4);
    for (const row of rows)
      expect(row).toMatchObject({ state: 'pending', reason_code: 'outbox-in-doubt', uncertain: 0 });
    desk.worker = desk.next();
    await desk.worker.start();
    await drained(desk, 1_000);
    expect(desk.chat.calls.toSorted()).toEqual(['edit Ready', 'post news', 'resume late', 'tell late']);
  });

  test('if a process counted as dead and another process has sent its message, the first process does not send the message', async () => {
    const desk = await openDesk();
    const heart = new TestClock();
    const log = pino({ level: 'silent' });
    const membership = new Membership({ store: desk.store, shared: true, clock: heart, log });
    await membership.join();
    onTestFinished(() => membership.leave());
    const inner = desk.chat.adapter();
    const [reading, read] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = {
      ...inner,
      async findPosted(...args: Parameters<typeof inner.findPosted>) {
        const found = await inner.findPosted(...args);
        reading.resolve();
        await read.promise;
        return found;
      },
    };
    const parts = { store: desk.store, membership, adapters: [slow], clock: desk.clock, log };
    const stopped = createOutboxWorker(parts);
    await desk.post('d1', 'news');
    // An earlier attempt got no answer, so the bot searches the channel first.
    await desk.store
      .updateTable('outbox')
      .set((eb) => ({ uncertain: 1, attempts: 1, attempted_at: desk.clock.now(), sent_key: eb.ref('key') }))
      .execute();
    await stopped.start();
    await reading.promise;
    await desk.store.updateTable('instances').set({ until: 0 }).where('id', '=', membership.id).execute();
    desk.worker = desk.beside();
    await desk.worker.start();
    await drained(desk, 1_000);
    expect(desk.chat.texts).toEqual(['news']);
    // The first process resumes after its pause.
    await heart.leap(40_000);
    await until(async () => {
      await heart.advance(600);
      return membership.isCertain();
    }, 'it to be certain again');
    read.resolve();
    await stopped.stop();
    expect(desk.chat.texts).toEqual(['news']);
    expect(await desk.states()).toEqual(['sent']);
  });

  test("the search for a dead process's message starts only when the last request of this process has certainly ended", async () => {
    const desk = await openDesk();
    await desk.post('d1', 'news');
    await desk.store.updateTable('outbox').set({ state: 'leased', holder: 'dead', uncertain: 1 }).execute();
    await desk.worker.start();
    for (let seconds = 0; seconds < 10; seconds++) {
      await desk.clock.advance(1_000);
      await desk.resting();
    }
    expect(desk.chat.calls).toEqual([]);
    await drained(desk, 1_000);
    expect(desk.chat.texts).toEqual(['news']);
  });

  test('a message does not overtake an earlier message that a dead process had claimed', async () => {
    const desk = await openDesk();
    await desk.worker.start();
    // The worker has searched for the rows of dead processes by now.
    await desk.resting();
    await desk.store.transaction().execute(async (tx) => {
      await enqueue(tx, desk.clock, { kind: 'post', orderKey: 'd1', to: here, message: line('is ready') });
      await tx.updateTable('outbox').set({ state: 'leased', holder: 'dead', uncertain: 1 }).execute();
      await enqueue(tx, desk.clock, { kind: 'post', orderKey: 'd1', to: here, message: line('terminated') });
    });
    desk.worker.wake();
    await drained(desk, 1_000);
    expect(desk.chat.texts).toEqual(['is ready', 'terminated']);
  });

  test("if a process's attempt fails after another process took over the message, the first process leaves the row unchanged", async () => {
    const desk = await openDesk();
    await desk.worker.start();
    const release = desk.chat.hold();
    desk.chat.fail('post', { error: tooFast() });
    await desk.post('d1', 'news');
    desk.worker.wake();
    await until(async () => (await desk.states()).includes('leased'), 'it to be sent');
    await desk.store.updateTable('outbox').set({ holder: 'other' }).execute();
    release();
    await desk.worker.stop();
    expect(desk.chat.calls).toEqual(['post news']);
    const row = await desk.store.selectFrom('outbox').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({ state: 'leased', holder: 'other', uncertain: 1 });
  });
});
