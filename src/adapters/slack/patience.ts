import { type Clock, sleep, stopwatch } from '../../clock.ts';
import { DeliveryError } from '../../errors.ts';
import { toDeliveryError } from './errors.ts';
import { PACE_MS } from './limits.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 10_000;
/** Added to each wait, because a timer can fire slightly too early, while Slack still refuses calls. */
const EARLY_MS = 20;
/** From this length on, a person notices the wait. */
const NOTICED_MS = 2_000;

/** How long a caller is ready to wait for Slack, and the person to inform about the wait. */
export interface Wait {
  /** The maximum wait in milliseconds, counted from the call of `inTurn`. */
  readonly patienceMs: number;
  /**
   * The person to inform when the wait becomes noticeable. If several calls of this person wait in the same lane, only
   * the first call runs `tell`.
   */
  readonly told?: { readonly person: string; tell(): void };
}

export type Patience = ReturnType<typeof createPatience>;

/**
 * Repeats calls after temporary failures: a 429, a 5xx, a broken connection. The calls of a lane (a queue for a
 * channel, for example) run one after the other.
 */
export function createPatience(clock: Clock) {
  /**
   * For each lane, the last call as a promise. The promise resolves when the call ends. The value is true if Slack
   * slowed the call down.
   */
  const lanes = new Map<string, Promise<boolean>>();
  /** For each lane, the people who already got a message that they have to wait. */
  const told = new Map<string, Set<string>>();
  const stopping = new AbortController();
  const { signal } = stopping;

  /**
   * Runs the calls of a lane one after the other, in the order in which they arrive. `attempt` throws DeliveryError and
   * must be safe to repeat. A permanent failure is thrown at once. A temporary failure is thrown when the caller's time
   * is used up, or when the process stops.
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

    /** Waits for `ms`. Throws `why` if this wait would exceed the caller's time. */
    async function pause(ms: number, why: DeliveryError): Promise<void> {
      if (signal.aborted || spentMs() + ms >= patienceMs) throw why;
      if (spentMs() + ms > NOTICED_MS) noticed();
      await sleep(clock, ms, signal).catch(() => {
        throw why;
      });
    }

    /**
     * Waits for the earlier calls of the lane, and then makes the call. If Slack asks the bot to slow down, the call
     * stays first in the lane and is repeated.
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
        // During this pause, the other calls of the lane can run. A message that causes a failure in Slack must not
        // delay them.
        await pause(backoff, error);
      }
    }
  }

  /** After `stop`, waiting calls fail at once, and new calls are tried only once. */
  const stop = () => stopping.abort();

  return { inTurn, stop };
}

/**
 * Makes an attempt safe to repeat. If the outcome of an earlier attempt is unknown, `look` runs before the next
 * attempt, and checks whether the earlier attempt took effect.
 */
export function lookingFirst<T>(attempt: () => Promise<T>, look: () => Promise<T | undefined>) {
  let doubt: DeliveryError | undefined;
  const lookAfter = ({ code, userMessage, cause }: DeliveryError) =>
    look().catch((error: unknown) => {
      // The check failed. A further attempt without a check could post the message a second time.
      const { retryable } = toDeliveryError(error);
      throw new DeliveryError(code, userMessage, { cause, outcome: 'unknown', retryable });
    });
  return async (): Promise<T> => {
    const earlier = doubt && (await lookAfter(doubt));
    if (earlier !== undefined) return earlier;
    return await attempt().catch(async (error: unknown) => {
      if (!(error instanceof DeliveryError)) throw error;
      if (error.outcome === 'unknown') doubt = error;
      // If Slack refuses a repeated attempt, the check runs as well. The earlier attempt may have taken effect in the
      // meantime.
      const found = doubt && (await lookAfter(doubt));
      if (found === undefined) throw error;
      return found;
    });
  };
}

function tooBusy(): DeliveryError {
  return new DeliveryError('slack-busy', 'Slack is too busy.', { outcome: 'not-sent', retryable: true });
}
