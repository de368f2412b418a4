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
  readonly message: Message;
  readonly alsoToChannel: boolean;
  readonly urgent: boolean;
  readonly key: string;
  readonly uncertain: boolean;
  readonly sentKey: string | undefined;
  readonly attempts: number;
  readonly attemptedAt: number;
  readonly createdAt: number;
}

type Selected = Omit<OutboxTable, 'id'> & { id: number };

/** Undefined where what is stored is not a message: written by something else than this program. */
export function fromRow(row: Selected): OutboxRow | undefined {
  const kind = kinds.find((one) => one === row.kind);
  const message = parsed(row.message_json);
  const target = row.target_json === null ? undefined : parsed(row.target_json);
  if (kind === undefined || !isMessage(message) || (row.target_json !== null && !isObject(target)))
    return undefined;
  const answer = kind === 'answer' ? target : undefined;
  return {
    id: row.id,
    orderKey: row.order_key,
    kind,
    to: addressOf(row),
    person: row.person ?? undefined,
    target: kind === 'answer' ? undefined : (target as MessageRef | undefined),
    reply: answer?.reply as Reply | undefined,
    orElse: answer?.orElse as Line | undefined,
    message,
    alsoToChannel: row.also_to_channel === 1,
    urgent: row.urgent === 1,
    key: row.key,
    uncertain: row.uncertain === 1,
    sentKey: row.sent_key ?? undefined,
    attempts: row.attempts,
    attemptedAt: row.attempted_at ?? row.created_at,
    createdAt: row.created_at,
  };
}

export function addressOf(row: Pick<OutboxTable, 'platform' | 'workspace' | 'channel' | 'thread'>): Address {
  const { platform, workspace, channel, thread } = row;
  return { platform, workspace, channel, ...(thread === null ? {} : { thread }) };
}

const kinds: readonly Delivery['kind'][] = ['post', 'edit', 'answer', 'tell'];

function parsed(json: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(json);
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
    ? Array.isArray(value.text)
    : value.kind === 'card' && Array.isArray(value.title) && Array.isArray(value.nodes);
}
