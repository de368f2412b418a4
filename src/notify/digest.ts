import { sql, type UpdateObject } from 'kysely';
import type { Line, Message, Rich } from '../chat/card.ts';
import type { DeliveryError } from '../errors.ts';
import type { Database, Store } from '../store/schema.ts';
import { reasonOf } from './retry-policy.ts';
import { FOLDED, fromRow, type OutboxRow, PENDING, toJson } from './row.ts';

/** From this many waiting lines on, a channel gets the lines as a single message. */
const FOLD_FROM = 4;
export const FOLD_AT_MOST = 10;

/** Whether a row may become part of a digest. A failure may not, nor a row that was attempted before. */
export function isFoldable({ kind, urgent, sentKey, message }: OutboxRow): boolean {
  return (kind === 'post' || kind === 'tell') && !urgent && sentKey === undefined && message?.kind === 'line';
}

/**
 * The lines to send as one message: when many wait, as many from the beginning as fit into a digest; otherwise the
 * first line alone.
 */
export function fold(lines: readonly OutboxRow[], fits: (digest: Line) => boolean): readonly OutboxRow[] {
  if (lines.length < FOLD_FROM) return lines.slice(0, 1);
  let count = Math.min(lines.length, FOLD_AT_MOST);
  // Leaves room for the words that a repeated digest adds.
  while (count > 1 && !fits(possiblyRepeated(digestOf(lines.slice(0, count))))) count--;
  return lines.slice(0, count);
}

/** Joins several lines into a single line. */
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
 * The id of a digest is the id of its first line, moved so far below zero that digests go before all other rows, oldest
 * first.
 */
const DIGEST_IDS = Number.MIN_SAFE_INTEGER;

export const isDigest = ({ id }: Pick<OutboxRow, 'id'>) => id < 0;

/**
 * Writes `lines` as a single row of the outbox, as old as the first line. The digest has its own key, as each line may
 * later have to be posted alone. Until then the lines are `folded`, with the digest's key as their `sent_key`.
 */
export async function writeDigest(tx: Store, lines: readonly OutboxRow[]): Promise<OutboxRow | undefined> {
  const key = `${lines[0]?.key}d`;
  const ids = lines.map(({ id }) => id);
  const rows = tx.updateTable('outbox').set({ state: 'folded', sent_key: key }).where('id', 'in', ids);
  const folded = await rows.where('state', '=', PENDING).returningAll().execute();
  const [first] = folded.toSorted((a, b) => a.id - b.id);
  if (!first) return undefined;
  const message_json = toJson(digestOf(lines.filter(({ id }) => folded.some((row) => row.id === id))));
  // A digest is posted under no card.
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

/** Changes the lines folded into `digest`; returns the lines, oldest first. */
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
 * Replaces a digest that ended by its lines, each to be sent alone: a single line may have caused the end. If the
 * digest may have been shown all the same, each line is searched for under the digest's key.
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

/** Says that a message may be a repetition; a line says so once, however often the line is tried. */
export function possiblyRepeated<Kind extends Message>(message: Kind): Kind;
export function possiblyRepeated(message: Message): Message {
  if (message.kind === 'card')
    return { ...message, nodes: [...message.nodes, { kind: 'note', text: ['Possibly repeated'] }] };
  return message.text.at(-1) === REPEATED ? message : { ...message, text: [...message.text, REPEATED] };
}
