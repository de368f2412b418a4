import type { Store } from './schema.ts';

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
      return await store.transaction().execute(work);
    } catch (error) {
      if (tries >= TRIES || !(error instanceof OvertakenError)) throw error;
    }
  }
}
