import type { Clock } from '../clock.ts';
import type { Lane } from './waiting-calls.ts';

/** A window of one second is closed at both ends, and timers may fire a millisecond early. */
export const WINDOW_MS = 1_005;

/**
 * Edgegap counts a request at the arrival, which is some moment between leaving and the answer. So the permit stays
 * in the window from the answer on. When an answer is slow for another reason (a server is being allocated), the
 * permit counts from this long after the request left.
 */
export const TRAVEL_MS = 500;

/**
 * A request leaves within this time after its permit was taken, or waits for another permit. The permit of a process
 * that died comes back by itself.
 */
export const LEAVE_MS = 2_000;

/**
 * No permit is held for longer: a request that leaves at the last moment arrives a travel later, and counts for a
 * window from then. A permit that seems to be held for longer was taken before the clock was set back.
 */
export const HELD_MS = LEAVE_MS + TRAVEL_MS + WINDOW_MS;

/** Longest `pause`. */
export const MAX_PAUSE_MS = 30_000;

/** A permit: the right to send a request now. A permit takes a slot in a bucket's window. */
export interface Permit {
  /** When the permit was taken, by this machine's clock, in epoch milliseconds; may be earlier, never later. */
  readonly takenAt: number;
  /** The request has arrived by now, if ever: the permit comes back a window from now. */
  count(): void;
  /** No request was sent: the permit is free again. */
  unused(): void;
}

export interface PermitRequest {
  lane: Lane;
  /** How many permits at most. */
  wanted: number;
  /** The bucket's limit in any one second. */
  limit: number;
}

export interface PermitGrant {
  permits: Permit[];
  /** When to ask again, in milliseconds, if fewer permits were free than wanted. */
  waitMs: number;
}

/** Gives out the permits of the buckets with a documented limit. */
export interface Permits {
  /** Takes the permits that are free now. Rejects with an AppError when no permits can be had. */
  take(bucket: string, wish: PermitRequest): Promise<PermitGrant>;
  /** Gives out no permit of `bucket` for `ms` milliseconds, at most `MAX_PAUSE_MS`. */
  pause(bucket: string, ms: number): Promise<void>;
}

/**
 * Pauses every bucket at the start: the last requests of a process that has just died may still be on their way, and
 * count at Edgegap.
 */
export async function waitOut(permits: Permits, buckets: readonly string[]): Promise<void> {
  for (const bucket of buckets) await permits.pause(bucket, TRAVEL_MS + WINDOW_MS);
}

interface Bucket {
  pausedUntil: number;
  /** When each permit is free. */
  readonly freeAt: number[];
}

/** Permits of one process that has the account's limits to itself. */
export class MemoryPermits implements Permits {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async take(name: string, { wanted, limit }: PermitRequest): Promise<PermitGrant> {
    const now = this.#clock.now();
    const bucket = this.#bucket(name);
    const { freeAt } = bucket;
    while (freeAt.length < limit) freeAt.push(now);
    const pauseMs = ahead(bucket.pausedUntil, now, MAX_PAUSE_MS);
    const permits: Permit[] = [];
    let earliestMs = WINDOW_MS;
    for (let slot = 0; slot < limit && permits.length < wanted; slot++) {
      const busyMs = ahead(freeAt[slot] ?? now, now, HELD_MS);
      if (busyMs === 0 && pauseMs === 0) permits.push(this.#permit(freeAt, slot));
      // A permit that is taken now comes back a window from now at the earliest.
      else earliestMs = Math.min(earliestMs, busyMs);
    }
    return { permits, waitMs: Math.max(earliestMs, pauseMs) };
  }

  async pause(name: string, ms: number): Promise<void> {
    const bucket = this.#bucket(name);
    const now = this.#clock.now();
    // Pauses overlap; the last pause to end opens the bucket.
    bucket.pausedUntil = now + Math.max(ahead(bucket.pausedUntil, now, MAX_PAUSE_MS), ms);
  }

  #permit(freeAt: number[], slot: number): Permit {
    const takenAt = this.#clock.now();
    const until = takenAt + HELD_MS;
    freeAt[slot] = until;
    const back = (at: number) => {
      // Otherwise the permit came back by itself, and belongs to another call now.
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

/** Milliseconds until `time`. 0 also when `time` is more than `most` away: then the clock was set back since. */
function ahead(time: number, now: number, most: number): number {
  const ms = time - now;
  return ms > 0 && ms <= most ? ms : 0;
}
