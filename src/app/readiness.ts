import type { Platforms } from '../adapters/start.ts';
import { type Clock, within } from '../clock.ts';
import { oneAtATime } from '../loop.ts';
import { countOutbox } from '../notify/report.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Readiness } from '../server/server.ts';
import type { Store } from '../store/schema.ts';

/** How long the database may take to answer, in milliseconds. After this time, the process counts as not ready. */
const ANSWER_MS = 2_000;

/** The state of this process for `/readyz`. */
export function createReadiness(parts: {
  readonly store: Store;
  readonly membership: Membership;
  readonly platforms: Platforms;
  /** The machine's own clock, because the monitor that calls `/readyz` waits in real time. */
  readonly clock: Clock;
  readonly isStopping: () => boolean;
}): () => Promise<Readiness> {
  const { store, membership, platforms, clock, isStopping } = parts;
  const inTime = <T>(answer: Promise<T>) => within(clock, ANSWER_MS, answer).catch(() => undefined);
  // At most one query runs at a time, so that queries do not pile up if the store does not answer.
  const tryStore = oneAtATime(() => store.selectFrom('kept').select('id').limit(1).execute());
  const count = oneAtATime(() => countOutbox(store));
  return async () => {
    const states = Object.entries(platforms.state());
    const roles = states.flatMap(([name, { role }]) => (role ? [[name, role]] : []));
    const row = await inTime(tryStore());
    // The numbers of messages in the outbox are given here because the log does not show these numbers. They do not
    // decide whether the process is ready.
    const outbox = await inTime(count());
    return {
      stopping: isStopping(),
      parts: {
        // True if the store answered in time, and if it is certain that the other processes still consider this process
        // alive.
        store: row !== undefined && membership.isCertain(),
        ...Object.fromEntries(states.map(([name, { healthy }]) => [name, healthy])),
      },
      ...(membership.shared ? { roles: Object.fromEntries(roles) } : {}),
      ...(outbox ? { outbox } : {}),
    };
  };
}
