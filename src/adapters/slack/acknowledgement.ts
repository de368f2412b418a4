import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';

/**
 * Slack waits 3 s for an acknowledgement (docs.slack.dev, acknowledging): a slower invocation is acknowledged anyway.
 */
const AT_THE_LATEST_MS = 2_000;

export type Acknowledgement = ReturnType<typeof acknowledgeInTime>;

/**
 * Delays the acknowledgement until the invocation is stored: after a crash before that moment, Slack reports a failure
 * or delivers the invocation again. The delay ends in time, so that Slack does not give up on an invocation that is
 * being worked on. A failed acknowledgement stops nothing: answers take another way, and a second delivery is
 * recognised by its id.
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
    /** Acknowledges the first time, and does nothing at later calls. Never rejects. */
    now,
    /** Makes the automatic acknowledgement wait for `until` as well, which has to resolve in time. */
    holdBack(until: Promise<void>): void {
      held = until;
    },
    /** Resolves once the acknowledgement was sent, or could not be sent. */
    done,
  };
}
