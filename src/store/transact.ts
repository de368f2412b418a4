import type { DialectAdapter } from 'kysely';
import type { Database, Store } from './schema.ts';

type Table = keyof Database;

/** Belongs to each store, and is known by its adapter, which its transactions share: whom to wake by writes to a table. */
const listeners = new WeakMap<DialectAdapter, [Table, () => void][]>();
/** Belongs to each transaction: the tables by which somebody is to be woken. */
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

/** Has `then` called after each commit on `store`, by this process, of what was written and told to `wroteTo`. */
export function afterWritesTo(store: Store, table: Table, then: () => void): void {
  const { adapter } = store.getExecutor();
  listeners.set(adapter, [...(listeners.get(adapter) ?? []), [table, then]]);
}

/** Wakes who waits for rows of `table`: once `tx` is committed, or now where `tx` is no transaction of `transact`. */
export function wroteTo(tx: Store, table: Table): void {
  const tables = written.get(tx);
  if (tables) tables.add(table);
  else wake(tx, table);
}

function wake(store: Store, table: Table): void {
  for (const [of, then] of listeners.get(store.getExecutor().adapter) ?? []) if (of === table) then();
}
