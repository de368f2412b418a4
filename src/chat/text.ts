/** Functions for text in a monospaced font, and for cutting text that is too long. */
import { graphemesOf, widthOf } from '../graphemes.ts';
import type { Table } from './card.ts';

/** Appends blanks until the text is `columns` wide. */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

/** The longest beginning of `text` that fits into `columns`. Returns at least the first character. */
export function headOf(text: string, columns: number): string {
  let head = '';
  let width = 0;
  for (const { segment } of graphemesOf(text)) {
    width += widthOf(segment);
    if (head !== '' && width > columns) break;
    head += segment;
  }
  return head;
}

/**
 * Renders a table as lines with aligned columns and two blanks between the columns. The first line holds the column
 * names.
 */
export function aligned({ columns, rows }: Table, shown: (cell: string) => string): string[] {
  // Each cell is measured only once, because measuring takes most of the time.
  const lines = [columns, ...rows].map((row) =>
    columns.map((_, column) => {
      const text = shown(row[column] ?? '');
      return { text, width: widthOf(text) };
    }),
  );
  const widest = columns.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.width ?? 0)));
  const padded = lines.map((cells) =>
    cells.map(({ text, width }, column) => text + ' '.repeat((widest[column] ?? 0) - width)),
  );
  return padded.map((cells) => cells.join('  ').trimEnd());
}

/**
 * Renders a table like `aligned`. If at least a tenth of the lines are wider than `width`, moves the last cells of each
 * row to a second line. Otherwise the client would wrap these lines and break the alignment.
 */
export function folded(table: Table, shown: (cell: string) => string, width: number): string[] {
  const first = (count: number) => aligned({ ...table, columns: table.columns.slice(0, count) }, shown);
  const isWide = (lines: readonly string[]) =>
    lines.slice(1).filter((line) => widthOf(line) > width).length * 10 >= lines.length;
  let count = table.columns.length;
  let lines = first(count);
  while (count > 1 && isWide(lines)) lines = first(--count);
  return lines.map((line, index) => {
    const cells = index === 0 ? table.columns : (table.rows[index - 1] ?? []);
    const rest = cells.slice(count).map(shown).filter(Boolean).join(' · ');
    return rest === '' ? line : `${line}\n  ${rest}`;
  });
}

/** Turns line breaks and runs of blanks into single blanks. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** The first `length` characters, with an ellipsis at the end if the text was cut. Never splits a surrogate pair. */
export function cutEnd(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, Math.max(0, length - 1)).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
