import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Database, Store } from './schema.ts';

/** The number of rows that are deleted at once. The number is small, so that the statement hardly delays other work. */
const AT_ONCE = 500;

/**
 * Deletes some of the rows that were finished before `before` (epoch ms), in a short transaction. Resolves with true if
 * more rows may have to be deleted.
 */
export type Purge = (before: number) => Promise<boolean>;

/** Deletes at most `atMost` of the rows for which `isOver` is true. Resolves with their ids. */
export async function deleteSome(
  db: Store,
  table: keyof Database,
  isOver: RawBuilder<SqlBool>,
  atMost = AT_ONCE,
): Promise<readonly string[]> {
  const some = sql`select id from ${sql.table(table)} where ${isOver} limit ${atMost}`;
  // The condition is repeated, because a row may have changed while this statement waited for the row's lock.
  const gone = sql<{
    id: string;
  }>`delete from ${sql.table(table)} where id in (${some}) and ${isOver} returning id`;
  return (await gone.execute(db)).rows.map(({ id }) => id);
}

/** Works like `deleteSome`, but resolves with true if more rows may have to be deleted, as a `Purge` does. */
export async function purge(db: Store, table: keyof Database, isOver: RawBuilder<SqlBool>): Promise<boolean> {
  return (await deleteSome(db, table, isOver)).length === AT_ONCE;
}
