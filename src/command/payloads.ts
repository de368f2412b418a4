import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Clock } from '../clock.ts';
import { purge } from '../store/purge.ts';
import type { Store } from '../store/schema.ts';

export type Payloads = ReturnType<typeof createPayloads>;

/** State of a button that is too long for the button itself: kept in the store under a short key, for one account. */
export function createPayloads(store: Store, clock: Clock, account: string) {
  /** Of a value that is found by its name alone. */
  const idOf = (name: string) => `${account} ${name}`;
  const put = async (id: string, value_json: string) => {
    const now = clock.now();
    await store
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
    /** Returns a key of 22 characters; the same value has the same key. */
    async keep(value: Readonly<Record<string, unknown>>): Promise<string> {
      const value_json = JSON.stringify(value);
      const id = createHash('sha256').update(`${account} ${value_json}`).digest('base64url').slice(0, 22);
      await put(id, value_json);
      return id;
    },
    /** Undefined once it was forgotten, and for what another account keeps. */
    get: (key: string): Promise<Readonly<Record<string, unknown>> | undefined> => read(key),
    /** Forgets it in the transaction `tx`; false where that was done before. Of several that do so at once one gets true. */
    async take(key: string, tx: Store = store): Promise<boolean> {
      const own = tx.deleteFrom('kept').where('account', '=', account).where('id', '=', key);
      return (await own.executeTakeFirst()).numDeletedRows > 0n;
    },
    /** Keeps a list of names under a name of its own, in place of the list before. */
    keepNames: (name: string, names: readonly string[]) => put(idOf(name), JSON.stringify(names)),
    names: async (name: string): Promise<readonly string[]> => (await read(idOf(name))) ?? [],
  };
}

/** Forgets some of what was kept before `before` (epoch ms), for whichever account; true while there may be more. */
export function purgePayloads(store: Store, before: number): Promise<boolean> {
  return purge(store, 'kept', sql`created_at < ${before}`);
}
