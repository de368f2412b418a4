import { type Clock, sleep, stopwatch } from '../../clock.ts';
import { DeliveryError } from '../../errors.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 10_000;
/** A wait that a person would notice. */
const NOTICED_MS = 2_000;

/** How long a caller waits for Slack. */
export interface Wait {
  /** Milliseconds that are left for waiting. */
  leftMs(): number;
  /** Called, perhaps several times, when the wait is long enough for a person to notice. */
  noticed?(): void;
}

export interface Patient<T> extends Wait {
  /** Calls in one lane go one after the other, in the order in which they came. */
  readonly lane: string;
  /** Milliseconds between two calls of a lane that Slack has asked to slow down. */
  readonly paceMs: number;
  /** Throws DeliveryError. Must be safe to repeat. */
  attempt(): Promise<T>;
}

/** Waits for what passes by itself: a 429, a 5xx, a broken connection. */
export interface Patience {
  /** Throws the DeliveryError of the last attempt when no time is left, or when the process stops. */
  inTurn<T>(call: Patient<T>): Promise<T>;
  /** Whoever waits gives up; a later call gets one attempt. */
  stop(): void;
}

export function createPatience(clock: Clock): Patience {
  /** The last call of each lane: resolves, when the call is over, with whether the call had to slow down. */
  const lanes = new Map<string, Promise<boolean>>();
  const stopping = new AbortController();

  /** Throws `why` where the time does not suffice. */
  async function pause({ leftMs, noticed }: Wait, ms: number, spentMs: number, why: Error): Promise<void> {
    if (stopping.signal.aborted || ms >= leftMs()) throw why;
    if (spentMs + ms > NOTICED_MS) noticed?.();
    await sleep(clock, ms, stopping.signal).catch(() => {
      throw why;
    });
  }

  /** Resolves as the call before does; rejects when the time is up first. */
  async function comeUp(before: Promise<boolean>, { leftMs, noticed }: Wait): Promise<boolean> {
    const ended = new AbortController();
    const cancel = clock.after(NOTICED_MS, () => noticed?.());
    const timeUp = sleep(clock, leftMs(), AbortSignal.any([stopping.signal, ended.signal])).then(() => {
      throw gaveUp('slack_turn_never_came', 'Other messages to this channel kept Slack busy for too long.');
    });
    return await Promise.race([before, timeUp]).finally(() => {
      cancel();
      ended.abort();
    });
  }

  /** One turn in the lane, which is kept while Slack asks to slow down. */
  async function takeTurn<T>(call: Patient<T>, spentMs: () => number): Promise<T> {
    const { lane } = call;
    const before = lanes.get(lane);
    const over = Promise.withResolvers<boolean>();
    const own = Promise.all([over.promise, before]).then(([slowed]) => slowed);
    lanes.set(lane, own);
    void own.then(() => lanes.get(lane) === own && lanes.delete(lane));
    let slowed = false;
    try {
      slowed = before !== undefined && (await comeUp(before, call));
      if (slowed) await sleep(clock, call.paceMs, stopping.signal);
      for (;;) {
        try {
          return await call.attempt();
        } catch (error) {
          if (!(error instanceof DeliveryError) || error.retryAfterMs === undefined) throw error;
          slowed = true;
          await pause(call, Math.max(error.retryAfterMs, RETRY_FIRST_MS), spentMs(), error);
        }
      }
    } finally {
      over.resolve(slowed);
    }
  }

  return {
    async inTurn(call) {
      const spentMs = stopwatch(clock);
      for (let backoff = RETRY_FIRST_MS; ; backoff = Math.min(2 * backoff, RETRY_MAX_MS)) {
        try {
          return await (stopping.signal.aborted ? call.attempt() : takeTurn(call, spentMs));
        } catch (error) {
          const passes = error instanceof DeliveryError && error.retryable;
          if (!passes || error.retryAfterMs !== undefined) throw error;
          // Outside the lane: a message that Slack chokes on must not hold up the others.
          await pause(call, backoff, spentMs(), error);
        }
      }
    },
    stop() {
      stopping.abort(gaveUp('slack_stopping', 'I am being restarted.'));
    },
  };
}

/** Makes an attempt safe to repeat: where nobody knows what became of an earlier one, its effect is looked for first. */
export function lookingFirst<T>(
  attempt: () => Promise<T>,
  look: () => Promise<T | undefined>,
): () => Promise<T> {
  let doubt: DeliveryError | undefined;
  const lookAgain = ({ code, userMessage, cause }: DeliveryError) =>
    look().catch((error: unknown) => {
      if (!(error instanceof DeliveryError)) throw error;
      // Without a look, another attempt could be a second message.
      const { retryable } = error;
      throw new DeliveryError(code, userMessage, { cause, outcome: 'unknown', retryable });
    });
  return async () => {
    const earlier = doubt && (await lookAgain(doubt));
    if (earlier !== undefined) return earlier;
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof DeliveryError) || error.outcome !== 'unknown') throw error;
      doubt = error;
      const found = await lookAgain(error);
      if (found !== undefined) return found;
      throw error;
    }
  };
}

function gaveUp(code: string, sentence: string): DeliveryError {
  return new DeliveryError(code, sentence, { outcome: 'not-sent', retryable: true });
}
