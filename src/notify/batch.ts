import type { Line } from '../cards/card.ts';
import type { OutboxRow } from './outbox.ts';

/** From this many waiting lines on, a channel gets them as one message. */
const FOLD_FROM = 4;
/** Keeps a digest within every platform's text limit. */
const FOLD_AT_MOST = 10;

/**
 * What to send next to one channel, of the rows that are due there (the oldest of each deployment, in the order in
 * which they were written): a failure first; else the oldest, and with it, when many lines wait, those that fold
 * into one digest.
 */
export function nextBatch(due: readonly OutboxRow[]): readonly OutboxRow[] {
  const urgent = due.find((row) => row.urgent);
  if (urgent) return [urgent];
  const [oldest] = due;
  if (!oldest) return [];
  const foldable = due.filter(isFoldable);
  return isFoldable(oldest) && foldable.length >= FOLD_FROM ? foldable.slice(0, FOLD_AT_MOST) : [oldest];
}

function isFoldable(row: OutboxRow): boolean {
  return row.kind === 'post' && !row.urgent && !row.uncertain && row.message.kind === 'line';
}

/** Several lines as one. */
export function digestOf(rows: readonly OutboxRow[]): Line {
  const lines = rows.map((row) => row.message).filter((message) => message.kind === 'line');
  return {
    kind: 'line',
    tone: lines.every((line) => line.tone === lines[0]?.tone) ? (lines[0]?.tone ?? 'neutral') : 'neutral',
    text: lines.flatMap((line, index) => (index === 0 ? line.text : ['\n', ...line.text])),
  };
}
