import { SqliteAdapter, sql } from 'kysely';
import type { Store } from './schema.ts';

/**
 * How many pages are freed at a time. With the usual pages of 4096 bytes, this is 600 KB and takes about 10 ms. All
 * other work has to wait during this time.
 */
const PAGES = 150;

/** Gives the space of deleted rows back to the disk. PostgreSQL does this by itself, but a SQLite file does not. */
export async function returnFreeSpace(store: Store): Promise<false> {
  if (!(store.getExecutor().adapter instanceof SqliteAdapter)) return false;
  let before = Number.POSITIVE_INFINITY;
  for (;;) {
    const { pages, free } = await sizeOf(store);
    // The loop also ends when the file no longer shrinks. It must not wait until `free` is 0, because other work frees
    // more pages all the time. A file that was created before the bot used the setting `auto_vacuum` never shrinks.
    if (free === 0 || pages >= before) break;
    before = pages;
    await sql.raw(`PRAGMA incremental_vacuum(${PAGES})`).execute(store);
    // Other work may use the store between two steps.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(store);
  return false;
}

async function sizeOf(store: Store): Promise<{ pages: number; free: number }> {
  const { rows } = await sql<{ pages: number; free: number }>`
    select page_count as pages, freelist_count as free from pragma_page_count, pragma_freelist_count`.execute(
    store,
  );
  return rows[0] ?? { pages: 0, free: 0 };
}
