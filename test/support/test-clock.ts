import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../../src/clock.ts';

/** A clock that moves only when told. Timers run in order of time; equal times in order of creation. */
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

  /** Moves the time of day by `ms`, forward or back; timers go on unchanged. */
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

  /** Time does not move while `busy` returns true, or until the promise that `busy` returns has resolved. */
  waitFor(busy: () => Promise<void> | boolean): void {
    this.#busy.push(busy);
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.length;
  }

  /**
   * Moves time on by `ms`, runs the timers that fall due, and lets each timer's promises settle before the next timer.
   */
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

  /** The same in a single leap, as when a machine has slept: timers that fall due run only then. */
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

/** Lets promises and the sockets that are ready run. */
export async function turn(times = 3): Promise<void> {
  for (let i = 0; i < times; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** How many looks `until` takes at once, before `until` leaves the processor to the other tasks between two looks. */
const HASTY_LOOKS = 50;
/** The longest pause between two looks, in real milliseconds. */
const LONGEST_PAUSE_MS = 5;
/** A pause takes at most one part in so many of the time that was waited already. */
const PAUSE_SHARE = 50;

/**
 * Waits for an event outside this process's own turn (a socket, an SDK): asks `probe` again until `probe` returns a
 * truthy value, first after each turn of the event loop, later every millisecond, and more rarely the longer the wait
 * lasts, as a look can cost a request. The limit, in real milliseconds, only decides when a failing test gives up.
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
