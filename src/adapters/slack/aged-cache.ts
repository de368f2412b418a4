import type { Clock } from '../../clock.ts';

interface Known<T> {
  readonly value: T;
  /** When the question was sent: what it answers may have changed right after. */
  readonly askedAt: number;
}

interface Asking<T> {
  readonly answer: Promise<T>;
  readonly askedAt: number;
}

const KEYS = 2000;

/** Remembers answers by key, each with its age. Questions asked at the same time are asked once. */
export class AgedCache<T> {
  readonly #clock: Clock;
  readonly #ask: (key: string) => Promise<T>;
  readonly #known = new Map<string, Known<T>>();
  readonly #asking = new Map<string, Asking<T>>();

  constructor(clock: Clock, ask: (key: string) => Promise<T>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** An answer at most `maxAge` ms old; when asking fails, one at most `staleAge` ms old. Throws what asking threw. */
  async get(key: string, { maxAge, staleAge }: { maxAge: number; staleAge: number }): Promise<T> {
    const known = this.#known.get(key);
    if (known && this.#age(known) <= maxAge) return known.value;
    try {
      const asking = this.#asking.get(key);
      return await (asking && this.#age(asking) <= maxAge ? asking.answer : this.#askNow(key));
    } catch (error) {
      const stale = this.#known.get(key);
      if (stale && this.#age(stale) <= staleAge) return stale.value;
      throw error;
    }
  }

  forget(key: string): void {
    this.#known.delete(key);
    this.#asking.delete(key);
  }

  async #askNow(key: string): Promise<T> {
    const asking = { answer: this.#ask(key), askedAt: this.#clock.now() };
    this.#asking.set(key, asking);
    try {
      const value = await asking.answer;
      if (this.#asking.get(key) === asking) this.#remember(key, { value, askedAt: asking.askedAt });
      return value;
    } finally {
      if (this.#asking.get(key) === asking) this.#asking.delete(key);
    }
  }

  #remember(key: string, known: Known<T>): void {
    this.#known.delete(key);
    this.#known.set(key, known);
    const oldest = this.#known.keys().next();
    if (this.#known.size > KEYS && !oldest.done) this.#known.delete(oldest.value);
  }

  #age({ askedAt }: { readonly askedAt: number }): number {
    return this.#clock.now() - askedAt;
  }
}
