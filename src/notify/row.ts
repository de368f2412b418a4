import { sql, type UpdateObject } from 'kysely';
import type { Line, Message } from '../chat/card.ts';
import type { Address, MessageRef, Reply } from '../chat/port.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Database, OutboxTable, Store } from '../store/schema.ts';

/**
 * These values are SQL literals and not parameters, because databases use the partial indexes on these states only for
 * literals.
 */
export const PENDING = sql.lit('pending');
export const LEASED = sql.lit('leased');
/** The state of a line that is part of a digest. */
export const FOLDED = sql.lit('folded');

interface Common {
  /** Deliveries with the same order key (a deployment's id) are sent in the order in which they were written. */
  readonly orderKey: string;
  /**
   * At most 24 characters. By default, a new key is generated. If a delivery with the same key already exists, the new
   * delivery is not written.
   */
  readonly key?: string;
}

export type Delivery =
  | (Common & { readonly kind: 'edit'; readonly target: MessageRef; readonly message: Message })
  | (Common & {
      readonly kind: 'post';
      readonly to: Address;
      /** If the message cannot be posted, the person whom it mentions receives a direct message. */
      readonly message: Message;
      /** The card below which the message is posted. */
      readonly under?: MessageRef;
      readonly alsoToChannel?: boolean;
      /**
       * Whether the message reports a failure. If true, the message may overtake messages of other deployments and is
       * never part of a digest.
       */
      readonly urgent?: boolean;
    })
  /** The answer to an invocation whose process died before it could answer. */
  | (Common & {
      readonly kind: 'answer';
      readonly reply: Reply;
      /** The channel or thread where the invocation was made. */
      readonly at: Address;
      readonly message: Message;
      /** A line that is posted in the same channel or thread if the platform no longer accepts the answer. */
      readonly orElse?: Line;
    })
  /** A direct message to a person in a workspace. */
  | (Common & {
      readonly kind: 'tell';
      readonly person: string;
      readonly at: Pick<Address, 'platform' | 'workspace'>;
      readonly message: Message;
      readonly urgent?: boolean;
    });

/** The parts of an outbox row that the worker needs. */
export interface OutboxRow {
  readonly id: number;
  readonly orderKey: string;
  readonly kind: Delivery['kind'];
  readonly to: Address;
  /** Set only for `tell`. */
  readonly person: string | undefined;
  /** The message to edit, or the card below which to post. */
  readonly target: MessageRef | undefined;
  /** Set only for `answer`. */
  readonly reply: Reply | undefined;
  readonly orElse: Line | undefined;
  /** Undefined if the stored message is damaged and cannot be read. */
  readonly message: Message | undefined;
  readonly alsoToChannel: boolean;
  readonly urgent: boolean;
  readonly key: string;
  readonly uncertain: boolean;
  readonly sentKey: string | undefined;
  readonly attempts: number;
  readonly attemptedAt: number;
  readonly createdAt: number;
  /** The error code of the last failed attempt. */
  readonly reasonCode: string | undefined;
  readonly reason: string | undefined;
}

/** Changes a row that this process holds. Returns false if another process has taken over the row. */
export async function updateHeld(
  db: Store,
  membership: Membership,
  { id }: OutboxRow,
  change: UpdateObject<Database, 'outbox'>,
): Promise<boolean> {
  const held = db.updateTable('outbox').set(change).where('id', '=', id).where('holder', '=', membership.id);
  return (await held.executeTakeFirstOrThrow()).numUpdatedRows > 0n;
}

type Selected = Omit<OutboxTable, 'id'> & { id: number };

/** The message as JSON. Files are stored in base64. */
export function toJson(message: Message): string {
  return JSON.stringify(message, (name, value) =>
    name === 'bytes' ? Buffer.from(value).toString('base64') : value,
  );
}

/**
 * Reads a row of the table. Never throws, so that a damaged row or a row of another program does not block other rows.
 */
export function fromRow(row: Selected): OutboxRow {
  const kind = kinds.find((known) => known === row.kind);
  const message = parsed(row.message_json);
  const target = parsed(row.target_json);
  const readable = kind !== undefined && isMessage(message) && (target !== undefined || !row.target_json);
  const answer = kind === 'answer' ? target : undefined;
  return {
    id: row.id,
    orderKey: row.order_key,
    kind: kind ?? 'post',
    to: {
      platform: row.platform,
      workspace: row.workspace,
      channel: row.channel,
      ...(row.thread === null ? {} : { thread: row.thread }),
    },
    person: row.person ?? undefined,
    target: answer ? undefined : (target as MessageRef | undefined),
    reply: answer?.reply as Reply | undefined,
    orElse: isMessage(answer?.orElse) && answer.orElse.kind === 'line' ? answer.orElse : undefined,
    message: readable ? message : undefined,
    alsoToChannel: row.also_to_channel === 1,
    urgent: row.urgent === 1,
    key: row.key,
    uncertain: row.uncertain === 1,
    sentKey: row.sent_key ?? undefined,
    attempts: row.attempts,
    attemptedAt: row.attempted_at ?? row.created_at,
    createdAt: row.created_at,
    reasonCode: row.reason_code ?? undefined,
    reason: row.reason ?? undefined,
  };
}

const kinds: readonly Delivery['kind'][] = ['post', 'edit', 'answer', 'tell'];

function parsed(json: string | null): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json ?? 'null', (name, value) =>
      name === 'bytes' ? Buffer.from(String(value), 'base64') : value,
    );
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isMessage(value: unknown): value is Message {
  if (!isObject(value)) return false;
  return value.kind === 'line'
    ? isRich(value.text)
    : value.kind === 'card' &&
        isRich(value.title) &&
        Array.isArray(value.nodes) &&
        value.nodes.every(isObject);
}

/** Whether a renderer can read `value` as rich text. */
function isRich(value: unknown): boolean {
  return Array.isArray(value) && value.every((inline) => typeof inline === 'string' || isObject(inline));
}
