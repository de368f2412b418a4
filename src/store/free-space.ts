import { SqliteAdapter, sql } from 'kysely';
import type { Store } from './schema.ts';

/**
 * The number of pages that are freed at once. With the usual pages of 4096 bytes, this is 600 KB and takes about 10 ms.
 * All other work waits during this time.
 */
const PAGES = 150;

/** Returns the space of deleted rows to the file system. PostgreSQL does this automatically, but SQLite does not. */
export async function returnFreeSpace(store: Store): Promise<false> {
  if (!(store.getExecutor().adapter instanceof SqliteAdapter)) return false;
  let before = Number.POSITIVE_INFINITY;
  for (;;) {
    const { pages, free } = await sizeOf(store);
    // The loop also ends when the file stops shrinking. Waiting until `free` is 0 might take forever, because other
    // work constantly frees more pages. A file that was created before the bot used the setting `auto_vacuum` never
    // shrinks.
    if (free === 0 || pages >= before) break;
    before = pages;
    await sql.raw(`PRAGMA incremental_vacuum(${PAGES})`).execute(store);
    // Other work can use the store between two steps.
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
