import type { Address, MessageRef, Reply } from '../adapters/adapter.ts';
import type { Line, Message } from '../cards/card.ts';
import type { OutboxTable } from '../store/schema.ts';
import type { Delivery } from './outbox.ts';

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

type Selected = Omit<OutboxTable, 'id'> & { id: number };

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
    const value: unknown = JSON.parse(json ?? 'null');
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
