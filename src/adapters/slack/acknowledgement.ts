import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';

/**
 * The time after which an invocation is acknowledged even if it is not stored yet. Slack waits 3 s for an
 * acknowledgement (docs.slack.dev, acknowledging).
 */
const AT_THE_LATEST_MS = 2_000;

export type Acknowledgement = ReturnType<typeof acknowledgeInTime>;

/**
 * Delays the acknowledgement until the invocation is stored. If the bot crashes before that, Slack therefore reports a
 * failure or delivers the invocation again. The delay has a limit, so that Slack does not give up on an invocation that
 * the bot is working on. If an acknowledgement fails, the work continues, because answers do not need the
 * acknowledgement, and a second delivery is recognised by its id.
 */
export function acknowledgeInTime(ack: () => Promise<void>, clock: Clock, log: Logger) {
  const { promise: done, resolve } = Promise.withResolvers<void>();
  let asked = false;
  let held = Promise.resolve();
  const now = (): Promise<void> => {
    cancel();
    if (!asked) resolve(ack().catch((err: unknown) => log.warn({ err }, 'slack: cannot acknowledge')));
    asked = true;
    return done;
  };
  const cancel = clock.after(AT_THE_LATEST_MS, () => void held.then(now));
  return {
    /** The first call acknowledges. Later calls do nothing. Never rejects. */
    now,
    /** Makes the automatic acknowledgement wait for `until` as well. `until` must resolve in time. */
    holdBack(until: Promise<void>): void {
      held = until;
    },
    /** Resolves when the acknowledgement has been sent or has failed. */
    done,
  };
}
