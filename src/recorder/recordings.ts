import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { sql } from 'kysely';
import type { Logs } from '../edgegap/logs.ts';
import { deleteSome } from '../store/purge.ts';
import type { Store } from '../store/schema.ts';

/** A saved log as the bot read it. Secrets are masked, and only the newest part is stored. */
export interface Recorded extends Logs {
  /** When the bot read the log, in epoch milliseconds. */
  readonly recordedAt: number;
  /** If true, no message shows the log. The command `logs` can still show the log. */
  readonly quiet?: boolean;
}

/** The number of recordings that are deleted at once. The number is small, because recordings may be large. */
const PURGED_AT_ONCE = 50;

/** The recordings of an account. Only the newest recording of each deployment is stored. */
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
 * Deletes some recordings from before `before` (epoch ms), in all accounts. Returns whether more recordings may have to
 * be deleted.
 */
export async function purgeRecordings(store: Store, before: number): Promise<boolean> {
  const isOver = sql<boolean>`recorded_at < ${before}`;
  return (await deleteSome(store, 'recordings', isOver, PURGED_AT_ONCE)).length === PURGED_AT_ONCE;
}
