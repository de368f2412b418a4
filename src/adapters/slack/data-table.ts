import type { types } from '@slack/bolt';
import type { Table } from '../../chat/card.ts';
import { oneLine } from '../../chat/text.ts';
import { visible } from './cut.ts';
import { LIMITS } from './limits.ts';

/** The text for an empty cell, because Slack refuses empty cells. */
const EMPTY = '–';

/** Whether Slack can show the table as a data table, which needs a caption and at least one row. */
export function isDataTable({ caption, columns, rows }: Table): boolean {
  const { rows: most, columns: widest, characters } = LIMITS.dataTable;
  const length = [columns, ...rows].flat().reduce((sum, cell) => sum + Math.max(1, cell.length), 0);
  const fits = rows.length <= most && columns.length <= widest && length <= characters;
  return caption !== undefined && rows.length > 0 && columns.length > 0 && fits;
}

/** Shows all rows on a single page, because the bot's own buttons turn the pages of a long table. */
export function dataTable({ caption = '', columns, rows }: Table): types.DataTableBlock {
  const cells = (row: readonly string[]) =>
    columns.map((_, column) => {
      const text = visible(oneLine(row[column] ?? ''));
      return { type: 'raw_text', text: text === '' ? EMPTY : text } as const;
    });
  return { type: 'data_table', caption, page_size: rows.length, rows: [columns, ...rows].map(cells) };
}
