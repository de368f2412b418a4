/**
 * The source of time. All code that waits or reads the time receives a `Clock` as an argument, so that tests can
 * advance the time instead of waiting.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /**
   * Milliseconds since some fixed moment. Unlike the time of day, a steady clock is never set back. If a clock has no
   * `steady`, `now` is used instead.
   */
  steady?(): number;
  /** Calls `run` once after `ms` milliseconds. The returned function cancels the call. */
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

/**
 * The maximum accepted difference between the clocks of two machines, in milliseconds. A stored time that is this far
 * in the future is still accepted.
 */
export const CLOCKS_APART_MS = 60_000;

/**
 * Returns the latest stored time that is accepted (epoch ms). A later time was written by a clock that was hours ahead,
 * and is ignored. `ahead` is how many milliseconds the stored time may correctly be in the future.
 */
export function farthest(now: number, ahead = 0): number {
  return now + ahead + CLOCKS_APART_MS;
}

const MINUTES = { s: 1 / 60, m: 1, h: 60, d: 24 * 60, w: 7 * 24 * 60 } as const;

/**
 * Reads a duration such as `30m`, `2h`, `1h30m` or `2 days`, and returns it in milliseconds. Undefined if the text has
 * a different format. The duration may be zero.
 */
export function lengthIn(given: string): number | undefined {
  const text = given.trim().toLowerCase();
  const parts = [...text.matchAll(/(\d{1,9}(?:\.\d{1,3})?)\s*(w|d|h|m|s)[a-z]*[\s,]*/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) return undefined;
  const minutes = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * MINUTES[unit as keyof typeof MINUTES],
    0,
  );
  return Math.round(minutes * 60_000);
}

/** The age of a stored time, in milliseconds. Infinite if the time was written by a clock that was hours ahead. */
export function ageOf(at: number, now: number): number {
  return at > farthest(now) ? Number.POSITIVE_INFINITY : now - at;
}

/**
 * Returns a function that returns the number of milliseconds since this call. The result is the longer of two
 * measurements. The time of day may be set back, and steady time may stop while the machine is suspended.
 */
export function stopwatch(clock: Clock): () => number {
  const from = { now: clock.now(), steady: steadyNow(clock) };
  return () => Math.max(clock.now() - from.now, steadyNow(clock) - from.steady);
}

/** The clock's steady time, or the time of day if the clock has no steady time. */
export function steadyNow(clock: Clock): number {
  return clock.steady?.() ?? clock.now();
}

/** Resolves after `ms` milliseconds of `clock`. Rejects with the signal's reason when the signal is aborted. */
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

/**
 * Settles like `work`, or resolves with undefined after `ms` milliseconds. After a timeout, `work` continues, and its
 * result is ignored.
 */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  let cancel = (): void => undefined;
  const limit = new Promise<undefined>((resolve) => {
    // If this process was blocked, `work` may have ended in the meantime. Its result is then used despite the timeout.
    cancel = clock.after(ms, () => setImmediate(() => resolve(undefined)));
  });
  return await Promise.race([work, limit]).finally(() => cancel());
}

/** The minimum time between two log lines about the same kind of event. */
const QUIET_MS = 60_000;

/**
 * Limits the log lines about events that strangers can cause as often as they like. The returned function counts its
 * calls. At most once a minute, it returns the number of calls since the last log line. For all other calls, it returns
 * undefined.
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
