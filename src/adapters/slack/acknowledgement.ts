import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';

/** Slack waits 3 s for an acknowledgement (docs.slack.dev, acknowledging); what takes longer is acknowledged anyway. */
const AT_THE_LATEST_MS = 2_000;

export type Acknowledgement = ReturnType<typeof acknowledgeInTime>;

/**
 * Holds the acknowledgement back until the invocation is stored, so that a crash before that leaves Slack to say that
 * it failed, or to deliver it again; yet never so long that Slack gives up on one that is being worked on. One that
 * cannot be sent stops nothing: answers take another way, and what Slack then delivers again is known by its id.
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
    /** Acknowledges, once, however often it is called. Never rejects. */
    now,
    /** Has what happens by itself wait for this as well, which is to come in time. */
    holdBack(until: Promise<void>): void {
      held = until;
    },
    /** Resolves once it was sent, or could not be. */
    done,
  };
}
