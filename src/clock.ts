/**
 * Time, passed in. Everything that waits or asks what time it is takes a `Clock`,
 * so that tests move time by hand instead of sleeping.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds from some beginning that nobody sets back, as the machine's time of day may be; else `now` is. */
  steady?(): number;
  /** Calls `run` once after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** As far the clocks of two machines may be apart, in milliseconds: what one wrote down is no mistake to the other. */
export const CLOCKS_APART_MS = 60_000;

/**
 * A stored time beyond this (both epoch ms) was written by a clock that was hours ahead. It says nothing, and nobody
 * waits for it. `ahead` is how far ahead in milliseconds such a time may well be.
 */
export function farthest(now: number, ahead = 0): number {
  return now + ahead + CLOCKS_APART_MS;
}

/** The age of what was stored at a time, in milliseconds; of what a clock wrote that was hours ahead: for ever. */
export function ageOf(at: number, now: number): number {
  return at > farthest(now) ? Number.POSITIVE_INFINITY : now - at;
}

/**
 * Tells how long ago it was begun, in milliseconds. The longer of both: time of day may be set back, and steady time may
 * stand still while the machine sleeps.
 */
export function stopwatch(clock: Clock): () => number {
  const from = { now: clock.now(), steady: steadyNow(clock) };
  return () => Math.max(clock.now() - from.now, steadyNow(clock) - from.steady);
}

/** The clock's steady time, where it has one. */
export function steadyNow(clock: Clock): number {
  return clock.steady?.() ?? clock.now();
}

/** Resolves after `ms` milliseconds of `clock`; rejects with the signal's reason when aborted. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    const abort = () => {
      cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** What `work` resolves with, or undefined when that takes longer than `ms` milliseconds; it then goes on unwatched. */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  let cancel = (): void => undefined;
  const limit = new Promise<undefined>((resolve) => {
    // Where it was this process that was held up, `work` has come to its end as well, and is seen first.
    cancel = clock.after(ms, () => setImmediate(() => resolve(undefined)));
  });
  return await Promise.race([work, limit]).finally(() => cancel());
}

/** Between two lines about the same. */
const QUIET_MS = 60_000;

/**
 * For what anybody can cause as often as they like: counts, and gives the number since the last line when it is time
 * for the next, once a minute at most.
 */
export function seldom(clock: Clock): () => number | undefined {
  let count = 0;
  let quietUntil = Number.NEGATIVE_INFINITY;
  return () => {
    count += 1;
    if (steadyNow(clock) < quietUntil) return undefined;
    const told = count;
    count = 0;
    quietUntil = steadyNow(clock) + QUIET_MS;
    return told;
  };
}
