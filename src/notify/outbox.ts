import { randomBytes } from 'node:crypto';
import type { Address, MessageRef, Reply } from '../adapters/adapter.ts';
import type { Line, Message } from '../cards/card.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../store/store.ts';
import { PENDING } from './channels.ts';

interface Common {
  /** Deliveries with the same one (a deployment's id) arrive in the order in which they were written. */
  readonly orderKey: string;
  /** At most 24 characters; what was written under it before is not written again. A new one by default. */
  readonly key?: string;
}

export type Delivery =
  | (Common & { readonly kind: 'edit'; readonly target: MessageRef; readonly message: Message })
  | (Common & {
      readonly kind: 'post';
      readonly to: Address;
      /** Whom it mentions, if anyone, is told directly where it cannot be posted. */
      readonly message: Message;
      /** The card it belongs under. */
      readonly under?: MessageRef;
      readonly alsoToChannel?: boolean;
      /** A failure: may overtake other deployments' messages, and is never folded into a digest. */
      readonly urgent?: boolean;
    })
  /** The answer to an invocation of a process that did not live to give it. */
  | (Common & {
      readonly kind: 'answer';
      readonly reply: Reply;
      /** Where the invocation was. */
      readonly at: Address;
      readonly message: Message;
      /** Posted there instead once the answer can no longer be given. */
      readonly orElse?: Line;
    })
  /** A message to one person of a workspace, directly. */
  | (Common & {
      readonly kind: 'tell';
      readonly person: string;
      readonly at: Pick<Address, 'platform' | 'workspace'>;
      readonly message: Line;
      readonly urgent?: boolean;
    });

/**
 * Writes a delivery in the transaction `tx` of the change it tells about. An edit replaces an unsent edit of the
 * same message, in its place in the order; one that is being sent at that moment is followed by a row of its own.
 */
export async function enqueue(tx: Store, clock: Clock, delivery: Delivery): Promise<void> {
  const message_json = JSON.stringify(delivery.message);
  const target_json = targetOf(delivery);
  if (delivery.kind === 'edit') {
    const coalesced = await tx
      .updateTable('outbox')
      // News of today, however long the edit before it was waiting.
      .set({ message_json, created_at: clock.now() })
      .where('kind', '=', 'edit')
      .where('state', '=', PENDING)
      .where('order_key', '=', delivery.orderKey)
      // Says nothing, but has SQLite take the index by order: by itself it goes through all that waits.
      .where('id', '>', 0)
      .where('target_json', '=', target_json)
      .executeTakeFirst();
    if (coalesced.numUpdatedRows > 0n) return;
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
      // Fits Discord's nonce, also with a digest's letter behind it: at most 25 characters (its create message reference).
      key: delivery.key ?? randomBytes(12).toString('hex'),
      state: 'pending',
      uncertain: 0,
      attempts: 0,
      next_at: now,
      created_at: now,
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
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

/** A person's own messages have a pace of their own, like a channel; no platform's channel has such a name. */
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

/** An answer is waited for, and the place it belongs in is there for minutes only. */
function isUrgent(delivery: Delivery): boolean {
  if (delivery.kind === 'edit') return false;
  return delivery.kind === 'answer' || delivery.urgent === true;
}
