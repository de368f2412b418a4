import type { Node } from '../../chat/card.ts';

const GAP = '  ';

/**
 * A table as monospaced lines. Slack's own table block allows one per message and nowhere but at its end
 * (table block reference), and cards may hold several.
 */
export function tableLines({ columns, rows }: Extract<Node, { kind: 'table' }>): string {
  const lines = [columns, ...rows].map((cells) => cells.map(oneLine));
  const widths = columns.map((_, column) =>
    Math.max(...lines.map((cells) => [...(cells[column] ?? '')].length)),
  );
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join(GAP)
        .trimEnd(),
    )
    .join('\n');
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - [...cell].length));
}

function oneLine(cell: string): string {
  return cell.replace(/\s+/g, ' ');
}
