import type { Line, Rich } from '../cards/card.ts';
import type { OutboxRow } from './row.ts';

/** From this many waiting lines on, a channel gets them as one message. */
const FOLD_FROM = 4;
export const FOLD_AT_MOST = 10;
/** Keeps a digest within every platform's text limit (Slack's section: 3000), markup included: nothing is cut. */
const FOLD_CHARACTERS = 2_000;

/** Whether it may be one of several in a message: never a failure, nor what may have been shown already. */
export function isFoldable(row: OutboxRow): boolean {
  return (
    (row.kind === 'post' || row.kind === 'tell') &&
    !row.urgent &&
    !row.uncertain &&
    // What was sent by itself stays by itself: it may be what a digest was refused for.
    row.sentKey !== row.key &&
    row.message?.kind === 'line'
  );
}

/** `lines` as one digest when there are many, as many from the beginning as it can hold; else the first alone. */
export function fold(lines: readonly OutboxRow[]): readonly OutboxRow[] {
  let characters = 0;
  const end = lines.findIndex(({ message }) => {
    characters += JSON.stringify(message?.kind === 'line' ? message.text : '').length + 1;
    return characters > FOLD_CHARACTERS;
  });
  const together = lines.slice(0, Math.min(end < 0 ? lines.length : end, FOLD_AT_MOST));
  return together.length >= FOLD_FROM ? together : lines.slice(0, 1);
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

/** The key a digest is posted with: never that of one of its rows, which may have to be posted by itself later. */
export function digestKey(rows: readonly OutboxRow[]): string {
  return `${rows[0]?.key}d`;
}
