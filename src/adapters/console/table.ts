import { literalLine } from './literal.ts';
import { type SpanLine, span } from './spans.ts';
import { padTo, widthOf } from './width.ts';

const GAP = 2;

/**
 * An aligned table. Where it is wider than `room` each row becomes a block of `column: value` lines instead:
 * nothing is cut, so that a request_id can always be copied.
 */
export function tableLines(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  room: number | undefined,
): SpanLine[] {
  const head = columns.map(literalLine);
  const cells = rows.map((row) => head.map((_, index) => literalLine(row[index] ?? '')));
  const widths = head.map((name, index) =>
    Math.max(widthOf(name), ...cells.map((row) => widthOf(row[index] ?? ''))),
  );
  const whole = widths.reduce((sum, width) => sum + width, 0) + GAP * Math.max(0, widths.length - 1);
  if (room !== undefined && whole > room) return blocks(head, cells);
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : padTo(cell, (widths[index] ?? 0) + GAP)))
      .join('');
  return [[span(line(head), 'dim')], ...cells.map((row) => [span(line(row))])];
}

function blocks(head: readonly string[], cells: readonly (readonly string[])[]): SpanLine[] {
  const wide = Math.max(0, ...head.map(widthOf)) + GAP;
  return cells.flatMap((row, nth) => [
    ...(nth === 0 ? [] : [[]]),
    ...row.map((cell, index) => [span(padTo(head[index] ?? '', wide), 'dim'), span(cell)]),
  ]);
}
