import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';

/**
 * After this time, the bot acknowledges an invocation even if the invocation is not stored yet. Slack waits 3 s for an
 * acknowledgement (docs.slack.dev, acknowledging).
 */
const AT_THE_LATEST_MS = 2_000;

/**
 * The content of an acknowledgement that tells the person about mistakes in a form. `errors` holds a text for each
 * wrong field.
 */
export interface Content {
  readonly response_action: 'errors';
  readonly errors: Record<string, string>;
}

export type Acknowledgement = ReturnType<typeof acknowledgeInTime>;

/**
 * Delays the acknowledgement until the invocation is stored. If the bot crashes before the invocation is stored, Slack
 * gets no acknowledgement, and reports a failure or sends the invocation again. The delay has a limit, because Slack
 * gives up on an invocation after three seconds. If an acknowledgement fails, the bot still works on the invocation,
 * because answers do not depend on the acknowledgement. If Slack then sends the request again, the bot recognises the
 * request by its id.
 */
export function acknowledgeInTime(ack: (content?: Content) => Promise<void>, clock: Clock, log: Logger) {
  const { promise: done, resolve } = Promise.withResolvers<void>();
  let asked = false;
  let held = Promise.resolve();
  const now = (content?: Content): Promise<void> => {
    cancel();
    if (!asked) resolve(ack(content).catch((err: unknown) => log.warn({ err }, 'slack: cannot acknowledge')));
    asked = true;
    return done;
  };
  const cancel = clock.after(AT_THE_LATEST_MS, () => void held.then(() => now()));
  return {
    /** The first call acknowledges, and later calls do nothing. Never rejects. */
    now: () => now(),
    /**
     * Acknowledges with this content. If an acknowledgement has been sent already, does not send the content and
     * returns false.
     */
    async with(content: Content): Promise<boolean> {
      if (asked) return false;
      await now(content);
      return true;
    },
    /**
     * Makes the automatic acknowledgement also wait for the promise `until`, which must resolve within Slack's three
     * seconds.
     */
    holdBack(until: Promise<void>): void {
      held = until;
    },
    /** Resolves when the acknowledgement has been sent or has failed. */
    done,
  };
}
