import { aligned, padTo, widthOf } from '../../chat/text.ts';
import { literalLine } from './literal.ts';
import { type SpanLine, span } from './spans.ts';

/**
 * An aligned table. Where it is wider than `room` each row becomes a block of `column: value` lines instead:
 * nothing is cut, so that a request_id can always be copied.
 */
export function tableLines(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  room: number | undefined,
): SpanLine[] {
  const lines = aligned(columns, rows, literalLine);
  if (room !== undefined && lines.some((line) => widthOf(line) > room)) return blocks(columns, rows);
  return lines.map((line, nth) => [span(line, nth === 0 ? 'dim' : undefined)]);
}

function blocks(columns: readonly string[], rows: readonly (readonly string[])[]): SpanLine[] {
  const head = columns.map(literalLine);
  const wide = Math.max(0, ...head.map(widthOf)) + 2;
  return rows.flatMap((row, nth) => [
    ...(nth === 0 ? [] : [[]]),
    ...head.map((name, index) => [span(padTo(name, wide), 'dim'), span(literalLine(row[index] ?? ''))]),
  ]);
}
