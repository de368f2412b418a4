import type { Clock } from '../clock.ts';
import { Lanes, type Turn } from './lanes.ts';
import { LEAVE_MS, MAX_PAUSE_MS, MemoryPlaces, type Place, type Places, TRAVEL_MS } from './places.ts';

/** Requests a second that Edgegap documents; `deploy` 40, `status` 20, `list` 10, `hosts` 10. */
export interface Limits {
  deploy: number;
  status: number;
  list: number;
  hosts: number;
}

export const DOCUMENTED_LIMITS: Limits = { deploy: 40, status: 20, list: 10, hosts: 10 };

/** Endpoints without a documented limit: how many of one kind may be under way at once, in each process. */
const CONCURRENT = 16;

/**
 * `left` is to be called when the request leaves; what was answered has left too. Where it throws, the request must not
 * leave: the call rejects with what it threw, and is begun again in a new place.
 */
type ScheduledCall<T> = (left: () => void) => Promise<T>;

interface Bucket {
  run<T>(turn: Turn, call: ScheduledCall<T>): Promise<T>;
  pause(ms: number): Promise<void>;
}

/**
 * Holds the account's rate limits. Each bucket has a number of places; a call takes one, in order of
 * arrival within its lane, people first, and a rate-limited place comes back only when the second that
 * it counts in is over. So in no one-second window do more calls arrive than the limit.
 */
export class Scheduler {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #places: Places;
  readonly #buckets = new Map<string, Bucket>();

  /** `places` are this process's own unless they are given. */
  constructor(clock: Clock, limits: Partial<Limits> = {}, places: Places = new MemoryPlaces(clock)) {
    this.#clock = clock;
    this.#limits = { ...DOCUMENTED_LIMITS, ...limits };
    this.#places = places;
  }

  /**
   * Runs `call` when it is its turn in `bucket` ('deploy', 'status', 'list', 'hosts', or any other name for
   * what has no documented limit); again, where it did not get to leave in time. Rejects with the signal's reason when aborted while waiting, and with what
   * the places say when they cannot be had; `call` was not begun then. It has to heed the signal itself after that.
   */
  run<T>(bucket: string, turn: Turn, call: ScheduledCall<T>): Promise<T> {
    return this.#bucket(bucket).run(turn, call);
  }

  /** Starts nothing in `bucket` for `ms` milliseconds, at most `MAX_PAUSE_MS`: Edgegap said that it was too much. */
  pause(bucket: string, ms: number): Promise<void> {
    return this.#bucket(bucket).pause(Math.min(ms, MAX_PAUSE_MS));
  }

  #bucket(name: string): Bucket {
    let bucket = this.#buckets.get(name);
    if (!bucket) {
      const limit = Object.hasOwn(this.#limits, name) ? this.#limits[name as keyof Limits] : undefined;
      bucket =
        limit === undefined
          ? new OpenBucket(this.#clock)
          : new RatedBucket(this.#clock, this.#places, name, limit);
      this.#buckets.set(name, bucket);
    }
    return bucket;
  }
}

/** Without a rate: so many at once. */
class OpenBucket implements Bucket {
  readonly #clock: Clock;
  readonly #lanes = new Lanes<undefined>(() => this.#serve());
  #free = CONCURRENT;
  #pauses = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  run<T>(turn: Turn, call: ScheduledCall<T>): Promise<T> {
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
    // Pauses overlap; the last one to end opens the bucket.
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

/** So much was in the way (no free connection, a machine that stood still) that the place may be another call's. */
class PlaceGone extends Error {}

class RatedBucket implements Bucket {
  readonly #clock: Clock;
  readonly #places: Places;
  readonly #name: string;
  readonly #limit: number;
  readonly #lanes = new Lanes<Place>(() => this.#changed());
  #serving = false;
  /** Ends the wait for a place where it is of no more use. */
  #reconsider = () => {};

  constructor(clock: Clock, places: Places, name: string, limit: number) {
    this.#clock = clock;
    this.#places = places;
    this.#name = name;
    this.#limit = limit;
  }

  async run<T>(turn: Turn, call: ScheduledCall<T>): Promise<T> {
    for (;;) {
      try {
        return await this.#lanes.wait(turn, (place) => this.#in(place, call));
      } catch (error) {
        if (!(error instanceof PlaceGone)) throw error;
      }
    }
  }

  async #in<T>(place: Place, call: ScheduledCall<T>): Promise<T> {
    let counted = false;
    let cancel = () => {};
    const count = () => {
      cancel();
      if (!counted) place.count();
      counted = true;
    };
    try {
      return await call(() => {
        const age = this.#clock.now() - place.takenAt;
        // A clock that was set back meanwhile does not say how old it is.
        if (age > LEAVE_MS || age < 0) throw new PlaceGone();
        cancel();
        cancel = this.#clock.after(TRAVEL_MS, count);
      });
    } finally {
      count();
    }
  }

  pause(ms: number): Promise<void> {
    return this.#places.pause(this.#name, ms);
  }

  #changed(): void {
    this.#reconsider();
    void this.#serve();
  }

  /** Asks for places for as long as somebody waits: once at a time, for all that wait then. */
  async #serve(): Promise<void> {
    if (this.#serving) return;
    this.#serving = true;
    try {
      for (let lane = this.#lanes.next; lane; lane = this.#lanes.next) {
        const wanted = this.#lanes.count(lane);
        const wish = { lane, wanted, limit: this.#limit };
        const { places, waitMs } = await this.#places.take(this.#name, wish);
        for (const place of places) if (!this.#lanes.begin(place, lane)) place.unused();
        if (places.length < wanted && this.#lanes.next === lane) await this.#wait(waitMs);
      }
    } catch (error) {
      this.#lanes.refuseAll(error);
    } finally {
      this.#serving = false;
    }
  }

  /** Until `ms` have passed, nobody waits any more, or a person comes where only background work waited. */
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
