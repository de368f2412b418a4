import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Store } from '../store/schema.ts';
import { wroteTo } from '../store/transact.ts';
import { type Delivery, PENDING, toJson } from './row.ts';

/**
 * Writes a delivery in the transaction `tx` of the change that the delivery reports. An edit replaces an unsent edit of
 * the same message, in the older edit's place in the order. An edit that is being sent at that moment stays: the new
 * edit is a second row.
 */
export async function enqueue(tx: Store, clock: Clock, delivery: Delivery): Promise<void> {
  const message_json = toJson(delivery.message);
  const target_json = targetOf(delivery);
  if (delivery.kind === 'edit') {
    const coalesced = await tx
      .updateTable('outbox')
      // The new edit is news of today, however long the older edit was waiting.
      .set({ message_json, created_at: clock.now() })
      .where('kind', '=', 'edit')
      .where('state', '=', PENDING)
      .where('order_key', '=', delivery.orderKey)
      // Always true, but makes SQLite use the index by order: otherwise SQLite reads all pending rows.
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
      // 24 characters: with a digest's letter the key fits Discord's nonce of at most 25 (create message reference).
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
 * The direct messages of a person have a pace of their own, like a channel; no platform has a channel with such a name.
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

/** A person waits for an answer, and the place of the answer exists for minutes only. */
function isUrgent(delivery: Delivery): boolean {
  if (delivery.kind === 'edit') return false;
  return delivery.kind === 'answer' || delivery.urgent === true;
}
