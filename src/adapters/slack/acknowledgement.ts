import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';

/**
 * The bot acknowledges an invocation after this time, even if the invocation is not stored yet. Slack waits 3 s for an
 * acknowledgement (docs.slack.dev, acknowledging).
 */
const AT_THE_LATEST_MS = 2_000;

/** The content of the acknowledgement of a submitted form: a text for each field with a mistake. */
export interface Content {
  readonly response_action: 'errors';
  readonly errors: Record<string, string>;
}

export type Acknowledgement = ReturnType<typeof acknowledgeInTime>;

/**
 * Delays the acknowledgement until the invocation is stored. If the bot crashes earlier, Slack gets no acknowledgement,
 * and reports a failure or sends the invocation again. The delay has a limit, because Slack waits only 3 s. If an
 * acknowledgement fails, the work continues. Answers do not need the acknowledgement, and the bot recognises a repeated
 * invocation by its id.
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
    /** The first call acknowledges. Later calls do nothing. Never rejects. */
    now: () => now(),
    /**
     * Acknowledges with this content. Returns false if the acknowledgement was sent earlier. In this case the content
     * is not sent.
     */
    async with(content: Content): Promise<boolean> {
      if (asked) return false;
      await now(content);
      return true;
    },
    /**
     * Makes the automatic acknowledgement wait for `until`, in addition to the delay. `until` must resolve within
     * Slack's 3 s.
     */
    holdBack(until: Promise<void>): void {
      held = until;
    },
    /** Resolves when the acknowledgement has been sent or has failed. */
    done,
  };
}
