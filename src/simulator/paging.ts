import { RouteRefusal } from './refusal.ts';

/** The default is small, so that a client fails early if it does not read all pages. */
const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

export interface PageOf<T> {
  readonly items: readonly T[];
  readonly total_count: number;
  readonly pagination: object;
}

/** Returns the page that `page` and `limit` select. `total_count` counts the rows of all pages. */
export function paginate<T>(all: readonly T[], query: URLSearchParams): PageOf<T> {
  const number = positive(query, 'page', 1);
  const limit = Math.min(positive(query, 'limit', DEFAULT_LIMIT), MAX_LIMIT);
  const pages = Math.max(1, Math.ceil(all.length / limit));
  const start = (number - 1) * limit;
  return {
    items: all.slice(start, start + limit),
    total_count: all.length,
    pagination: {
      number,
      next_page_number: number < pages ? number + 1 : null,
      previous_page_number: number > 1 ? number - 1 : null,
      paginator: { num_pages: pages },
      has_next: number < pages,
      has_previous: number > 1,
    },
  };
}

function positive(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new RouteRefusal(400, `${name} must be a whole number above zero`);
  return Number(text);
}
