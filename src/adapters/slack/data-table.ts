import type { types } from '@slack/bolt';
import type { Table } from '../../chat/card.ts';
import { oneLine } from '../../chat/text.ts';
import { visible } from './cut.ts';
import { LIMITS } from './limits.ts';

/** The text of an empty cell, because Slack refuses a cell without text. */
const EMPTY = '–';

/**
 * Whether the table can become Slack's data table block. The block needs a caption and at least one row, and has limits
 * for its size.
 */
export function isDataTable({ caption, columns, rows }: Table): boolean {
  const { rows: most, columns: widest, characters } = LIMITS.dataTable;
  const length = [columns, ...rows].flat().reduce((sum, cell) => sum + Math.max(1, cell.length), 0);
  const fits = rows.length <= most && columns.length <= widest && length <= characters;
  return caption !== undefined && rows.length > 0 && columns.length > 0 && fits;
}

/** Puts all rows on one page of the block. People turn pages with the buttons of the message instead. */
export function dataTable({ caption = '', columns, rows }: Table): types.DataTableBlock {
  const cells = (row: readonly string[]) =>
    columns.map((_, column) => {
      const text = visible(oneLine(row[column] ?? ''));
      return { type: 'raw_text', text: text === '' ? EMPTY : text } as const;
    });
  return { type: 'data_table', caption, page_size: rows.length, rows: [columns, ...rows].map(cells) };
}
