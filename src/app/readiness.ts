import type { Platforms } from '../adapters/start.ts';
import { type Clock, within } from '../clock.ts';
import { oneAtATime } from '../loop.ts';
import { countOutbox } from '../notify/report.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Readiness } from '../server/server.ts';
import type { Store } from '../store/schema.ts';

/** A database that does not answer makes the process not ready. */
const ANSWER_MS = 2_000;

/** What `/readyz` tells of this process. */
export function createReadiness(parts: {
  readonly store: Store;
  readonly membership: Membership;
  readonly platforms: Platforms;
  /** The machine's own, as whoever asks waits by that. */
  readonly clock: Clock;
  readonly isStopping: () => boolean;
}): () => Promise<Readiness> {
  const { store, membership, platforms, clock, isStopping } = parts;
  const inTime = <T>(answer: Promise<T>) => within(clock, ANSWER_MS, answer).catch(() => undefined);
  // Questions must not pile up at a store that hangs.
  const tryStore = oneAtATime(() => store.selectFrom('kept').select('id').limit(1).execute());
  const count = oneAtATime(() => countOutbox(store));
  return async () => {
    const states = Object.entries(platforms.state());
    const roles = states.flatMap(([name, { role }]) => (role ? [[name, role]] : []));
    const row = await inTime(tryStore());
    // What an operator cannot see in the log alone; nothing of it makes the process less ready.
    const outbox = await inTime(count());
    return {
      stopping: isStopping(),
      parts: {
        // In time, and as one of those that work on it.
        store: row !== undefined && membership.isCertain(),
        ...Object.fromEntries(states.map(([name, { healthy }]) => [name, healthy])),
      },
      ...(membership.shared ? { roles: Object.fromEntries(roles) } : {}),
      ...(outbox ? { outbox } : {}),
    };
  };
}
