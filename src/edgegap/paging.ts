import { z } from 'zod';

const whole = z.number().int().optional().catch(undefined);

/** The page numbers beside the rows of a list; some lists have no page numbers. */
export const Pagination = z
  .object({ number: whole, next_page_number: whole, has_next: z.boolean().optional().catch(undefined) })
  .optional()
  .catch(undefined);
export type Pagination = z.infer<typeof Pagination>;

/** One page of any list. `total` counts the rows of all pages. */
export interface Page<Row> {
  rows: Row[];
  total: number | undefined;
  pagination: Pagination;
  /** The API's own notes; undefined on a page that was not read from an answer. */
  messages?: string[] | undefined;
}

/**
 * The number of the page after `page`; undefined after the last page. `read` is how many rows have been read so far,
 * those of `page` included. Following pages always ends: an empty page ends the list regardless of the page numbers,
 * and a next page must have a higher number.
 */
export function nextPage(page: number, answer: Page<unknown>, read: number): number | undefined {
  if (answer.rows.length === 0) return undefined;
  const { has_next, next_page_number } = answer.pagination ?? {};
  const more = has_next ?? (next_page_number !== undefined || (answer.total ?? 0) > read);
  if (!more) return undefined;
  return next_page_number !== undefined && next_page_number > page ? next_page_number : page + 1;
}

/** Reads page after page. `read` gets undefined for the first page: not every list takes a page number. */
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
