import type { Store } from './store.ts';

/** Another writer was faster: what was read is no longer so, and the transaction has to begin anew. */
export class OvertakenError extends Error {}

const TRIES = 10;
/** PostgreSQL's ways to say that nothing was done and that it is worth another try (its manual, appendix A). */
const AGAIN = new Set(['40001' /* serialization_failure */, '40P01' /* deadlock_detected */]);

/**
 * Runs `work` in a transaction, and again from its beginning where another one stood in its way; so it must do
 * nothing but read and write through `tx`.
 */
export async function transact<T>(store: Store, work: (tx: Store) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await store.transaction().execute(work);
    } catch (error) {
      if (tries >= TRIES || !isPassing(error)) throw error;
    }
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof OvertakenError || AGAIN.has((error as { code?: string }).code ?? '');
}
