import { aligned, cutEnd, oneLine } from '../../chat/text.ts';
import { shares } from './limits.ts';

/** Rows as aligned plain text for a block of code, at most `room` characters; says how many rows did not fit. */
export function tableText(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  room: number,
): string {
  const lines = aligned(columns, rows, (cell) => cutEnd(oneLine(cell), shares.cell));
  const shown: string[] = [];
  let length = 0;
  for (const [i, line] of lines.entries()) {
    const rest = lines.length - i;
    const after = rest > 1 ? more(rest - 1).length + 1 : 0;
    if (length + line.length + 1 + after > room) return [...shown, more(rest)].join('\n');
    shown.push(line);
    length += line.length + 1;
  }
  return shown.join('\n');
}

function more(rows: number): string {
  return `… and ${rows} more`;
}
