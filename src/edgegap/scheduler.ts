import type { Clock } from '../clock.ts';

/** Whose work it is. People always go before background work, in every bucket. */
export type Lane = 'people' | 'background';

/** Requests a second that Edgegap documents; `deploy` 40, `status` 20, `list` 10. */
export interface Limits {
  deploy: number;
  status: number;
  list: number;
}

export const DOCUMENTED_LIMITS: Limits = { deploy: 40, status: 20, list: 10 };

/** Endpoints without a documented limit: how many of one kind may be under way at once. */
const CONCURRENT = 16;

/** A window is closed at both ends, and timers may fire a millisecond early. */
const WINDOW_MS = 1_005;

/**
 * The limit is counted where requests arrive, not where they leave. A request arrives at some moment
 * between leaving and being answered, so its place in the window is held from the answer on; an answer
 * that is slow for another reason (a server is being allocated) is not waited for longer than this.
 */
const TRAVEL_MS = 250;

export interface Turn {
  lane: Lane;
  signal?: AbortSignal | undefined;
}

/**
 * Holds the account's rate limits. Each bucket has a number of places; a call takes one, in order of
 * arrival within its lane, people first, and a rate-limited place comes back only when the second that
 * it counts in is over. So in no one-second window do more calls arrive than the limit.
 */
export class Scheduler {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, limits: Partial<Limits> = {}) {
    this.#clock = clock;
    this.#limits = { ...DOCUMENTED_LIMITS, ...limits };
  }

  /**
   * Runs `call` when it is its turn in `bucket` ('deploy', 'status', 'list', or any other name for
   * what has no documented limit). Rejects with the signal's reason when aborted while waiting; `call`
   * itself has to heed the signal after that.
   */
  async run<T>(bucket: string, turn: Turn, call: () => Promise<T>): Promise<T> {
    const done = await this.#bucket(bucket).take(turn);
    try {
      return await call();
    } finally {
      done();
    }
  }

  /** Starts nothing in `bucket` for `ms` milliseconds: Edgegap said that it was too much. */
  pause(bucket: string, ms: number): void {
    this.#bucket(bucket).pause(ms);
  }

  #bucket(name: string): Bucket {
    let bucket = this.#buckets.get(name);
    if (!bucket) {
      const perSecond = Object.hasOwn(this.#limits, name) ? this.#limits[name as keyof Limits] : undefined;
      bucket = new Bucket(this.#clock, perSecond ?? CONCURRENT, perSecond !== undefined);
      this.#buckets.set(name, bucket);
    }
    return bucket;
  }
}

class Bucket {
  readonly #clock: Clock;
  readonly #rated: boolean;
  readonly #waiting: Record<Lane, (() => void)[]> = { people: [], background: [] };
  #free: number;
  #pauses = 0;

  constructor(clock: Clock, places: number, rated: boolean) {
    this.#clock = clock;
    this.#free = places;
    this.#rated = rated;
  }

  /** Resolves when it is this call's turn, to a function to be called once it has been answered. */
  take({ lane, signal }: Turn): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const queue = this.#waiting[lane];
      const abort = () => {
        queue.splice(queue.indexOf(start), 1);
        reject(signal?.reason);
      };
      const start = () => {
        signal?.removeEventListener('abort', abort);
        resolve(this.#occupy());
      };
      signal?.addEventListener('abort', abort, { once: true });
      queue.push(start);
      this.#next();
    });
  }

  pause(ms: number): void {
    // Pauses overlap; the last one to end opens the bucket.
    this.#pauses++;
    this.#clock.after(ms, () => {
      this.#pauses--;
      this.#next();
    });
  }

  #next(): void {
    while (this.#free > 0 && this.#pauses === 0) {
      const start = this.#waiting.people.shift() ?? this.#waiting.background.shift();
      if (!start) return;
      start();
    }
  }

  #occupy(): () => void {
    this.#free--;
    const giveBack = () => {
      this.#free++;
      this.#next();
    };
    if (!this.#rated) return giveBack;
    let counted = false;
    const count = () => {
      if (counted) return;
      counted = true;
      cancel();
      this.#clock.after(WINDOW_MS, giveBack);
    };
    const cancel = this.#clock.after(TRAVEL_MS, count);
    return count;
  }
}
