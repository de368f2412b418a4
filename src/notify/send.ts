import type { Message } from '../chat/card.ts';
import { answerByKeys, type Keys } from '../chat/late-answer.ts';
import type { Adapter, Outgoing } from '../chat/port.ts';
import { DeliveryError } from '../errors.ts';
import { possiblyRepeated } from './digest.ts';
import type { OutboxRow } from './row.ts';

/** Some platforms recognise a repeated post by its key. They remember the key for at least this long. */
const KEY_REMEMBERED_MS = 2 * 60_000;
/**
 * A search of a channel begins this long before the attempt, because the clocks of the platform and of this machine may
 * differ.
 */
const CLOCK_SKEW_MS = 60_000;

export interface Sending {
  readonly now: number;
  /** Called immediately before a message is sent. Throws if another process may be sending the message. */
  readonly mayLeave: () => void;
  /** Called before the bot sends a row of a failed digest as a message of its own, which is `message`. */
  readonly alone: (row: OutboxRow, message: Message) => Promise<void>;
}

/**
 * Sends a row. If an earlier attempt may have shown the message, the channel is searched first to avoid a second post.
 * If a search is not possible, the message says that it may be a repetition. Throws DeliveryError.
 */
export async function send(adapter: Adapter, row: OutboxRow, sending: Sending): Promise<void> {
  const { message, key } = row;
  if (!message) throw unreadable('I cannot read this message in my database: the row is damaged.');
  switch (row.kind) {
    case 'edit':
      if (!row.target) throw unreadable('I do not know which message to edit.');
      sending.mayLeave();
      return await adapter.edit(row.target, message);
    case 'answer': {
      const again = row.uncertain ? possiblyRepeated(message) : message;
      const answer = { message, again, mayLeave: sending.mayLeave };
      const { keys } = row.reply ?? {};
      if (keys) return await answerByKeys(adapter, row.to, keys as Keys, answer);
      return await adapter.resume(row.reply ?? {}, answer);
    }
    case 'tell': {
      // The bot cannot search direct messages.
      const told = isRepeat(adapter, row, sending.now) ? possiblyRepeated(message) : message;
      if (row.uncertain && row.sentKey !== key) await sending.alone(row, told);
      sending.mayLeave();
      return await adapter.sendDirect(
        { id: row.person ?? '', workspace: row.to.workspace },
        { message: told, key },
      );
    }
    case 'post':
      return await post(adapter, row, message, sending);
  }
}

async function post(
  adapter: Adapter,
  row: OutboxRow,
  message: Message,
  { now, mayLeave, alone }: Sending,
): Promise<void> {
  const { key } = row;
  const shown = row.uncertain ? await whetherShown(adapter, row, now) : 'no';
  if (shown === 'yes') return;
  const outgoing: Outgoing = {
    message: shown === 'no' ? message : possiblyRepeated(message),
    key,
    ...(row.target ? { replyTo: row.target } : {}),
    ...(row.alsoToChannel ? { alsoToChannel: true } : {}),
  };
  if (row.uncertain && row.sentKey !== key) await alone(row, outgoing.message);
  mayLeave();
  await adapter.post(row.to, outgoing);
}

function unreadable(sentence: string): DeliveryError {
  return new DeliveryError('outbox-unreadable', sentence, { outcome: 'not-sent', retryable: false });
}

async function whetherShown(
  adapter: Adapter,
  row: OutboxRow,
  now: number,
): Promise<'yes' | 'no' | 'unknowable'> {
  const key = row.sentKey ?? row.key;
  try {
    if (adapter.supports.history) {
      // A digest is not posted below a card, so the search for a digest covers the channel itself.
      const under = key === row.key ? row.target : undefined;
      const found = await adapter.findPosted(row.to, key, row.attemptedAt - CLOCK_SKEW_MS, under);
      return found ? 'yes' : 'no';
    }
  } catch (error) {
    if (!(error instanceof DeliveryError) || error.retryable) throw error;
  }
  return isRepeat(adapter, row, now) ? 'unknowable' : 'no';
}

/**
 * Whether the message may already have been shown and the platform would show it again. Platforms recognise a
 * repetition only by the same key, and only for a short time.
 */
function isRepeat({ supports }: Adapter, row: OutboxRow, now: number): boolean {
  const { uncertain, sentKey, key, attemptedAt } = row;
  const remembered = (sentKey ?? key) === key && now - attemptedAt < KEY_REMEMBERED_MS;
  return uncertain && !(supports.idempotentPosts && remembered);
}
