import { type Clock, sleep, stopwatch } from '../../clock.ts';
import { DeliveryError } from '../../errors.ts';
import { toDeliveryError } from './errors.ts';
import { PACE_MS } from './limits.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 10_000;
/** A timer may ring a little early, while the method still pauses. */
const EARLY_MS = 20;
/** A wait that a person would notice. */
const NOTICED_MS = 2_000;

/** How long a caller waits for Slack. */
export interface Wait {
  /** Milliseconds, from the call on. */
  readonly patienceMs: number;
  /**
   * The person to tell if the wait is long enough to be noticed: once for all calls of that person that wait in the
   * lane.
   */
  readonly told?: { readonly person: string; tell(): void };
}

export type Patience = ReturnType<typeof createPatience>;

/** Waits for failures that pass by themselves: a 429, a 5xx, a broken connection. */
export function createPatience(clock: Clock) {
  /** The last call of each lane: resolves, when the call is over, with whether the call had to slow down. */
  const lanes = new Map<string, Promise<boolean>>();
  /** The people who were told to wait, by lane. */
  const told = new Map<string, Set<string>>();
  const stopping = new AbortController();
  const { signal } = stopping;

  /**
   * Calls in one lane go one after the other, in the order of arrival. `attempt` throws DeliveryError and is safe to
   * repeat. Throws the DeliveryError at once if the failure does not pass by itself, otherwise when the time is used up
   * or the process stops.
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

    /** Throws `why` if the time does not suffice. */
    async function pause(ms: number, why: DeliveryError): Promise<void> {
      if (signal.aborted || spentMs() + ms >= patienceMs) throw why;
      if (spentMs() + ms > NOTICED_MS) noticed();
      await sleep(clock, ms, signal).catch(() => {
        throw why;
      });
    }

    /** Takes a turn in the lane, and keeps the turn while Slack asks to slow down. */
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
        // Outside the lane: a message that Slack chokes on must not hold up the other messages.
        await pause(backoff, error);
      }
    }
  }

  /** Calls that wait give up; a later call gets a single attempt. */
  const stop = () => stopping.abort();

  return { inTurn, stop };
}

/**
 * Makes an attempt safe to repeat: if the outcome of an earlier attempt is unknown, the effect of that attempt is
 * looked for first.
 */
export function lookingFirst<T>(attempt: () => Promise<T>, look: () => Promise<T | undefined>) {
  let doubt: DeliveryError | undefined;
  const lookAfter = ({ code, userMessage, cause }: DeliveryError) =>
    look().catch((error: unknown) => {
      // Without a look, another attempt could be a second message.
      const { retryable } = toDeliveryError(error);
      throw new DeliveryError(code, userMessage, { cause, outcome: 'unknown', retryable });
    });
  return async (): Promise<T> => {
    const earlier = doubt && (await lookAfter(doubt));
    if (earlier !== undefined) return earlier;
    return await attempt().catch(async (error: unknown) => {
      if (!(error instanceof DeliveryError)) throw error;
      if (error.outcome === 'unknown') doubt = error;
      // Also if the repetition is refused, perhaps because the earlier attempt has taken effect by now.
      const found = doubt && (await lookAfter(doubt));
      if (found === undefined) throw error;
      return found;
    });
  };
}

function tooBusy(): DeliveryError {
  return new DeliveryError('slack-busy', 'Slack is too busy.', { outcome: 'not-sent', retryable: true });
}
