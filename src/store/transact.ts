import type { DialectAdapter } from 'kysely';
import type { Database, Store } from './schema.ts';

type Table = keyof Database;

/**
 * Per store: the functions to call after a write to a table, by the adapter, which a store and its transactions
 * share.
 */
const listeners = new WeakMap<DialectAdapter, [Table, () => void][]>();
/** Per transaction: the tables whose listeners the commit wakes. */
const written = new WeakMap<Store, Set<Table>>();

/**
 * Another writer was faster: the transaction has read rows that have changed since, and has to begin anew. The
 * dialects throw this error for such errors of the database; code that finds an outdated row throws this error, too.
 */
export class OvertakenError extends Error {}

const TRIES = 10;

/**
 * Runs `work` in a transaction, and again from the beginning when another transaction stood in the way; so `work`
 * must do nothing but read and write through `tx`.
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

/** Calls `then` after each commit of this process that wrote to `table`, as told by `wroteTo`. */
export function afterWritesTo(store: Store, table: Table, then: () => void): void {
  const { adapter } = store.getExecutor();
  listeners.set(adapter, [...(listeners.get(adapter) ?? []), [table, then]]);
}

/** Wakes the listeners of `table` once `tx` is committed, or now if `tx` is not a transaction of `transact`. */
export function wroteTo(tx: Store, table: Table): void {
  const tables = written.get(tx);
  if (tables) tables.add(table);
  else wake(tx, table);
}

function wake(store: Store, table: Table): void {
  for (const [of, then] of listeners.get(store.getExecutor().adapter) ?? []) if (of === table) then();
}
