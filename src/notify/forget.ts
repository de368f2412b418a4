import type { Membership } from '../replicas/membership.ts';
import type { Store } from '../store/store.ts';

/** Few enough that nobody waits for them to go. */
const AT_ONCE = 500;

/** Forgets some of what was delivered or given up and written before `before` (epoch ms); true while there may be more. */
export async function purgeOutbox(store: Store, before: number): Promise<boolean> {
  const { numDeletedRows } = await store
    .deleteFrom('outbox')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('outbox')
        .select('id')
        .where('state', 'in', ['sent', 'dead'])
        .where('created_at', '<', before)
        .limit(AT_ONCE),
    )
    .executeTakeFirstOrThrow();
  return numDeletedRows === BigInt(AT_ONCE);
}

/** The same for the pace of channels that nothing came for since `before`. */
export async function purgeChannels(store: Store, membership: Membership, before: number): Promise<boolean> {
  const old = store
    .selectFrom('channels')
    .select('id')
    .where('next_at', '<', before)
    .where('next_edit_at', '<', before)
    .where((eb) => membership.gone(eb.ref('channels.holder')))
    .limit(AT_ONCE);
  const { numDeletedRows } = await store
    .deleteFrom('channels')
    .where('id', 'in', old)
    // Said again, as one may have been taken by another process while this statement waited for it.
    .where('next_at', '<', before)
    .where('next_edit_at', '<', before)
    .where((eb) => membership.gone(eb.ref('channels.holder')))
    .executeTakeFirstOrThrow();
  return numDeletedRows === BigInt(AT_ONCE);
}
