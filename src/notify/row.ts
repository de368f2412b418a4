import { sql, type UpdateObject } from 'kysely';
import type { Line, Message } from '../chat/card.ts';
import type { Address, MessageRef, Reply } from '../chat/port.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Database, OutboxTable, Store } from '../store/schema.ts';

/** Written out, not parameters: only then do the partial indexes on them serve. */
export const PENDING = sql.lit('pending');
export const LEASED = sql.lit('leased');
/** A line that is in a digest. */
export const FOLDED = sql.lit('folded');

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
      readonly message: Message;
      readonly urgent?: boolean;
    });

/** A row of the outbox as the worker needs it. */
export interface OutboxRow {
  readonly id: number;
  readonly orderKey: string;
  readonly kind: Delivery['kind'];
  readonly to: Address;
  /** For `tell`. */
  readonly person: string | undefined;
  /** The message to edit, or to post under. */
  readonly target: MessageRef | undefined;
  /** For `answer`. */
  readonly reply: Reply | undefined;
  readonly orElse: Line | undefined;
  /** Undefined where what is stored cannot be read as a message. */
  readonly message: Message | undefined;
  readonly alsoToChannel: boolean;
  readonly urgent: boolean;
  readonly key: string;
  readonly uncertain: boolean;
  readonly sentKey: string | undefined;
  readonly attempts: number;
  readonly attemptedAt: number;
  readonly createdAt: number;
  /** Of the last attempt that failed. */
  readonly reasonCode: string | undefined;
  readonly reason: string | undefined;
}

/** Changes a row that this process has taken to send; false where another process has taken that row over meanwhile. */
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

/** JSON of a message, with the bytes of its files in base64. */
export function toJson(message: Message): string {
  return JSON.stringify(message, (name, value) =>
    name === 'bytes' ? Buffer.from(value).toString('base64') : value,
  );
}

/** Never throws: a row that something else has written, or that was damaged, must not hold up the others. */
export function fromRow(row: Selected): OutboxRow {
  const kind = kinds.find((one) => one === row.kind);
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

/** What a renderer may look into. */
function isRich(value: unknown): boolean {
  return Array.isArray(value) && value.every((inline) => typeof inline === 'string' || isObject(inline));
}
