import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Store } from '../store/schema.ts';
import { wroteTo } from '../store/transact.ts';
import { type Delivery, PENDING, toJson } from './row.ts';

/**
 * Writes a delivery in the transaction `tx`, which also stores the change that the delivery reports. If an earlier edit
 * of the same message was not sent yet, the new edit replaces the earlier edit and takes its position in the order. If
 * the earlier edit is being sent, the new edit becomes a second row.
 */
export async function enqueue(tx: Store, clock: Clock, delivery: Delivery): Promise<void> {
  const message_json = toJson(delivery.message);
  const target_json = targetOf(delivery);
  if (delivery.kind === 'edit') {
    const coalesced = await tx
      .updateTable('outbox')
      // The replaced edit may have waited for long, so the age of the new edit starts at zero.
      .set({ message_json, created_at: clock.now() })
      .where('kind', '=', 'edit')
      .where('state', '=', PENDING)
      .where('order_key', '=', delivery.orderKey)
      // This condition is always true. Without it, SQLite would read all pending rows instead of the index on the order
      // key.
      .where('id', '>', 0)
      .where('target_json', '=', target_json)
      .executeTakeFirst();
    if (coalesced.numUpdatedRows > 0n) return wroteTo(tx, 'outbox');
  }
  const now = clock.now();
  await tx
    .insertInto('outbox')
    .values({
      order_key: delivery.orderKey,
      ...placeOf(delivery),
      kind: delivery.kind,
      target_json,
      message_json,
      also_to_channel: delivery.kind === 'post' && delivery.alsoToChannel ? 1 : 0,
      urgent: isUrgent(delivery) ? 1 : 0,
      // The key has at most 24 characters. A digest adds a letter, and Discord's nonce has at most 25 characters (see
      // "create message" in Discord's reference).
      key: delivery.key ?? randomBytes(12).toString('hex'),
      state: 'pending',
      uncertain: 0,
      attempts: 0,
      next_at: now,
      created_at: now,
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  wroteTo(tx, 'outbox');
}

function targetOf(delivery: Delivery): string | null {
  const target =
    delivery.kind === 'edit'
      ? delivery.target
      : delivery.kind === 'post'
        ? delivery.under
        : delivery.kind === 'answer'
          ? { reply: delivery.reply, orElse: delivery.orElse }
          : undefined;
  return target === undefined ? null : JSON.stringify(target);
}

/**
 * Like a channel, the direct messages of a person have their own rate limit. The name begins with `@`, which no
 * platform allows in a channel's name.
 */
function placeOf(delivery: Delivery) {
  if (delivery.kind === 'tell') {
    const { person, at } = delivery;
    return { platform: at.platform, workspace: at.workspace, channel: `@${person}`, thread: null, person };
  }
  const at =
    delivery.kind === 'edit' ? delivery.target : delivery.kind === 'post' ? delivery.to : delivery.at;
  const { platform, workspace, channel, thread = null } = at;
  return { platform, workspace, channel, thread, person: null };
}

/** An answer is urgent, because a person waits for it and the platform accepts it only for some minutes. */
function isUrgent(delivery: Delivery): boolean {
  if (delivery.kind === 'edit') return false;
  return delivery.kind === 'answer' || delivery.urgent === true;
}
