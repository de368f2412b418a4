import type { Adapter, Outgoing } from '../adapters/adapter.ts';
import type { Message } from '../cards/card.ts';
import { DeliveryError } from '../errors.ts';
import { digestKey, digestOf } from './batch.ts';
import type { OutboxRow } from './row.ts';

/** How long a platform that recognises a repeated post by its key is sure to remember it. */
const KEY_REMEMBERED_MS = 2 * 60_000;
/** Allows for clocks that differ when a channel is read back. */
const CLOCK_SKEW_MS = 60_000;

/**
 * Sends one row, or several as a digest. A row whose earlier attempt may have been shown is looked for first, so that
 * nothing is posted twice; where that cannot be known, it is sent saying so. `alone` is told, before it is sent, of a
 * row that was part of a digest and now goes by itself: from then on it is to be looked for under its own key.
 * Throws DeliveryError.
 */
export async function send(
  adapter: Adapter,
  rows: readonly OutboxRow[],
  now: number,
  alone: (row: OutboxRow) => Promise<void>,
): Promise<void> {
  const [first] = rows;
  if (!first) return;
  if (first.kind === 'edit') {
    if (first.target) await adapter.edit(first.target, first.message);
    return;
  }
  if (first.kind === 'answer') {
    if (!adapter.resume) throw notHere('outbox-no-answers', 'This platform takes no late answers.');
    await adapter.resume(first.reply ?? {}, first.message);
    return;
  }
  if (first.kind === 'tell') {
    if (!adapter.tell) throw notHere('outbox-no-direct-messages', 'This platform has no direct messages.');
    const message = rows.length > 1 ? digestOf(rows) : first.message;
    const key = rows.length > 1 ? digestKey(rows) : first.key;
    await adapter.tell({ id: first.person ?? '', workspace: first.to.workspace }, { message, key });
    return;
  }
  if (rows.length > 1) {
    await adapter.post(first.to, { message: digestOf(rows), key: digestKey(rows) });
    return;
  }
  const outgoing: Outgoing = {
    message: first.message,
    key: first.key,
    ...(first.target ? { replyTo: first.target } : {}),
    ...(first.alsoToChannel ? { alsoToChannel: true } : {}),
  };
  if (!first.uncertain) {
    await adapter.post(first.to, outgoing);
    return;
  }
  const shown = await whetherShown(adapter, first, now);
  if (shown === 'yes') return;
  if (first.sentKey !== first.key) await alone(first);
  await adapter.post(
    first.to,
    shown === 'no' ? outgoing : { ...outgoing, message: possiblyRepeated(first.message) },
  );
}

function notHere(code: string, sentence: string): DeliveryError {
  return new DeliveryError(code, sentence, { outcome: 'not-sent', retryable: false });
}

async function whetherShown(
  adapter: Adapter,
  row: OutboxRow,
  now: number,
): Promise<'yes' | 'no' | 'unknowable'> {
  const key = row.sentKey ?? row.key;
  try {
    if (adapter.supports.history) {
      // A digest hangs under no card, so it is looked for in the channel itself.
      const under = key === row.key ? row.target : undefined;
      const found = await adapter.findPosted(row.to, key, row.attemptedAt - CLOCK_SKEW_MS, under);
      return found ? 'yes' : 'no';
    }
  } catch (error) {
    if (!(error instanceof DeliveryError) || error.retryable) throw error;
  }
  const remembered = adapter.supports.idempotentPosts && now - row.attemptedAt < KEY_REMEMBERED_MS;
  return remembered && key === row.key ? 'no' : 'unknowable';
}

function possiblyRepeated(message: Message): Message {
  return message.kind === 'line'
    ? { ...message, text: [...message.text, ' (possibly repeated)'] }
    : { ...message, nodes: [...message.nodes, { kind: 'note', text: ['Possibly repeated'] }] };
}
