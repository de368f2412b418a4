import type { DialectAdapter } from 'kysely';
import type { Database, Store } from './schema.ts';

type Table = keyof Database;

/**
 * For each store, the functions that are called after a write to a table. The key is the adapter, because a store and
 * its transactions share the same adapter.
 */
const listeners = new WeakMap<DialectAdapter, [Table, () => void][]>();
/** For each transaction, the tables whose listeners are called after the commit. */
const written = new WeakMap<Store, Set<Table>>();

/**
 * Thrown if another writer was faster. The transaction has read rows that have changed since, so it must start again.
 * The dialects throw this error when the database reports a conflict. Other code throws this error when it finds that a
 * row is outdated.
 */
export class OvertakenError extends Error {}

const TRIES = 10;

/**
 * Runs `work` in a transaction. After a conflict with another transaction, runs `work` again. Therefore `work` must
 * only read and write through `tx`.
 */
export async function transact<T>(store: Store, work: (tx: Store) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      const tables = new Set<Table>();
      const result = await store.transaction().execute((tx) => {
        written.set(tx, tables);
        return work(tx);
      });
      for (const table of tables) wake(store, table);
      return result;
    } catch (error) {
      if (tries >= TRIES || !(error instanceof OvertakenError)) throw error;
    }
  }
}

/**
 * Calls `then` after each commit of this process that wrote to `table`. Code that writes to the table reports the write
 * with `wroteTo`.
 */
export function afterWritesTo(store: Store, table: Table, then: () => void): void {
  const { adapter } = store.getExecutor();
  listeners.set(adapter, [...(listeners.get(adapter) ?? []), [table, then]]);
}

/**
 * Calls the listeners of `table` after `tx` has committed. If `tx` is not a transaction of `transact`, calls the
 * listeners at once.
 */
export function wroteTo(tx: Store, table: Table): void {
  const tables = written.get(tx);
  if (tables) tables.add(table);
  else wake(tx, table);
}

function wake(store: Store, table: Table): void {
  for (const [of, then] of listeners.get(store.getExecutor().adapter) ?? []) if (of === table) then();
}
