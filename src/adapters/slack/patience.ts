import { type Clock, sleep, stopwatch } from '../../clock.ts';
import { DeliveryError } from '../../errors.ts';
import { toDeliveryError } from './errors.ts';
import { PACE_MS } from './limits.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 10_000;
/** Added to each pause that Slack demands, because a timer may fire slightly too early. */
const EARLY_MS = 20;
/** People notice a wait that is longer than this. */
const NOTICED_MS = 2_000;

/** The longest time that a caller waits for Slack, and the person whom the bot tells about a long wait. */
export interface Wait {
  /** The longest wait in milliseconds, counted from the call of `inTurn`. */
  readonly patienceMs: number;
  /**
   * The person whom the bot tells about a long wait. If several calls for this person wait in the same lane (queue),
   * the bot calls `tell` only once.
   */
  readonly told?: { readonly person: string; tell(): void };
}

export type Patience = ReturnType<typeof createPatience>;

/** Repeats calls after temporary failures: an HTTP 429, an HTTP 5xx, a broken connection. */
export function createPatience(clock: Clock) {
  /**
   * The last call of each lane, as a promise. A lane is a queue of calls. When the call has ended, the promise resolves
   * to true if Slack has asked the bot to slow down, and otherwise to false.
   */
  const lanes = new Map<string, Promise<boolean>>();
  /** For each lane, the people who have been told that they have to wait. */
  const told = new Map<string, Set<string>>();
  const stopping = new AbortController();
  const { signal } = stopping;

  /**
   * Makes the calls of a lane one after the other, in the order in which they arrive. `attempt` must be safe to repeat,
   * and throws DeliveryError on failure. A permanent failure is thrown at once. After a temporary failure, `attempt` is
   * repeated until the caller's time is used up or the process stops. The failure is then thrown.
   */
  async function inTurn<T>(lane: string, wait: Wait, attempt: () => Promise<T>): Promise<T> {
    const { patienceMs } = wait;
    const spentMs = stopwatch(clock);

    function noticed(): void {
      if (!wait.told) return;
      const persons = told.get(lane) ?? new Set();
      told.set(lane, persons);
      if (!persons.has(wait.told.person)) wait.told.tell();
      persons.add(wait.told.person);
    }

    /** Waits for `ms`. Throws `why` if the caller has less time left, or if the process stops. */
    async function pause(ms: number, why: DeliveryError): Promise<void> {
      if (signal.aborted || spentMs() + ms >= patienceMs) throw why;
      if (spentMs() + ms > NOTICED_MS) noticed();
      await sleep(clock, ms, signal).catch(() => {
        throw why;
      });
    }

    /**
     * Makes the call after all earlier calls of the lane have ended. After an HTTP 429, repeats the call before any
     * later call of the lane.
     */
    async function takeTurn(): Promise<T> {
      const before = lanes.get(lane);
      const over = Promise.withResolvers<boolean>();
      const own = Promise.all([over.promise, before]).then(([slowed]) => slowed);
      lanes.set(lane, own);
      void own.then(() => lanes.get(lane) === own && lanes.delete(lane) && told.delete(lane));
      let slowed = false;
      try {
        if (before) {
          const cancel = clock.after(NOTICED_MS, noticed);
          slowed = await before.finally(cancel);
        }
        if (slowed || spentMs() > patienceMs) await pause(PACE_MS.post, tooBusy());
        for (;;) {
          try {
            return await attempt();
          } catch (error) {
            if (!(error instanceof DeliveryError) || error.retryAfterMs === undefined) throw error;
            slowed = true;
            await pause(error.retryAfterMs + EARLY_MS, error);
          }
        }
      } finally {
        over.resolve(slowed);
      }
    }

    for (let backoff = RETRY_FIRST_MS; ; backoff = Math.min(2 * backoff, RETRY_MAX_MS)) {
      try {
        return await (signal.aborted || patienceMs <= 0 ? attempt() : takeTurn());
      } catch (error) {
        const passes = error instanceof DeliveryError && error.retryable && error.retryAfterMs === undefined;
        if (!passes) throw error;
        // During this pause, other calls of the lane go first, because a message that makes Slack fail must not delay
        // the other messages.
        await pause(backoff, error);
      }
    }
  }

  /** After `stop`, calls that are waiting fail at once, and new calls are tried only once. */
  const stop = () => stopping.abort();

  return { inTurn, stop };
}

/**
 * Makes an attempt safe to repeat. If the outcome of an attempt is unknown, `look` checks whether the attempt took
 * effect. The next attempt is made only if `look` finds no effect.
 */
export function lookingFirst<T>(attempt: () => Promise<T>, look: () => Promise<T | undefined>) {
  let doubt: DeliveryError | undefined;
  const lookAfter = ({ code, userMessage, cause }: DeliveryError) =>
    look().catch((error: unknown) => {
      // If the check fails, the outcome remains unknown, and another attempt could post the message a second time.
      const { retryable } = toDeliveryError(error);
      throw new DeliveryError(code, userMessage, { cause, outcome: 'unknown', retryable });
    });
  return async (): Promise<T> => {
    const earlier = doubt && (await lookAfter(doubt));
    if (earlier !== undefined) return earlier;
    return await attempt().catch(async (error: unknown) => {
      if (!(error instanceof DeliveryError)) throw error;
      if (error.outcome === 'unknown') doubt = error;
      // Checks even if Slack refuses this attempt, because an earlier attempt with an unknown outcome may have taken
      // effect in the meantime.
      const found = doubt && (await lookAfter(doubt));
      if (found === undefined) throw error;
      return found;
    });
  };
}

function tooBusy(): DeliveryError {
  return new DeliveryError('slack-busy', 'Slack is too busy.', { outcome: 'not-sent', retryable: true });
}
