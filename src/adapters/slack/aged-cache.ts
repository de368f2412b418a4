import { LRUCache } from 'lru-cache';
import { type Clock, stopwatch } from '../../clock.ts';

interface Known<T> {
  readonly value: T;
  /** Since the question was sent: what it answers may have changed right after. */
  readonly ageMs: () => number;
}

interface Asking<T> {
  readonly answer: Promise<T>;
  readonly ageMs: () => number;
}

const KEYS = 2000;

/** Remembers answers by key, each with its age. Questions asked at the same time are asked once. */
export class AgedCache<T> {
  readonly #clock: Clock;
  readonly #ask: (key: string) => Promise<T>;
  readonly #known = new LRUCache<string, Known<T>>({ max: KEYS });
  readonly #asking = new Map<string, Asking<T>>();

  constructor(clock: Clock, ask: (key: string) => Promise<T>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** An answer at most `maxAge` ms old; when asking fails, one at most `staleAge` ms old. Throws what asking threw. */
  async get(key: string, { maxAge, staleAge }: { maxAge: number; staleAge: number }): Promise<T> {
    const known = this.#known.get(key);
    if (known && known.ageMs() <= maxAge) return known.value;
    try {
      const asking = this.#asking.get(key);
      return await (asking && asking.ageMs() <= maxAge ? asking.answer : this.#askNow(key));
    } catch (error) {
      const stale = this.#known.get(key);
      if (stale && stale.ageMs() <= staleAge) return stale.value;
      throw error;
    }
  }

  forget(key: string): void {
    this.#known.delete(key);
    this.#asking.delete(key);
  }

  async #askNow(key: string): Promise<T> {
    const asking = { ageMs: stopwatch(this.#clock), answer: this.#ask(key) };
    this.#asking.set(key, asking);
    try {
      const value = await asking.answer;
      if (this.#asking.get(key) === asking) this.#known.set(key, { value, ageMs: asking.ageMs });
      return value;
    } finally {
      if (this.#asking.get(key) === asking) this.#asking.delete(key);
    }
  }
}
