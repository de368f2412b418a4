import type { Clock } from '../clock.ts';
import { LEAVE_MS, MAX_PAUSE_MS, MemoryPermits, type Permit, type Permits, TRAVEL_MS } from './permits.ts';
import { WaitingCalls, type WaitOptions } from './waiting-calls.ts';

/** The limits of the buckets, in requests a second. */
export interface RateLimits {
  deploy: number;
  status: number;
  list: number;
  hosts: number;
}

export const DOCUMENTED_LIMITS: RateLimits = { deploy: 40, status: 20, list: 10, hosts: 10 };

/**
 * Returns the documented limits, reduced to `percent`, because other programs use the same account. Each limit is at
 * least 1 per second.
 */
export function shareOfLimits(percent: number): RateLimits {
  const cut = (limit: number) => Math.max(1, Math.floor((limit * percent) / 100));
  const { deploy, status, list, hosts } = DOCUMENTED_LIMITS;
  return { deploy: cut(deploy), status: cut(status), list: cut(list), hosts: cut(hosts) };
}

/** The maximum number of concurrent requests of a process to endpoints without a documented limit. */
const CONCURRENT = 16;
/**
 * Background work leaves one quarter of the permits to people. Otherwise a person would wait up to a second while the
 * bot compares thousands of deployments.
 */
const LEFT_PART = 4;

/**
 * A function that sends a request, and calls `left` when the sending begins. If `left` throws, the function must not
 * send the request, and rejects with the same error. The scheduler then runs the function again with a new permit. A
 * request that received an answer counts as sent.
 */
type ScheduledCall<T> = (left: () => void) => Promise<T>;

interface Bucket {
  run<T>(turn: WaitOptions, call: ScheduledCall<T>): Promise<T>;
  pause(ms: number): Promise<void>;
}

/**
 * Enforces the rate limits of the account. Each bucket has a number of permits, and each call takes one permit. Calls
 * of people have priority, and background work never takes the last quarter of the permits. Calls of the same lane run
 * in order of arrival. Each request counts for a window of one second, and its permit becomes free at the end of the
 * window. Therefore the number of requests in any second never exceeds the limit.
 */
export class Scheduler {
  readonly #clock: Clock;
  readonly #limits: RateLimits;
  readonly #permits: Permits;
  readonly #buckets = new Map<string, Bucket>();

  /** By default, only this process uses the permits. */
  constructor(clock: Clock, limits: Partial<RateLimits> = {}, permits: Permits = new MemoryPermits(clock)) {
    this.#clock = clock;
    this.#limits = { ...DOCUMENTED_LIMITS, ...limits };
    this.#permits = permits;
  }

  /**
   * Waits for a permit of `bucket` and runs `call`. The bucket is 'deploy', 'status', 'list' or 'hosts', or any other
   * name for endpoints without a documented limit. If the request could not be sent in time, `call` runs again. If the
   * signal is aborted during the wait, `run` rejects with the signal's reason. If taking a permit fails, `run` rejects
   * with the error of `Permits.take`. In both cases, `call` has not started. After the start, `call` must watch the
   * signal itself.
   */
  run<T>(bucket: string, turn: WaitOptions, call: ScheduledCall<T>): Promise<T> {
    return this.#bucket(bucket).run(turn, call);
  }

  /**
   * Starts no call in `bucket` for `ms` milliseconds, at most `MAX_PAUSE_MS`. Used after Edgegap has answered that
   * requests come too fast.
   */
  pause(bucket: string, ms: number): Promise<void> {
    return this.#bucket(bucket).pause(Math.min(ms, MAX_PAUSE_MS));
  }

