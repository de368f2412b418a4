import { SqliteAdapter, sql } from 'kysely';
import type { Store } from './store.ts';

/** At most so many pages at a time, so that nobody waits for long: 8 MB of the usual 4096 bytes. */
const PAGES = 2_000;

/** Gives the room of what was deleted back to the disk. PostgreSQL does so by itself, and a SQLite file does not. */
export async function giveBack(store: Store): Promise<void> {
  if (!(store.getExecutor().adapter instanceof SqliteAdapter)) return;
  let before = Number.POSITIVE_INFINITY;
  // In a file from before it was told to, nothing shrinks.
  for (let free = await unused(store); free > 0 && free < before; free = await unused(store)) {
    before = free;
    await sql.raw(`PRAGMA incremental_vacuum(${PAGES})`).execute(store);
  }
  await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(store);
}

async function unused(store: Store): Promise<number> {
  const { rows } = await sql<{ freelist_count: number }>`PRAGMA freelist_count`.execute(store);
  return rows[0]?.freelist_count ?? 0;
}
