import type { Table } from '../../chat/card.ts';
import { aligned, padTo } from '../../chat/text.ts';
import { widthOf } from '../../graphemes.ts';
import { literalLine } from './literal.ts';
import { fold, type SpanLine, span } from './spans.ts';

/** Minimum number of columns for a table. If fewer columns fit, each row is shown as a block. */
const FEWEST = 4;

/**
 * Renders an aligned table. If the table is wider than `room`, the last columns are left out, and a line below the
 * table names them. If fewer than four columns fit, each row becomes a block of `column: value` lines. Cells are never
 * cut, so that people can copy a request_id from the table.
 */
export function tableLines(table: Table, room = Number.POSITIVE_INFINITY): SpanLine[] {
  const { columns } = table;
  for (let count = columns.length; count >= Math.min(FEWEST, columns.length); count--) {
    const lines = aligned({ ...table, columns: columns.slice(0, count) }, literalLine);
    if (lines.some((line) => widthOf(line) > room)) continue;
    const left = columns.slice(count).map(literalLine).join(', ');
    const foot = left && `Left out, because the window is narrow: ${left}`;
    return [
      ...lines.map((line, nth) => [span(line, nth === 0 ? 'dim' : undefined)]),
      ...(foot ? fold([span(foot, 'dim')], room) : []),
    ];
  }
  return blocks(table);
}

function blocks({ columns, rows }: Table): SpanLine[] {
  const head = columns.map(literalLine);
  const wide = Math.max(0, ...head.map(widthOf)) + 2;
  return rows.flatMap((row, nth) => [
    ...(nth === 0 ? [] : [[]]),
    ...head.map((name, index) => [span(padTo(name, wide), 'dim'), span(literalLine(row[index] ?? ''))]),
  ]);
}
