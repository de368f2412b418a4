import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Database, Store } from './schema.ts';

/** So few rows that the statement keeps no other work waiting. */
const AT_ONCE = 500;

/**
 * Deletes some of the rows that were finished before `before` (epoch ms), in one short transaction. True while there
 * may be more of these rows.
 */
export type Purge = (before: number) => Promise<boolean>;

/** Deletes `atMost` of the rows of which `isOver` is true; resolves with their ids. */
export async function deleteSome(
  db: Store,
  table: keyof Database,
  isOver: RawBuilder<SqlBool>,
  atMost = AT_ONCE,
): Promise<readonly string[]> {
  const some = sql`select id from ${sql.table(table)} where ${isOver} limit ${atMost}`;
  // Repeated, because a row may have changed while this statement waited for it.
  const gone = sql<{
    id: string;
  }>`delete from ${sql.table(table)} where id in (${some}) and ${isOver} returning id`;
  return (await gone.execute(db)).rows.map(({ id }) => id);
}

/** The same, with the result of a `Purge`: true while there may be more rows. */
export async function purge(db: Store, table: keyof Database, isOver: RawBuilder<SqlBool>): Promise<boolean> {
  return (await deleteSome(db, table, isOver)).length === AT_ONCE;
}
