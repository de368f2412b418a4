import { sql, type UpdateObject } from 'kysely';
import type { Line, Message, Rich } from '../chat/card.ts';
import type { DeliveryError } from '../errors.ts';
import type { Database, Store } from '../store/schema.ts';
import { reasonOf } from './retry-policy.ts';
import { FOLDED, fromRow, type OutboxRow, PENDING, toJson } from './row.ts';

/** If at least this many lines wait for a channel, they are sent to the channel as a single message. */
const FOLD_FROM = 4;
export const FOLD_AT_MOST = 10;

/**
 * Whether a row may become part of a digest. Messages about failures, and rows that were already attempted, are always
 * sent alone.
 */
export function isFoldable({ kind, urgent, sentKey, message }: OutboxRow): boolean {
  return (kind === 'post' || kind === 'tell') && !urgent && sentKey === undefined && message?.kind === 'line';
}

/**
 * Returns the lines to send as a single message. If many lines wait, returns the oldest lines that fit into a digest.
 * If few lines wait, returns only the first line.
 */
export function fold(lines: readonly OutboxRow[], fits: (digest: Line) => boolean): readonly OutboxRow[] {
  if (lines.length < FOLD_FROM) return lines.slice(0, 1);
  let count = Math.min(lines.length, FOLD_AT_MOST);
  // The measured digest includes the note about a repetition, so that the note fits if the digest is sent again.
  while (count > 1 && !fits(possiblyRepeated(digestOf(lines.slice(0, count))))) count--;
  return lines.slice(0, count);
}

/** Joins several lines into a single line, which is the text of a digest. */
export function digestOf(rows: readonly OutboxRow[]): Line {
  const lines = rows.map((row) => row.message).filter((message) => message?.kind === 'line');
  const [first] = lines;
  return {
    kind: 'line',
    tone: first && lines.every((line) => line.tone === first.tone) ? first.tone : 'neutral',
    text: lines.flatMap((line, index): Rich => (index === 0 ? line.text : ['\n', ...line.text])),
  };
}

/**
 * The id of a digest is the id of its first line plus this large negative number. In the order of ids, digests
 * therefore come before all other rows, and older digests come before newer digests.
 */
const DIGEST_IDS = Number.MIN_SAFE_INTEGER;

export const isDigest = ({ id }: Pick<OutboxRow, 'id'>) => id < 0;

/**
 * Writes `lines` as one outbox row with the creation time of the first line. The digest gets its own key, because its
 * lines may have to be posted separately if the digest fails. While the digest waits to be sent, the lines have the
 * state `folded`, and their `sent_key` is the digest's key.
 */
export async function writeDigest(tx: Store, lines: readonly OutboxRow[]): Promise<OutboxRow | undefined> {
  const key = `${lines[0]?.key}d`;
  const ids = lines.map(({ id }) => id);
  const rows = tx.updateTable('outbox').set({ state: 'folded', sent_key: key }).where('id', 'in', ids);
  const folded = await rows.where('state', '=', PENDING).returningAll().execute();
  const [first] = folded.toSorted((a, b) => a.id - b.id);
  if (!first) return undefined;
  const message_json = toJson(digestOf(lines.filter(({ id }) => folded.some((row) => row.id === id))));
  // A digest is never posted below a card.
  const values = {
    ...first,
    id: first.id + DIGEST_IDS,
    key,
    message_json,
    target_json: null,
    state: 'pending',
  };
  await tx.insertInto('outbox').values(values).execute();
  return fromRow(values);
}

/** Changes the lines that are folded into `digest`. Returns the lines, oldest first. */
export async function updateLines(
  tx: Store,
  { key }: OutboxRow,
  change: UpdateObject<Database, 'outbox'>,
): Promise<readonly OutboxRow[]> {
  const lines = tx.updateTable('outbox').set(change).where('state', '=', FOLDED).where('sent_key', '=', key);
  const rows = await lines.returningAll().execute();
  return rows.map(fromRow).toSorted((a, b) => a.id - b.id);
}

/**
 * Deletes a digest that will not be tried again, and makes its lines pending again. Each line is then sent alone,
 * because a single line may have caused the failure. The digest may have been shown despite the failure. In this case,
 * the channel is searched for the digest's key before each line is sent.
 */
export async function unfold(tx: Store, digest: OutboxRow, error: DeliveryError, next_at: number) {
  const { id, key, attempts, attemptedAt: attempted_at } = digest;
  const uncertain = digest.uncertain || error.outcome === 'unknown';
  await tx.deleteFrom('outbox').where('id', '=', id).execute();
  const sent_key = uncertain ? key : sql<string>`key`;
  const facts = { ...reasonOf(error), uncertain: Number(uncertain), attempts, attempted_at, next_at };
  return await updateLines(tx, digest, { ...facts, sent_key, state: 'pending' });
}

const REPEATED = ' (possibly repeated)';

/**
 * Adds a note that the message may be a repetition. A line gets the note only once, even if the line is tried several
 * times.
 */
export function possiblyRepeated<Kind extends Message>(message: Kind): Kind;
export function possiblyRepeated(message: Message): Message {
  if (message.kind === 'card')
    return { ...message, nodes: [...message.nodes, { kind: 'note', text: ['Possibly repeated'] }] };
  return message.text.at(-1) === REPEATED ? message : { ...message, text: [...message.text, REPEATED] };
}
