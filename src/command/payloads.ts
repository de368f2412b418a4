import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Clock } from '../clock.ts';
import { purge } from '../store/purge.ts';
import type { Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';
import { schedule, type TaskKind } from '../work/task.ts';

/** The type of the tasks that delete payloads. */
const FORGET = 'forget-payload';

export type Payloads = ReturnType<typeof createPayloads>;

/**
 * Stores the state of a button if the state is too long for the button itself. The button then contains a short key of
 * the stored state. Each account has payloads of its own.
 */
export function createPayloads(store: Store, clock: Clock, account: string) {
  /** The row id of a value that is stored with a name instead of a key. */
  const idOf = (name: string) => `${account} ${name}`;
  const keyOf = (value_json: string) =>
    createHash('sha256').update(`${account} ${value_json}`).digest('base64url').slice(0, 22);
  const put = async (id: string, value_json: string, db = store) => {
    const now = clock.now();
    await db
      .insertInto('kept')
      .values({ id, account, value_json, created_at: now })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ value_json, created_at: now }))
      .execute();
  };
  const read = async (id: string) => {
    const own = store.selectFrom('kept').select('value_json').where('account', '=', account);
    const row = await own.where('id', '=', id).executeTakeFirst();
    return row && JSON.parse(row.value_json);
  };
  return {
    /** Stores the value, and returns its key of 22 characters. The same value always has the same key. */
    async keep(value: Readonly<Record<string, unknown>>): Promise<string> {
      const value_json = JSON.stringify(value);
      const id = keyOf(value_json);
      await put(id, value_json);
      return id;
    },
    /**
     * Stores the value like `keep`, and deletes the value after `ms` milliseconds. Used for values that may contain
     * secrets.
     */
    async keepFor(ms: number, value: Readonly<Record<string, unknown>>): Promise<string> {
      const value_json = JSON.stringify(value);
      const key = keyOf(value_json);
      await transact(store, async (tx) => {
        await schedule(tx, clock, { kind: FORGET, key, account, at: clock.now() + ms });
        await put(key, value_json, tx);
      });
      return key;
    },
    /** Deletes the value with this key after `ms` milliseconds. */
    async forgetIn(ms: number, key: string): Promise<void> {
      await transact(store, async (tx) => {
        await schedule(tx, clock, { kind: FORGET, key, account, at: clock.now() + ms });
      });
    },
    /** The value with this key. Undefined if the value was deleted or belongs to a different account. */
    get: (key: string): Promise<Readonly<Record<string, unknown>> | undefined> => read(key),
    /**
     * Deletes the value in the transaction `tx`. Returns false if the value was deleted before. If several calls delete
     * the same value at the same time, only a single call returns true.
     */
    async take(key: string, tx: Store = store): Promise<boolean> {
      const own = tx.deleteFrom('kept').where('account', '=', account).where('id', '=', key);
      return (await own.executeTakeFirst()).numDeletedRows > 0n;
    },
    /** Stores a list of names with the key `name`, and replaces the earlier list. */
    keepNames: (name: string, names: readonly string[]) => put(idOf(name), JSON.stringify(names)),
    names: async (name: string): Promise<readonly string[]> => (await read(idOf(name))) ?? [],
  };
}

/** The kind of the tasks which delete the payloads that have a time limit. */
export function forgettingPayloads(store: Store): TaskKind {
  return {
    kind: FORGET,
    async run({ key }) {
      await store.deleteFrom('kept').where('id', '=', key).execute();
      return undefined;
    },
  };
}

/**
 * Deletes a batch of the payloads, of all accounts, that were stored before the time `before` (epoch ms). Returns true
 * if older payloads may be left.
 */
export function purgePayloads(store: Store, before: number): Promise<boolean> {
  return purge(store, 'kept', sql`created_at < ${before}`);
}
