import type { Platforms } from '../adapters/start.ts';
import { type Clock, within } from '../clock.ts';
import { countOutbox } from '../notify/report.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Readiness } from '../server/server.ts';
import type { Store } from '../store/store.ts';

/** A database that does not answer makes the process not ready. */
const ANSWER_MS = 2_000;

/** What `/readyz` tells of this process. */
export async function readinessOf(parts: {
  readonly store: Store;
  readonly membership: Membership;
  readonly platforms: Platforms;
  /** The machine's own, as whoever asks waits by that. */
  readonly clock: Clock;
  readonly stopping: boolean;
}): Promise<Readiness> {
  const { store, membership, platforms, clock, stopping } = parts;
  const inTime = <T>(answer: Promise<T>) => within(clock, ANSWER_MS, answer).catch(() => undefined);
  const states = Object.entries(platforms.state());
  const roles = states.flatMap(([name, { role }]) => (role ? [[name, role]] : []));
  const row = await inTime(store.selectFrom('kept').select('id').limit(1).execute());
  // What an operator cannot see in the log alone; nothing of it makes the process less ready.
  const outbox = await inTime(countOutbox(store));
  return {
    stopping,
    parts: {
      // In time, and as one of those that work on it.
      store: row !== undefined && membership.isCertain(),
      ...Object.fromEntries(states.map(([name, { healthy }]) => [name, healthy])),
    },
    ...(membership.shared ? { roles: Object.fromEntries(roles) } : {}),
    ...(outbox ? { outbox } : {}),
  };
}
