/**
 * Time, passed in. All code that waits or reads the time takes a `Clock`, so that tests move time instead of
 * sleeping.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /**
   * Milliseconds from some beginning. A steady clock is never set back, unlike the machine's time of day; without
   * `steady`, `now` takes its place.
   */
  steady?(): number;
  /** Calls `run` once after `ms` milliseconds; the returned function cancels the call. */
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

/** How far the clocks of two machines may be apart, in milliseconds: a stored time this far ahead is no mistake. */
export const CLOCKS_APART_MS = 60_000;

/**
 * A stored time beyond this (both epoch ms) was written by a clock that was hours ahead, and counts for nothing.
 * `ahead` is how many milliseconds the stored time may rightly lie ahead.
 */
export function farthest(now: number, ahead = 0): number {
  return now + ahead + CLOCKS_APART_MS;
}

/** The age of a stored time, in milliseconds; infinite for a time that a clock hours ahead has written. */
export function ageOf(at: number, now: number): number {
  return at > farthest(now) ? Number.POSITIVE_INFINITY : now - at;
}

/**
 * Returns a function that tells the milliseconds since now. By the longer of two measures: time of day may be set
 * back, and steady time may stand still while the machine sleeps.
 */
export function stopwatch(clock: Clock): () => number {
  const from = { now: clock.now(), steady: steadyNow(clock) };
  return () => Math.max(clock.now() - from.now, steadyNow(clock) - from.steady);
}

/** The clock's steady time; without it, the time of day. */
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

/** Resolves as `work` does, or with undefined after `ms` milliseconds; `work` then goes on, and its end is ignored. */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  let cancel = (): void => undefined;
  const limit = new Promise<undefined>((resolve) => {
    // If this process itself was held up, `work` may have ended as well, and then comes first.
    cancel = clock.after(ms, () => setImmediate(() => resolve(undefined)));
  });
  return await Promise.race([work, limit]).finally(() => cancel());
}

/** The least time between two log lines about the same event. */
const QUIET_MS = 60_000;

/**
 * For log lines about events that strangers can cause as often as they like. Counts the calls; once a minute at most
 * returns the number of calls since the last line, otherwise undefined.
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
