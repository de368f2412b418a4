import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../../src/clock.ts';

/**
 * A clock that only the test moves. Timers run in the order of their times. Timers with the same time run in the order
 * of their creation.
 */
export class TestClock implements Clock {
  #now: number;
  #set = 0;
  #timers: { at: number; run: () => void }[] = [];
  #busy: (() => Promise<void> | boolean)[] = [];

  constructor(start = Date.UTC(2026, 2, 3, 16, 0, 0)) {
    this.#now = start;
  }

  now(): number {
    return this.#now + this.#set;
  }

  steady(): number {
    return this.#now;
  }

  /** Moves the time of day by `ms`, forward or back. Timers are not affected. */
  set(ms: number): void {
    this.#set += ms;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /**
   * Stops the time while `busy` returns true. If `busy` returns a promise, the time stands still until the promise
   * resolves.
   */
  waitFor(busy: () => Promise<void> | boolean): void {
    this.#busy.push(busy);
  }

  /** The number of waiting timers. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves the time by `ms` and runs the due timers. The promises of each timer settle before the next timer runs. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await this.#rest();
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = end;
    await this.#rest();
  }

  /** Moves the time by `ms` in a single step, like a sleep of the machine. The due timers run afterwards. */
  async leap(ms: number): Promise<void> {
    this.#now += ms;
    await this.advance(0);
  }

  async #rest(): Promise<void> {
    await turn();
    for (;;) {
      const busy = this.#busy.map((isBusy) => isBusy()).find(Boolean);
      if (!busy) return;
      await busy;
      await turn();
    }
  }
}

/** Waits some turns of the event loop, so that promises settle and sockets receive data. */
export async function turn(times = 3): Promise<void> {
  for (let i = 0; i < times; i++) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * In its first phase, `until` calls `probe` this many times, once in each turn of the event loop. After that, `until`
 * waits between two calls.
 */
const HASTY_LOOKS = 50;
/** The longest wait of `until` between two calls of `probe`, in real milliseconds. */
const LONGEST_PAUSE_MS = 5;
/** Each wait of `until` is at most the time since the first call, divided by this number. */
const PAUSE_SHARE = 50;

/**
 * Waits for an event from a socket or an SDK. Calls `probe` until `probe` returns a truthy value. The first calls
 * happen in successive turns of the event loop. The longer the wait lasts, the rarer the calls, because a call can cost
 * a request. The time limit is in real milliseconds, and matters only if a test fails.
 */
export async function until<T>(
  probe: () => T | Promise<T>,
  what: string | (() => string) = 'the expected state',
  limitMs = 50_000,
): Promise<NonNullable<T>> {
  const began = Date.now();
  for (let look = 1; ; look++) {
    const value = await probe();
    if (value) return value;
    const waited = Date.now() - began;
    if (waited > limitMs) throw new Error(`Waited in vain for ${typeof what === 'string' ? what : what()}`);
    await (look <= HASTY_LOOKS ? turn(1) : setTimeout(Math.min(LONGEST_PAUSE_MS, waited / PAUSE_SHARE)));
  }
}
