import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Clock } from '../clock.ts';
import { type Purge, purge } from '../store/purge.ts';
import type { Store } from '../store/schema.ts';

/** State of a button that is too long for the button itself: kept in the store under a short key. */
export interface Kept {
  /** Returns a key of 22 characters; the same value has the same key. */
  keep(value: Readonly<Record<string, unknown>>): Promise<string>;
  /** Undefined once it was forgotten. */
  get(key: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  readonly purge: Purge;
}

export function createKept(store: Store, clock: Clock): Kept {
  return {
    async keep(value) {
      const value_json = JSON.stringify(value);
      const id = createHash('sha256').update(value_json).digest('base64url').slice(0, 22);
      const now = clock.now();
      await store
        .insertInto('kept')
        .values({ id, value_json, created_at: now })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ created_at: now }))
        .execute();
      return id;
    },
    async get(key) {
      const row = await store.selectFrom('kept').selectAll().where('id', '=', key).executeTakeFirst();
      return row && JSON.parse(row.value_json);
    },
    purge: (before) => purge(store, 'kept', sql`created_at < ${before}`),
  };
}
