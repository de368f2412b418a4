import { SqliteAdapter, sql } from 'kysely';
import type { Store } from './schema.ts';

/** So many pages at a time, 600 KB of the usual 4096 bytes: about 10 ms, in which everything else waits. */
const PAGES = 150;

/** Gives all the room of what was deleted back to the disk. PostgreSQL does so by itself, and a SQLite file does not. */
export async function giveBack(store: Store): Promise<false> {
  if (!(store.getExecutor().adapter instanceof SqliteAdapter)) return false;
  let before = Number.POSITIVE_INFINITY;
  for (;;) {
    const { pages, free } = await sizeOf(store);
    // Not by what is free: others free more meanwhile. In a file from before it was told to, nothing shrinks.
    if (free === 0 || pages >= before) break;
    before = pages;
    await sql.raw(`PRAGMA incremental_vacuum(${PAGES})`).execute(store);
    // Whoever else waits has a turn in between.
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
