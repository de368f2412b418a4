import type { Inline, Line } from '../chat/card.ts';
import type { Clock } from '../clock.ts';
import type { DeliveryError } from '../errors.ts';
import type { Store } from '../store/schema.ts';
import { enqueue } from './outbox.ts';
import { sentenceOf } from './retry-policy.ts';
import { fromRow, type OutboxRow, PENDING } from './row.ts';

/**
 * If a line cannot be posted, sends a direct message to the person whom the line mentions. The direct message contains
 * the line and the reason. Each line causes at most one direct message, and a failed direct message causes no further
 * message. A line that was never attempted causes no direct message, because the line is outdated: it waited while the
 * bot or the platform was down.
 */
export async function tellPerson(
  tx: Store,
  clock: Clock,
  row: OutboxRow,
  error: DeliveryError,
): Promise<void> {
  const { kind, message, to, key, attempts, orderKey, urgent } = row;
  if (kind !== 'post' || message?.kind !== 'line' || attempts === 0) return;
  const person = message.text.find((inline) => mentionIn(inline) !== undefined);
  if (person === undefined) return;
  await enqueue(tx, clock, {
    kind: 'tell',
    orderKey: `${orderKey}/tell`,
    key: `t${key.slice(1)}`,
    person: mentionIn(person) ?? '',
    at: to,
    message: explained(message, to.channel, sentenceOf(error)),
    urgent,
  });
}

/**
 * Also sends direct messages for the lines that have the same order key as `row` and wait behind `row`. These lines are
 * not attempted while `row` waits.
 */
export async function tellPeopleBehind(
  tx: Store,
  clock: Clock,
  row: OutboxRow,
  error: DeliveryError,
): Promise<void> {
  const rows = await tx
    .selectFrom('outbox')
    .selectAll()
    .where('state', '=', PENDING)
    .where('order_key', '=', row.orderKey)
    .where('id', '>', row.id)
    .where('kind', '=', 'post')
    .execute();
  for (const behind of rows)
    await tellPerson(tx, clock, { ...fromRow(behind), attempts: row.attempts }, error);
}

function mentionIn(inline: Inline): string | undefined {
  return typeof inline === 'object' && 'mention' in inline ? inline.mention : undefined;
}

function explained(line: Line, channel: string, reason: string): Line {
  return { ...line, text: [...line.text, '\nI cannot post this in ', { channel }, `: ${reason}`] };
}
