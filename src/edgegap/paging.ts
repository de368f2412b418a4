import { z } from 'zod';

const whole = z.number().int().optional().catch(undefined);

/** The page numbers that Edgegap sends with the rows of a list. Some lists have no page numbers. */
export const Pagination = z
  .object({ number: whole, next_page_number: whole, has_next: z.boolean().optional().catch(undefined) })
  .optional()
  .catch(undefined);
export type Pagination = z.infer<typeof Pagination>;

/** A page of any list. `total` is the number of rows on all pages. */
export interface Page<Row> {
  rows: Row[];
  total: number | undefined;
  pagination: Pagination;
  /** The notes that the API added. Undefined if the page does not come from an API answer. */
  messages?: string[] | undefined;
}

/**
 * Returns the number of the page after `page`, or undefined if `page` is the last page. `read` is the number of rows
 * read so far, including the rows of `page`. The loop always ends, because an empty page ends the list, and each next
 * page must have a higher number.
 */
export function nextPage(page: number, answer: Page<unknown>, read: number): number | undefined {
  if (answer.rows.length === 0) return undefined;
  const { has_next, next_page_number } = answer.pagination ?? {};
  const more = has_next ?? (next_page_number !== undefined || (answer.total ?? 0) > read);
  if (!more) return undefined;
  return next_page_number !== undefined && next_page_number > page ? next_page_number : page + 1;
}

/**
 * Reads all pages in order. For the first page, `read` is called with undefined, because some lists accept no page
 * number.
 */
export async function* eachPage<Row>(
  read: (page: number | undefined) => Promise<Page<Row>>,
): AsyncGenerator<Row[], void, undefined> {
  let rows = 0;
  for (let page: number | undefined = 1; page !== undefined; ) {
    const answer: Page<Row> = await read(page === 1 ? undefined : page);
    rows += answer.rows.length;
    yield answer.rows;
    page = nextPage(page, answer, rows);
  }
}
