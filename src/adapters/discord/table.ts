import type { Table } from '../../chat/card.ts';
import { largest } from '../../chat/shorten.ts';
import { cutEnd, folded, oneLine } from '../../chat/text.ts';
import { shares } from './limits.ts';

/**
 * Renders rows as aligned plain text for a block of code, with at most `room` characters. A last line says how many
 * rows did not fit.
 */
export function tableText(table: Table, room: number): string {
  const lines = folded(table, (cell) => cutEnd(oneLine(cell), shares.cell), shares.line);
  const whole = lines.join('\n');
  if (whole.length <= room) return whole;
  const first = (count: number) =>
    [...lines.slice(0, count), `… and ${lines.length - count} more`].join('\n');
  return first(largest(0, lines.length, (count) => first(count).length <= room) ?? 0);
}
