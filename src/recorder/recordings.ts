import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { sql } from 'kysely';
import type { Logs } from '../edgegap/logs.ts';
import { deleteSome } from '../store/purge.ts';
import type { Store } from '../store/schema.ts';

/** A recording, which holds the log as the bot read it. Secrets are masked, and only the newest part is kept. */
export interface Recorded extends Logs {
  /** When the log was read, in epoch milliseconds. */
  readonly recordedAt: number;
  /** Whether no message shows the log. The command `logs` can still show the log. */
  readonly quiet?: boolean;
}

/** A recording may be large, so only a few are deleted at a time. */
const PURGED_AT_ONCE = 50;

/** The recordings of an account. Of each deployment, only the newest recording is kept. */
export class Recordings {
  readonly #store: Store;
  readonly #account: string;

  constructor(store: Store, account: string) {
    this.#store = store;
    this.#account = account;
  }

  async of(request_id: string): Promise<Recorded | undefined> {
    const row = await this.#store
      .selectFrom('recordings')
      .select('log')
      .where('id', '=', this.#idOf(request_id))
      .executeTakeFirst();
    return row && JSON.parse((await promisify(gunzip)(row.log)).toString());
  }

  async save(request_id: string, recorded: Recorded): Promise<void> {
    const log = await promisify(gzip)(JSON.stringify(recorded));
    const columns = { log, recorded_at: recorded.recordedAt };
    await this.#store
      .insertInto('recordings')
      .values({ id: this.#idOf(request_id), ...columns })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(columns))
      .execute();
  }

  #idOf(request_id: string): string {
    return `${this.#account}/${request_id}`;
  }
}

/**
 * Deletes some recordings that were made before `before` (epoch ms), in all accounts. Returns whether there may be more
 * of them.
 */
export async function purgeRecordings(store: Store, before: number): Promise<boolean> {
  const isOver = sql<boolean>`recorded_at < ${before}`;
  return (await deleteSome(store, 'recordings', isOver, PURGED_AT_ONCE)).length === PURGED_AT_ONCE;
}
