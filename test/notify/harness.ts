import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { Adapter, Address, MessageRef } from '../../src/adapters/adapter.ts';
import type { Card, Line } from '../../src/cards/card.ts';
import type { Clock } from '../../src/clock.ts';
import { type Delivery, enqueue } from '../../src/notify/outbox.ts';
import { createOutboxWorker, type OutboxWorker } from '../../src/notify/worker.ts';
import type { Store } from '../../src/store/store.ts';
import { freshStore } from '../support/databases.ts';
import { TestClock, until } from '../support/test-clock.ts';
import { MemoryChat } from './memory-chat.ts';

export const here: Address = { platform: 'memory', workspace: 'w', channel: 'general' };
export const line = (text: string): Line => ({ kind: 'line', tone: 'neutral', text: [text] });
export const card = (text: string): Card => ({ kind: 'card', tone: 'neutral', title: [text], nodes: [] });

export interface Desk {
  readonly clock: TestClock;
  readonly store: Store;
  readonly chat: MemoryChat;
  readonly log: readonly string[];
  worker: OutboxWorker;
  /** A worker of a process that comes after the one before it died. */
  next(adapters?: readonly Adapter[]): OutboxWorker;
  post(orderKey: string, text: string, more?: Partial<Extract<Delivery, { kind: 'post' }>>): Promise<void>;
  edit(orderKey: string, target: MessageRef, text: string): Promise<void>;
  /** Sends what can be sent now. */
  settle(): Promise<void>;
  /** Moves time on, and lets what then falls due be sent. */
  pass(ms: number): Promise<void>;
  states(): Promise<string[]>;
}

/** An outbox on a store and a chat in memory. */
export async function openDesk(
  options: Parameters<MemoryChat['adapter']>[0] & {
    readonly adapters?: (chat: MemoryChat) => readonly Adapter[];
    readonly clock?: (clock: TestClock) => Clock;
  } = {},
): Promise<Desk> {
  const clock = new TestClock();
  const store = await freshStore(clock);
  const chat = new MemoryChat(() => clock.now());
  const log: string[] = [];
  const logger = pino({ level: 'debug', base: null }, { write: (text: string) => void log.push(text) });
  const workers: OutboxWorker[] = [];
  const used = options.clock?.(clock) ?? clock;
  const next = (adapters = options.adapters?.(chat) ?? [chat.adapter(options)]) => {
    const worker = createOutboxWorker({ store, adapters, clock: used, log: logger });
    workers.push(worker);
    return worker;
  };
  onTestFinished(async () => {
    // One that stands for a process that died never ends.
    for (const worker of workers) void worker.stop();
    await desk.worker.stop();
  });
  const desk: Desk = {
    clock,
    store,
    chat,
    log,
    worker: next(),
    next,
    async post(orderKey, text, more = {}) {
      await enqueue(store, clock, { kind: 'post', orderKey, to: here, message: line(text), ...more });
    },
    async edit(orderKey, target, text) {
      await enqueue(store, clock, { kind: 'edit', orderKey, target, message: card(text) });
    },
    settle: () => desk.worker.idle(),
    async pass(ms) {
      await clock.advance(ms);
      await desk.worker.idle();
    },
    states: async () =>
      (await store.selectFrom('outbox').select('state').orderBy('id').execute()).map(({ state }) => state),
  };
  return desk;
}

/** Moves time on, a step at a time, until everything is sent or given up. */
export async function drained(desk: Desk, stepMs: number): Promise<void> {
  for (;;) {
    const states = await until(async () => {
      const now = await desk.states();
      const resting = !now.includes('leased') && (!now.includes('pending') || desk.clock.pending > 0);
      return resting ? now : undefined;
    }, 'the outbox to rest');
    if (!states.includes('pending')) return;
    await desk.clock.advance(stepMs);
  }
}
