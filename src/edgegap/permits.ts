import type { Clock } from '../clock.ts';
import type { Lane } from './waiting-calls.ts';

/**
 * The length of a window. The window is slightly longer than a second for two reasons: Edgegap's limits hold for every
 * second including both of its ends, and timers may fire a millisecond early.
 */
export const WINDOW_MS = 1_005;

/**
 * Edgegap counts a request at the moment when the request arrives. This moment lies between the leaving of the request
 * and its answer, and the bot does not know it exactly. Therefore the window of a permit starts at the answer. If the
 * answer takes longer than TRAVEL_MS (for example because a server is being allocated), the window starts TRAVEL_MS
 * after the request was sent.
 */
export const TRAVEL_MS = 500;

/**
 * A request must leave within this time after its permit was taken. If the request leaves later, it needs a new permit.
 * This is why the permits of a dead process become free by themselves.
 */
export const LEAVE_MS = 2_000;

/**
 * The longest time for which a permit is held. A request that leaves at the last moment (LEAVE_MS) arrives at most
 * TRAVEL_MS later, and counts for a window from then on. If a permit seems to be held for longer, the clock was set
 * back after the permit was taken.
 */
export const HELD_MS = LEAVE_MS + TRAVEL_MS + WINDOW_MS;

/** The longest time that `pause` accepts. */
export const MAX_PAUSE_MS = 30_000;

/** The right to send a request now. A bucket has a limited number of permits. A permit is taken until it is held no longer (`HELD_MS`). */
export interface Permit {
  /**
   * The time at which the permit was taken, by this machine's clock, in epoch milliseconds. The permit may have been
   * taken a little later, but never earlier.
   */
  readonly takenAt: number;
  /** Says that the request has arrived by now, or will never arrive. The permit becomes free after one more window. */
  count(): void;
  /** Says that no request was sent. The permit becomes free at once. */
  unused(): void;
}

export interface PermitRequest {
  lane: Lane;
  /** The maximum number of permits to take. */
  wanted: number;
  /** How many permits of the bucket this lane may hold in any second. */
  limit: number;
}

export interface PermitGrant {
  permits: Permit[];
  /** How many milliseconds to wait before asking again, if fewer permits were free than wanted. */
  waitMs: number;
}

/** Gives out permits for the buckets with a documented limit. */
export interface Permits {
  /** Takes permits that are free now. Rejects with an AppError if no permit can be taken. */
  take(bucket: string, wish: PermitRequest): Promise<PermitGrant>;
  /** Stops giving out permits of `bucket` for `ms` milliseconds, at most `MAX_PAUSE_MS`. */
  pause(bucket: string, ms: number): Promise<void>;
}

/**
 * Pauses every bucket when a process starts. The last requests of a process that has just died may still be on their
 * way, and Edgegap will count them.
 */
export async function waitOut(permits: Permits, buckets: readonly string[]): Promise<void> {
  for (const bucket of buckets) await permits.pause(bucket, TRAVEL_MS + WINDOW_MS);
}

interface Bucket {
  pausedUntil: number;
  /** The time at which each permit becomes free. */
  readonly freeAt: number[];
}

/** Permits for a process that does not share the limits of the account with any other process. */
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
      // A permit that is in use may become free earlier than the stored time, but after a window at the earliest.
      else earliestMs = Math.min(earliestMs, busyMs);
    }
    return { permits, waitMs: Math.max(earliestMs, pauseMs) };
  }

  async pause(name: string, ms: number): Promise<void> {
    const bucket = this.#bucket(name);
    const now = this.#clock.now();
    // Pauses may overlap. The bucket opens when the last of them ends.
    bucket.pausedUntil = now + Math.max(ahead(bucket.pausedUntil, now, MAX_PAUSE_MS), ms);
  }

  #permit(freeAt: number[], slot: number): Permit {
    const takenAt = this.#clock.now();
    const until = takenAt + HELD_MS;
    freeAt[slot] = until;
    const back = (at: number) => {
      // If `freeAt` has changed, the permit became free by itself, and now belongs to another call.
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

/**
 * The milliseconds until `time`. The result is 0 if `time` is in the past. It is also 0 if `time` is more than `most`
 * away, because this happens only if the clock was set back after `time` was stored.
 */
function ahead(time: number, now: number, most: number): number {
  const ms = time - now;
  return ms > 0 && ms <= most ? ms : 0;
}
