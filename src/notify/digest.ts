import { sql, type UpdateObject } from 'kysely';
import type { Line, Message, Rich } from '../chat/card.ts';
import type { DeliveryError } from '../errors.ts';
import type { Database, Store } from '../store/schema.ts';
import { reasonOf } from './retry-policy.ts';
import { FOLDED, fromRow, type OutboxRow, PENDING, toJson } from './row.ts';

/** From this many waiting lines on, a channel gets them as one message. */
const FOLD_FROM = 4;
export const FOLD_AT_MOST = 10;

/** Whether a row may be one of several in a message: no failure may, nor what was attempted before. */
export function isFoldable({ kind, urgent, sentKey, message }: OutboxRow): boolean {
  return (kind === 'post' || kind === 'tell') && !urgent && sentKey === undefined && message?.kind === 'line';
}

/** `lines` as one digest when there are many, as many from the beginning as fit; else the first alone. */
export function fold(lines: readonly OutboxRow[], fits: (digest: Line) => boolean): readonly OutboxRow[] {
  if (lines.length < FOLD_FROM) return lines.slice(0, 1);
  let count = Math.min(lines.length, FOLD_AT_MOST);
  // It may come to be repeated, which it then says.
  while (count > 1 && !fits(possiblyRepeated(digestOf(lines.slice(0, count))))) count--;
  return lines.slice(0, count);
}

/** Several lines as one. */
export function digestOf(rows: readonly OutboxRow[]): Line {
  const lines = rows.map((row) => row.message).filter((message) => message?.kind === 'line');
  const [first] = lines;
  return {
    kind: 'line',
    tone: first && lines.every((line) => line.tone === first.tone) ? first.tone : 'neutral',
    text: lines.flatMap((line, index): Rich => (index === 0 ? line.text : ['\n', ...line.text])),
  };
}

/** A digest's id is its first line's, so far below zero that digests go before all other rows, oldest first. */
const DIGEST_IDS = Number.MIN_SAFE_INTEGER;

export const isDigest = ({ id }: Pick<OutboxRow, 'id'>) => id < 0;

/**
 * Writes `lines` as one row of the outbox, as old as the first of them and posted under a key of its own: each line may
 * have to be posted by itself later. Until then the lines are `folded`, with the digest's key as their `sent_key`.
 */
export async function writeDigest(tx: Store, lines: readonly OutboxRow[]): Promise<OutboxRow | undefined> {
  const key = `${lines[0]?.key}d`;
  const ids = lines.map(({ id }) => id);
  const rows = tx.updateTable('outbox').set({ state: 'folded', sent_key: key }).where('id', 'in', ids);
  const folded = await rows.where('state', '=', PENDING).returningAll().execute();
  const [first] = folded.toSorted((a, b) => a.id - b.id);
  if (!first) return undefined;
  const message_json = toJson(digestOf(lines.filter(({ id }) => folded.some((row) => row.id === id))));
  // A digest hangs under no card.
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

/** Changes the lines that are in `digest`; returns them, oldest first. */
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
 * In place of a digest that ended, each of its lines goes by itself from now on: the end need not be that line's fault.
 * Where the digest may have been shown all the same, each line is looked for under the digest's key.
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

/** Says so once, however often it is tried. */
export function possiblyRepeated<Kind extends Message>(message: Kind): Kind;
export function possiblyRepeated(message: Message): Message {
  if (message.kind === 'card')
    return { ...message, nodes: [...message.nodes, { kind: 'note', text: ['Possibly repeated'] }] };
  return message.text.at(-1) === REPEATED ? message : { ...message, text: [...message.text, REPEATED] };
}
