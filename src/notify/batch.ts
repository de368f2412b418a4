import type { Line, Message, Rich } from '../chat/card.ts';
import { FAULT } from './fate.ts';
import type { OutboxRow } from './row.ts';

/** From this many waiting lines on, a channel gets them as one message. */
const FOLD_FROM = 4;
export const FOLD_AT_MOST = 10;

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

/**
 * The key a digest is posted with: never that of one of its rows, which may have to be posted by itself later. One that
 * may have been shown keeps its key.
 */
export function digestKey([first]: readonly OutboxRow[]): string {
  return first?.uncertain && first.sentKey ? first.sentKey : `${first?.key}d`;
}

/**
 * Whether the row was part of a digest that may have been shown, and is still: what else was in it goes along, so that
 * it is looked for once and is not many messages. A fault of the bot's own may be over one of its rows, so those part.
 */
export function isInDigest({ uncertain, sentKey, key, reasonCode }: OutboxRow): boolean {
  return uncertain && sentKey !== undefined && sentKey !== key && reasonCode !== FAULT;
}

const REPEATED = ' (possibly repeated)';

/** Says so once, however often it is tried. */
export function possiblyRepeated<Kind extends Message>(message: Kind): Kind;
export function possiblyRepeated(message: Message): Message {
  if (message.kind === 'card')
    return { ...message, nodes: [...message.nodes, { kind: 'note', text: ['Possibly repeated'] }] };
  return message.text.at(-1) === REPEATED ? message : { ...message, text: [...message.text, REPEATED] };
}
