import type { Clock } from '../clock.ts';
import type { Lane } from './waiting-calls.ts';

/**
 * The length of a window. The window is slightly longer than a second for two reasons. Edgegap's limits include both
 * ends of each second, and timers may fire a millisecond early.
 */
export const WINDOW_MS = 1_005;

/**
 * Edgegap counts a request at its arrival. The arrival lies between the sending of the request and its answer, and the
 * bot does not know the exact time. Therefore the window of a permit starts at the answer. If the answer takes longer
 * than TRAVEL_MS (for example because Edgegap allocates a server), the window starts TRAVEL_MS after the request was
 * sent.
 */
export const TRAVEL_MS = 500;

/**
 * The time within which a request must be sent after its permit was taken. A later request needs a new permit.
 * Therefore the permits of a dead process become free after a fixed time.
 */
export const LEAVE_MS = 2_000;

/**
 * The maximum time for which a permit is in use. A request that is sent at the last moment (LEAVE_MS) arrives at most
 * TRAVEL_MS later, and counts for one window after its arrival. If a permit seems to be in use for longer, the clock
 * was set back after the permit was taken.
 */
export const HELD_MS = LEAVE_MS + TRAVEL_MS + WINDOW_MS;

/** The maximum time that `pause` accepts. */
export const MAX_PAUSE_MS = 30_000;

/**
 * The right to send a request now. A bucket has a limited number of permits. A permit is in use for at most `HELD_MS`.
 */
export interface Permit {
  /**
   * The time in epoch milliseconds at which the permit was taken, by this machine's clock. The permit may have been
   * taken slightly later, but never earlier.
   */
  readonly takenAt: number;
  /** Reports that the request has arrived or will never arrive. The permit becomes free after one more window. */
  count(): void;
  /** Reports that no request was sent. The permit becomes free at once. */
  unused(): void;
}

export interface PermitRequest {
  lane: Lane;
  /** The maximum number of permits to take. */
  wanted: number;
  /** How many permits of the bucket this lane may use in any second. */
  limit: number;
}

export interface PermitGrant {
  permits: Permit[];
  /** If fewer permits were free than wanted, how many milliseconds to wait before the next request for permits. */
  waitMs: number;
}

/** Grants permits for the buckets with a documented limit. */
export interface Permits {
  /** Takes the wanted permits that are free now. Rejects with an AppError if the permits cannot be read. */
  take(bucket: string, wish: PermitRequest): Promise<PermitGrant>;
  /** Grants no permits of `bucket` for `ms` milliseconds, at most `MAX_PAUSE_MS`. */
  pause(bucket: string, ms: number): Promise<void>;
}

/**
 * Pauses every bucket when a process starts. The last requests of a process that has just died may still arrive, and
 * Edgegap will count them.
 */
export async function waitOut(permits: Permits, buckets: readonly string[]): Promise<void> {
  for (const bucket of buckets) await permits.pause(bucket, TRAVEL_MS + WINDOW_MS);
}

interface Bucket {
  pausedUntil: number;
  /** The time at which each permit becomes free. */
  readonly freeAt: number[];
}

/** Permits for a process that shares the account's limits with no other process. */
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
      // A permit in use may become free before the stored time, but at the earliest after one window.
      else earliestMs = Math.min(earliestMs, busyMs);
    }
    return { permits, waitMs: Math.max(earliestMs, pauseMs) };
  }

  async pause(name: string, ms: number): Promise<void> {
    const bucket = this.#bucket(name);
    const now = this.#clock.now();
    // Pauses may overlap. The bucket opens at the end of the latest pause.
    bucket.pausedUntil = now + Math.max(ahead(bucket.pausedUntil, now, MAX_PAUSE_MS), ms);
  }

  #permit(freeAt: number[], slot: number): Permit {
    const takenAt = this.#clock.now();
    const until = takenAt + HELD_MS;
    freeAt[slot] = until;
    const back = (at: number) => {
      // If `freeAt` has changed, the permit had expired and now belongs to a different call.
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
 * Returns the milliseconds until `time`, or 0 if `time` is in the past. Also returns 0 if `time` is more than `most`
 * away, because this happens only if the clock was set back after `time` was stored.
 */
function ahead(time: number, now: number, most: number): number {
  const ms = time - now;
  return ms > 0 && ms <= most ? ms : 0;
}
