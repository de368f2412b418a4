import { randomBytes } from 'node:crypto';
import type { Address, MessageRef } from '../adapters/adapter.ts';
import type { Message } from '../cards/card.ts';
import type { Clock } from '../clock.ts';
import type { OutboxTable } from '../store/schema.ts';
import type { Store } from '../store/store.ts';

interface Common {
  /** Deliveries with the same one (a deployment's id) arrive in the order in which they were written. */
  readonly orderKey: string;
  readonly message: Message;
}

export type Delivery =
  | (Common & { readonly kind: 'edit'; readonly target: MessageRef })
  | (Common & {
      readonly kind: 'post';
      readonly to: Address;
      /** The card it belongs under. */
      readonly under?: MessageRef;
      readonly alsoToChannel?: boolean;
      /** A failure: may overtake other deployments' messages, and is never folded into a digest. */
      readonly urgent?: boolean;
    });

/**
 * Writes a delivery in the transaction `tx` of the change it tells about. An edit replaces an unsent edit of the
 * same message, in its place in the order.
 */
export async function enqueue(tx: Store, clock: Clock, delivery: Delivery): Promise<void> {
  const message_json = JSON.stringify(delivery.message);
  if (delivery.kind === 'edit') {
    const target_json = JSON.stringify(delivery.target);
    const coalesced = await tx
      .updateTable('outbox')
      // News of today, however long the edit before it was waiting.
      .set({ message_json, created_at: clock.now() })
      .where('kind', '=', 'edit')
      .where('state', '=', 'pending')
      .where('order_key', '=', delivery.orderKey)
      .where('target_json', '=', target_json)
      .executeTakeFirst();
    if (coalesced.numUpdatedRows > 0n) return;
  }
  const at: Address = delivery.kind === 'edit' ? delivery.target : delivery.to;
  const target = delivery.kind === 'edit' ? delivery.target : delivery.under;
  const now = clock.now();
  await tx
    .insertInto('outbox')
    .values({
      order_key: delivery.orderKey,
      platform: at.platform,
      workspace: at.workspace,
      channel: at.channel,
      thread: at.thread ?? null,
      kind: delivery.kind,
      target_json: target ? JSON.stringify(target) : null,
      message_json,
      also_to_channel: delivery.kind === 'post' && delivery.alsoToChannel ? 1 : 0,
      urgent: delivery.kind === 'post' && delivery.urgent ? 1 : 0,
      // Fits Discord's nonce: at most 25 characters (its create message reference).
      key: randomBytes(12).toString('hex'),
      state: 'pending',
      uncertain: 0,
      sent_key: null,
      attempts: 0,
      attempted_at: null,
      next_at: now,
      created_at: now,
      sent_at: null,
    })
    .execute();
}

/** A row of the outbox as the worker needs it. */
export interface OutboxRow {
  readonly id: number;
  readonly orderKey: string;
  readonly kind: 'edit' | 'post';
  readonly to: Address;
  readonly target: MessageRef | undefined;
  readonly message: Message;
  readonly alsoToChannel: boolean;
  readonly urgent: boolean;
  readonly key: string;
  readonly uncertain: boolean;
  readonly sentKey: string | undefined;
  readonly attempts: number;
  readonly attemptedAt: number;
  readonly nextAt: number;
  readonly createdAt: number;
}

type Selected = Omit<OutboxTable, 'id'> & { id: number };

export function fromRow(row: Selected): OutboxRow {
  return {
    id: row.id,
    orderKey: row.order_key,
    kind: row.kind === 'edit' ? 'edit' : 'post',
    to: {
      platform: row.platform,
      workspace: row.workspace,
      channel: row.channel,
      ...(row.thread === null ? {} : { thread: row.thread }),
    },
    target: row.target_json === null ? undefined : JSON.parse(row.target_json),
    message: JSON.parse(row.message_json),
    alsoToChannel: row.also_to_channel === 1,
    urgent: row.urgent === 1,
    key: row.key,
    uncertain: row.uncertain === 1,
    sentKey: row.sent_key ?? undefined,
    attempts: row.attempts,
    attemptedAt: row.attempted_at ?? row.created_at,
    nextAt: row.next_at,
    createdAt: row.created_at,
  };
}
