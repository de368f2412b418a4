import type { Line, Rich } from '../cards/card.ts';
import type { Waiting } from './queue.ts';
import type { OutboxRow } from './row.ts';

/** From this many waiting lines on, a channel gets them as one message. */
const FOLD_FROM = 4;
export const FOLD_AT_MOST = 10;
/** Keeps a digest within every platform's text limit (Slack's section: 3000), markup included: nothing is cut. */
const FOLD_CHARACTERS = 2_000;

/**
 * What to send next to one channel: what a failure waits in or behind, alone; else the oldest, and with it, when many
 * lines wait, those that fold into one digest. A line is the channel's turn also where only its own card's edit
 * stands before it.
 */
export function nextBatch({ head, pressing, lines }: Waiting): readonly OutboxRow[] {
  if (pressing) return [head];
  const own = lines.find((line) => line.orderKey === head.orderKey);
  if (!own) return [head];
  // A thread is a place of its own, and what is posted there belongs there.
  const together = fitting([own, ...lines.filter((line) => line !== own && sameThread(line, own))]);
  return together.length >= FOLD_FROM ? together.toSorted((a, b) => a.id - b.id) : [head];
}

/** As many from the beginning as make one digest. */
function fitting(lines: readonly OutboxRow[]): readonly OutboxRow[] {
  let characters = 0;
  const end = lines.findIndex((line) => {
    characters += lengthOf(line) + 1;
    return characters > FOLD_CHARACTERS;
  });
  return lines.slice(0, Math.min(end < 0 ? lines.length : end, FOLD_AT_MOST));
}

function lengthOf({ message }: OutboxRow): number {
  return message.kind === 'line' ? JSON.stringify(message.text).length : Number.POSITIVE_INFINITY;
}

function sameThread(a: OutboxRow, b: OutboxRow): boolean {
  return a.to.thread === b.to.thread;
}

/** Several lines as one. */
export function digestOf(rows: readonly OutboxRow[]): Line {
  const lines = rows.map((row) => row.message).filter((message) => message.kind === 'line');
  const [first] = lines;
  return {
    kind: 'line',
    tone: first && lines.every((line) => line.tone === first.tone) ? first.tone : 'neutral',
    text: lines.flatMap((line, index): Rich => (index === 0 ? line.text : ['\n', ...line.text])),
  };
}

/** The key a digest is posted with: never that of one of its rows, which may have to be posted by itself later. */
export function digestKey(rows: readonly OutboxRow[]): string {
  return `${rows[0]?.key}d`;
}
