import type { Platforms } from '../adapters/start.ts';
import { type Clock, within } from '../clock.ts';
import { oneAtATime } from '../loop.ts';
import { countOutbox } from '../notify/report.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Readiness } from '../server/server.ts';
import type { Store } from '../store/schema.ts';

/** A database that does not answer makes the process not ready. */
const ANSWER_MS = 2_000;

/** The state of this process for `/readyz`. */
export function createReadiness(parts: {
  readonly store: Store;
  readonly membership: Membership;
  readonly platforms: Platforms;
  /** The machine's own clock, because the prober waits by that time. */
  readonly clock: Clock;
  readonly isStopping: () => boolean;
}): () => Promise<Readiness> {
  const { store, membership, platforms, clock, isStopping } = parts;
  const inTime = <T>(answer: Promise<T>) => within(clock, ANSWER_MS, answer).catch(() => undefined);
  // At most one question at a time: questions must not pile up at a store that hangs.
  const tryStore = oneAtATime(() => store.selectFrom('kept').select('id').limit(1).execute());
  const count = oneAtATime(() => countOutbox(store));
  return async () => {
    const states = Object.entries(platforms.state());
    const roles = states.flatMap(([name, { role }]) => (role ? [[name, role]] : []));
    const row = await inTime(tryStore());
    // Shown because the log alone does not tell; the process counts as ready all the same.
    const outbox = await inTime(count());
    return {
      stopping: isStopping(),
      parts: {
        // The store answered in time, and this process is certain of its claims.
        store: row !== undefined && membership.isCertain(),
        ...Object.fromEntries(states.map(([name, { healthy }]) => [name, healthy])),
      },
      ...(membership.shared ? { roles: Object.fromEntries(roles) } : {}),
      ...(outbox ? { outbox } : {}),
    };
  };
}
