import { styleText } from 'node:util';
import { headOf, widthOf } from '../../chat/text.ts';

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
  for (const { text, style } of line) {
    for (const word of text.split(/(?<= )(?=[^ ])/)) {
      let rest = word;
      const width = widthOf(rest.trimEnd());
      if (used > 0 && used + width > columns) feed();
      while (widthOf(rest.trimEnd()) > columns) {
        const head = headOf(rest, columns);
        lines.at(-1)?.push({ text: head, style });
        rest = rest.slice(head.length);
        feed();
      }
      lines.at(-1)?.push({ text: rest, style });
      used += widthOf(rest);
    }
  }
  return lines;
}
