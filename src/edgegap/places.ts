import type { Clock } from '../clock.ts';
import type { Lane } from './lanes.ts';

/** A window is closed at both ends, and timers may fire a millisecond early. */
export const WINDOW_MS = 1_005;

/**
 * The limit is counted where requests arrive, not where they leave. A request arrives at some moment
 * between leaving and being answered, so its place in the window is held from the answer on; an answer
 * that is slow for another reason (a server is being allocated) is not waited for longer than this.
 */
export const TRAVEL_MS = 500;

/**
 * A request leaves within this after it got its place, or waits for another one. If nothing more is heard of it (the
 * process died), it comes back.
 */
export const LEAVE_MS = 2_000;

/**
 * No place is held for longer: what leaves at the last moment arrives a travel later, and counts for a window from then.
 * One that seems to be was taken before the clock was set back.
 */
export const HELD_MS = LEAVE_MS + TRAVEL_MS + WINDOW_MS;

/** Longest `pause`. */
export const MAX_PAUSE_MS = 30_000;

/** A place in a bucket's window, for one request. */
export interface Place {
  /** When it was taken, by this machine's clock, in epoch milliseconds; never later than it was. */
  readonly takenAt: number;
  /** The request has arrived by now, if it ever does: the place comes back one window from now. */
  count(): void;
  /** Nothing was sent: the place is free again. */
  unused(): void;
}

export interface Wish {
  lane: Lane;
  /** How many at most. */
  wanted: number;
  /** Of the bucket, in any one second. */
  limit: number;
}

export interface Taken {
  places: Place[];
  /** Where there were fewer than wanted: when to ask again, in milliseconds. */
  waitMs: number;
}

/** Where the places of the buckets with a documented limit come from. */
export interface Places {
  /** Takes what is free now. Rejects with an AppError when nobody can say. */
  take(bucket: string, wish: Wish): Promise<Taken>;
  /** Gives out nothing of `bucket` for `ms` milliseconds, at most `MAX_PAUSE_MS`. */
  pause(bucket: string, ms: number): Promise<void>;
}

/** Begins as after a pause: what a process that died just now sent may still be on its way, and counts at Edgegap. */
export async function waitOut(places: Places, buckets: readonly string[]): Promise<void> {
  for (const bucket of buckets) await places.pause(bucket, TRAVEL_MS + WINDOW_MS);
}

interface Bucket {
  pausedUntil: number;
  /** When each place is free. */
  readonly freeAt: number[];
}

/** Places of one process that has the account's limits to itself. */
export class MemoryPlaces implements Places {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async take(name: string, { wanted, limit }: Wish): Promise<Taken> {
    const now = this.#clock.now();
    const bucket = this.#bucket(name);
    const { freeAt } = bucket;
    while (freeAt.length < limit) freeAt.push(now);
    const pauseMs = ahead(bucket.pausedUntil, now, MAX_PAUSE_MS);
    const places: Place[] = [];
    let earliestMs = WINDOW_MS;
    for (let slot = 0; slot < limit && places.length < wanted; slot++) {
      const busyMs = ahead(freeAt[slot] ?? now, now, HELD_MS);
      if (busyMs === 0 && pauseMs === 0) places.push(this.#place(freeAt, slot));
      // What is not counted yet cannot come back sooner than one window from now.
      else earliestMs = Math.min(earliestMs, busyMs);
    }
    return { places, waitMs: Math.max(earliestMs, pauseMs) };
  }

  async pause(name: string, ms: number): Promise<void> {
    const bucket = this.#bucket(name);
    const now = this.#clock.now();
    // Pauses overlap; the last one to end opens the bucket.
    bucket.pausedUntil = now + Math.max(ahead(bucket.pausedUntil, now, MAX_PAUSE_MS), ms);
  }

  #place(freeAt: number[], slot: number): Place {
    const takenAt = this.#clock.now();
    const until = takenAt + HELD_MS;
    freeAt[slot] = until;
    const back = (at: number) => {
      // Else it came back by itself, and is another call's now.
      if (freeAt[slot] === until) freeAt[slot] = at;
    };
    return {
      takenAt,
      count: () => back(this.#clock.now() + WINDOW_MS),
      unused: () => back(this.#clock.now()),
    };
  }

  #bucket(name: string): Bucket {
    let bucket = this.#buckets.get(name);
    if (!bucket) {
      bucket = { pausedUntil: Number.NEGATIVE_INFINITY, freeAt: [] };
      this.#buckets.set(name, bucket);
    }
    return bucket;
  }
}

/** Milliseconds until `time`; 0 also when it is further ahead than it can be, as the clock was set back since. */
function ahead(time: number, now: number, most: number): number {
  const ms = time - now;
  return ms > 0 && ms <= most ? ms : 0;
}
