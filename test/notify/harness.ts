import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { Card, Line } from '../../src/chat/card.ts';
import type { Adapter, Address, MessageRef } from '../../src/chat/port.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { channelId, channelIdOf, everyChannelId, opensAt } from '../../src/notify/channels.ts';
import { enqueue } from '../../src/notify/outbox.ts';
import { OutboxQueue } from '../../src/notify/queue.ts';
import type { Delivery } from '../../src/notify/row.ts';
import { createOutboxWorker, type OutboxWorker } from '../../src/notify/worker.ts';
import { Membership } from '../../src/replicas/membership.ts';
import type { Store } from '../../src/store/schema.ts';
import { freshStore, suiteDatabase } from '../support/databases.ts';
import { TestClock, until } from '../support/test-clock.ts';
import { MemoryChat } from './memory-chat.ts';

export const here: Address = { platform: 'memory', workspace: 'w', channel: 'general' };
export const line = (text: string): Line => ({ kind: 'line', tone: 'neutral', text: [text] });
export const card = (text: string): Card => ({ kind: 'card', tone: 'neutral', title: [text], nodes: [] });

/** A process with an outbox worker. The process can start after a dead process, or in addition to other processes. */
export interface Process extends OutboxWorker {
  readonly membership: Membership;
}

export interface Desk {
  readonly clock: TestClock;
  readonly store: Store;
  readonly chat: MemoryChat;
  readonly log: readonly string[];
  worker: Process;
  /** Kills the previous process and starts a new process. */
  next(adapters?: readonly Adapter[]): Process;
  /** Starts a new process in addition to the running processes. */
  beside(adapters?: readonly Adapter[]): Process;
  post(orderKey: string, text: string, more?: Partial<Extract<Delivery, { kind: 'post' }>>): Promise<void>;
  edit(orderKey: string, target: MessageRef, text: string): Promise<void>;
  /** Sends every message that can be sent now. */
  settle(): Promise<void>;
  /** Moves the time, and waits until the due messages have been sent. */
  pass(ms: number): Promise<void>;
  /** Resolves when no message is being sent, and no message can be sent until the time moves. */
  resting(): Promise<void>;
  states(): Promise<string[]>;
}

export interface DeskOptions extends NonNullable<Parameters<MemoryChat['adapter']>[0]> {
  readonly adapters?: (chat: MemoryChat) => readonly Adapter[];
  readonly clock?: (clock: TestClock) => Clock;
}

/** A clock that is `ms` milliseconds ahead of the test's clock, until the test corrects it. */
export function clockAhead(ms: number) {
  let ahead = ms;
  return {
    clock: (clock: TestClock): Clock => ({
      now: () => clock.now() + ahead,
      after: (after, run) => clock.after(after, run),
    }),
    setRight() {
      ahead = 0;
    },
  };
}

/** An outbox on the suite's database and a chat in memory. */
export async function openDesk(options: DeskOptions = {}): Promise<Desk> {
  const clock = new TestClock();
  const shared = suiteDatabase === 'postgres';
  const chat = new MemoryChat(() => clock.now());
  const log: string[] = [];
  const logger = pino({ level: 'debug', base: null }, { write: (text: string) => void log.push(text) });
  const store = await freshStore(clock);
  const processes: Process[] = [];
  const used = options.clock?.(clock) ?? clock;
  const process = (adapters: readonly Adapter[] | undefined, after: boolean): Process => {
    const membership = new Membership({ store, shared, clock: systemClock, log: logger });
    const worker = createOutboxWorker({
      store,
      membership,
      adapters: adapters ?? options.adapters?.(chat) ?? [chat.adapter(options)],
      clock: used,
      log: logger,
    });
    const made: Process = {
      ...worker,
      membership,
      async start() {
        if (after) await store.deleteFrom('instances').execute();
        await membership.join();
        await worker.start();
      },
    };
    processes.push(made);
    return made;
  };
  onTestFinished(async () => {
    // The worker of a dead process never completes its stop, so the test does not wait for it.
    for (const one of processes) void one.stop();
    await desk.worker.stop();
    for (const { membership } of processes) await membership.leave();
  });
  const desk: Desk = {
    clock,
    store,
    chat,
    log,
    worker: process(undefined, true),
    next: (adapters) => process(adapters, true),
    beside: (adapters) => process(adapters, false),
    async post(orderKey, text, more = {}) {
      await enqueue(store, clock, { kind: 'post', orderKey, to: here, message: line(text), ...more });
    },
    async edit(orderKey, target, text) {
      await enqueue(store, clock, { kind: 'edit', orderKey, target, message: card(text) });
    },
    settle: () => desk.worker.idle(),
    async pass(ms) {
      // Processes on a shared store read the store every second. On a slow machine, five minutes of test time could
      // therefore take a real minute.
      await (ms < 60_000 ? clock.advance(ms) : clock.leap(ms));
      await desk.worker.idle();
    },
    async resting() {
      const queue = new OutboxQueue(
        store,
        desk.worker.membership,
        new Map([['memory', chat.adapter(options)]]),
      );
      await until(async () => {
        // The worker may have searched for messages longer than the clock stood still. Its timer is then due now.
        await clock.advance(0);
        const now = clock.now();
        const leased = await store
          .selectFrom('outbox')
          .innerJoin('channels', (join) =>
            join.on((eb) =>
              eb(
                'channels.id',
                '=',
                channelIdOf({
                  platform: eb.ref('outbox.platform'),
                  workspace: eb.ref('outbox.workspace'),
                  channel: eb.ref('outbox.channel'),
                }),
              ),
            ),
          )
          .where('outbox.state', '=', 'leased')
          .select(['outbox.kind', 'channels.id', 'channels.next_at', 'channels.next_edit_at'])
          .execute();
        const everywhere = await store
          .selectFrom('channels')
          .selectAll()
          .where('id', '=', everyChannelId('memory'))
          .executeTakeFirst();
        const isOpen = (times?: { next_at: number; next_edit_at: number }, kind?: string) =>
          opensAt([kind === 'edit' ? times?.next_edit_at : times?.next_at], now) <= now;
        // A claimed row whose channel is not free yet waits until the time moves.
        if (leased.some((row) => isOpen(row, row.kind) && isOpen(everywhere, row.kind))) return false;
        const taken = new Set(leased.map(({ id }) => id));
        // A row that a dead process has claimed still has to be sent, so no such row may be left.
        const held = await store
          .selectFrom('channels')
          .where(({ eb, not }) => not(desk.worker.membership.gone(eb.ref('channels.holder'))))
          .select('id')
          .execute();
        if (held.some(({ id }) => !taken.has(id))) return false;
        const { due } = await queue.overview(now);
        const free = due.filter((place) => !taken.has(channelId(place)));
        const ready = await Promise.all(free.map((place) => queue.next(store, place, place.lanes, now)));
        return ready.every((rows) => rows.length === 0);
      }, 'the outbox to rest');
    },
    states: async () =>
      (await store.selectFrom('outbox').select('state').orderBy('id').execute()).map(({ state }) => state),
  };
  return desk;
}

/** Moves the time in steps until every message is sent or given up. */
export async function drained(desk: Desk, stepMs: number): Promise<void> {
  for (;;) {
    await desk.resting();
    const states = await desk.states();
    if (!states.includes('pending') && !states.includes('leased')) return;
    await until(() => desk.clock.pending > 0, 'a timer');
    await desk.clock.advance(stepMs);
  }
}
