import type { Table } from '../../chat/card.ts';
import { aligned, padTo, widthOf } from '../../chat/text.ts';
import { literalLine } from './literal.ts';
import { type SpanLine, span } from './spans.ts';

/**
 * Renders an aligned table. If the table is wider than `room`, each row becomes a block of `column: value` lines
 * instead. Cells are never cut, so that a request_id can always be copied.
 */
export function tableLines(table: Table, room: number | undefined): SpanLine[] {
  const lines = aligned(table, literalLine);
  if (room !== undefined && lines.some((line) => widthOf(line) > room)) return blocks(table);
  return lines.map((line, nth) => [span(line, nth === 0 ? 'dim' : undefined)]);
}

function blocks({ columns, rows }: Table): SpanLine[] {
  const head = columns.map(literalLine);
  const wide = Math.max(0, ...head.map(widthOf)) + 2;
  return rows.flatMap((row, nth) => [
    ...(nth === 0 ? [] : [[]]),
    ...head.map((name, index) => [span(padTo(name, wide), 'dim'), span(literalLine(row[index] ?? ''))]),
  ]);
}
