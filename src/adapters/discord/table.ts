import { shares } from './limits.ts';

/** Rows as aligned plain text for a block of code, at most `room` characters; says how many rows did not fit. */
export function tableText(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  room: number,
): string {
  const cells = [columns, ...rows].map((row) => columns.map((_, i) => cellText(row[i] ?? '')));
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => widthOf(row[i] ?? ''))));
  const lines = cells.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - widthOf(cell))))
      .join('  ')
      .trimEnd(),
  );
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

function cellText(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const characters = [...line];
  return characters.length > shares.cell ? `${characters.slice(0, shares.cell - 1).join('')}…` : line;
}

/** Columns on screen in a monospaced font: East Asian wide characters and emoji take two. */
function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width +=
      /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u.test(
        segment,
      )
        ? 2
        : 1;
  }
  return width;
}