  #bucket(name: string): Bucket {
    let bucket = this.#buckets.get(name);
    if (!bucket) {
      const limit = Object.hasOwn(this.#limits, name) ? this.#limits[name as keyof RateLimits] : undefined;
      bucket =
        limit === undefined
          ? new OpenBucket(this.#clock)
          : new RatedBucket(this.#clock, this.#permits, name, limit);
      this.#buckets.set(name, bucket);
    }
    return bucket;
  }
}

/** A bucket without a rate limit. Only the number of concurrent calls is limited. */
class OpenBucket implements Bucket {
  readonly #clock: Clock;
  readonly #lanes = new WaitingCalls<undefined>(() => this.#serve());
  #free = CONCURRENT;
  #pauses = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  run<T>(turn: WaitOptions, call: ScheduledCall<T>): Promise<T> {
    return this.#lanes.wait(turn, async () => {
      this.#free--;
      try {
        return await call(() => undefined);
      } finally {
        this.#free++;
        this.#serve();
      }
    });
  }

  async pause(ms: number): Promise<void> {
    // Pauses may overlap. The bucket opens at the end of the latest pause.
    this.#pauses++;
    this.#clock.after(ms, () => {
      this.#pauses--;
      this.#serve();
    });
  }

  #serve(): void {
    while (this.#free > 0 && this.#pauses === 0 && this.#lanes.begin(undefined, 'background'));
  }
}

/**
 * Thrown if the request was not sent in time, because no connection was free or because the machine was suspended. The
 * permit may already belong to a different call.
 */
class PermitGone extends Error {}

class RatedBucket implements Bucket {
  readonly #clock: Clock;
  readonly #permits: Permits;
  readonly #name: string;
  readonly #limit: number;
  readonly #lanes = new WaitingCalls<Permit>(() => this.#changed());
  #serving = false;
  /** Ends the wait for a permit if the wait is no longer necessary. */
  #reconsider = () => {};

  constructor(clock: Clock, permits: Permits, name: string, limit: number) {
    this.#clock = clock;
    this.#permits = permits;
    this.#name = name;
    this.#limit = limit;
  }

  async run<T>(turn: WaitOptions, call: ScheduledCall<T>): Promise<T> {
    for (;;) {
      try {
        return await this.#lanes.wait(turn, (permit) => this.#in(permit, call));
      } catch (error) {
        if (!(error instanceof PermitGone)) throw error;
      }
    }
  }

  async #in<T>(permit: Permit, call: ScheduledCall<T>): Promise<T> {
    let counted = false;
    let cancel = () => {};
    const count = () => {
      cancel();
      if (!counted) permit.count();
      counted = true;
    };
    try {
      return await call(() => {
        const age = this.#clock.now() - permit.takenAt;
        // A negative age means that the clock was set back, so the true age is unknown.
        if (age > LEAVE_MS || age < 0) throw new PermitGone();
        cancel();
        cancel = this.#clock.after(TRAVEL_MS, count);
      });
    } finally {
      count();
    }
  }

  pause(ms: number): Promise<void> {
    return this.#permits.pause(this.#name, ms);
  }

  #changed(): void {
    this.#reconsider();
    void this.#serve();
  }

  /**
   * Requests permits while calls are waiting. Only one request for permits is open at a time. The request asks for as
   * many permits as calls are waiting.
   */
  async #serve(): Promise<void> {
    if (this.#serving) return;
    this.#serving = true;
    try {
      for (let lane = this.#lanes.next; lane; lane = this.#lanes.next) {
        const wanted = this.#lanes.count(lane);
        const left = lane === 'background' ? Math.floor(this.#limit / LEFT_PART) : 0;
        const wish = { lane, wanted, limit: this.#limit - left };
        const { permits, waitMs } = await this.#permits.take(this.#name, wish);
        for (const permit of permits) if (!this.#lanes.begin(permit, lane)) permit.unused();
        if (permits.length < wanted && this.#lanes.next === lane) await this.#wait(waitMs);
      }
    } catch (error) {
      this.#lanes.refuseAll(error);
    } finally {
      this.#serving = false;
    }
  }

  /**
   * Resolves after `ms` milliseconds. Resolves earlier if no calls are waiting any more, or if only background calls
   * were waiting and a person's call arrives.
   */
  async #wait(ms: number): Promise<void> {
    const lane = this.#lanes.next;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(ms, resolve);
      this.#reconsider = () => {
        if (this.#lanes.next === lane) return;
        cancel();
        resolve();
      };
    });
    this.#reconsider = () => {};
  }
}
