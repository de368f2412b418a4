import type { DialectAdapter } from 'kysely';
import type { Database, Store } from './schema.ts';

type Table = keyof Database;

/** State of a store, found by the adapter that the store and its transactions share: whom a write to a table wakes. */
const listeners = new WeakMap<DialectAdapter, [Table, () => void][]>();
/** State of a transaction: the tables whose listeners its commit wakes. */
const written = new WeakMap<Store, Set<Table>>();

/**
 * Another writer was faster: what was read is no longer so, and the transaction has to begin anew. The dialects make it
 * of what their database says then, and whoever finds it out by reading throws it.
 */
export class OvertakenError extends Error {}

const TRIES = 10;

/**
 * Runs `work` in a transaction, and again from its beginning where another one stood in its way; so it must do
 * nothing but read and write through `tx`.
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

/** Has `then` called after each commit of this process on `store` of which `wroteTo` was told. */
export function afterWritesTo(store: Store, table: Table, then: () => void): void {
  const { adapter } = store.getExecutor();
  listeners.set(adapter, [...(listeners.get(adapter) ?? []), [table, then]]);
}

/** Wakes the listeners of `table` once `tx` is committed, or now where `tx` is no transaction of `transact`. */
export function wroteTo(tx: Store, table: Table): void {
  const tables = written.get(tx);
  if (tables) tables.add(table);
  else wake(tx, table);
}

function wake(store: Store, table: Table): void {
  for (const [of, then] of listeners.get(store.getExecutor().adapter) ?? []) if (of === table) then();
}
