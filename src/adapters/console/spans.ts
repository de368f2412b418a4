import { styleText } from 'node:util';
import { headOf } from '../../chat/text.ts';
import { widthOf } from '../../graphemes.ts';

export type Style = Parameters<typeof styleText>[0];

/** A piece of a line, in a single style. `text` is safe to print and holds no line break. */
export interface Span {
  readonly text: string;
  readonly style?: Style;
}

export type SpanLine = readonly Span[];

export function span(text: string, style?: Style): Span {
  return { text, style };
}

/** Returns the line as it is written to the terminal. */
export function paint(line: SpanLine, color: boolean): string {
  return line
    .map(({ text, style }) =>
      // `color` already takes into account whether the stream and the environment allow colours.
      style === undefined || !color ? text : styleText(style, text, { validateStream: false }),
    )
    .join('')
    .trimEnd();
}

export function widthOfLine(line: SpanLine): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0);
}

/**
 * The words of a line, each with the blanks after the word. A word may have several styles, for example if a comma
 * follows a bold word.
 */
function wordsOf(line: SpanLine): Span[][] {
  const words: Span[][] = [];
  let open = false;
  for (const { text, style } of line)
    for (const piece of text.split(/(?<= )(?=[^ ])/)) {
      if (!open || words.length === 0) words.push([]);
      words.at(-1)?.push(span(piece, style));
      open = !piece.endsWith(' ');
    }
  return words;
}

function widthOfWord(word: SpanLine): number {
  return widthOf(
    word
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );
}

/** The width of the longest word, in columns. */
export function longestWord(lines: readonly SpanLine[]): number {
  return Math.max(0, ...lines.flatMap(wordsOf).map(widthOfWord));
}

/**
 * Folds a line at blanks, so that each part has at most `columns` columns. A word that is longer than a whole line is
 * broken.
 */
export function fold(line: SpanLine, columns: number | undefined): SpanLine[] {
  if (columns === undefined || widthOfLine(line) <= columns) return [line];
  if (columns < 2) throw new RangeError(`No line folds to ${columns} columns: a wide character takes two`);
  const lines: Span[][] = [[]];
  let used = 0;
  const feed = () => {
    lines.push([]);
    used = 0;
  };
  for (const word of wordsOf(line)) {
    if (used > 0 && used + widthOfWord(word) > columns) feed();
    for (const { text, style } of word) {
      let rest = text;
      while (used + widthOf(rest.trimEnd()) > columns) {
        // A wide character takes two columns.
        const head = columns - used < 2 ? '' : headOf(rest, columns - used);
        if (head !== '') lines.at(-1)?.push(span(head, style));
        rest = rest.slice(head.length);
        feed();
      }
      lines.at(-1)?.push(span(rest, style));
      used += widthOf(rest);
    }
  }
  return lines;
}
