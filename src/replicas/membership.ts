import { randomBytes } from 'node:crypto';
import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';

/** Each process says this often that it lives. */
const RENEW_MS = 2_000;
/** One that has not said so for this long is dead to the others. */
const DEAD_AFTER_MS = 7_000;
/** One that could not say so for this long no longer acts on what it holds: sooner than others take it over. */
const DOUBT_AFTER_MS = 5_500;

/**
 * The processes that work on one store. What one of them holds (a row it works on, the Discord gateway) is named by
 * its id, and is anybody's once it is dead. On a SQLite file there is only ever one, and whoever was before is dead.
 */
export class Membership {
  /** Of this process, for as long as it runs. */
  readonly id = randomBytes(9).toString('base64url');
  readonly shared: boolean;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Logger;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #left = false;

  /** `clock` is the machine's own, also where the rest of the bot lives by another. */
  constructor(parts: {
    readonly store: Store;
    readonly shared: boolean;
    readonly clock: Clock;
    readonly log: Logger;
  }) {
    this.#store = parts.store;
    this.shared = parts.shared;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** Before anything is held. */
  async join(): Promise<void> {
    if (!this.shared) await this.#store.deleteFrom('instances').execute();
    await this.#renew();
    this.#schedule();
  }

  /** Gives back everything that is held: the others need not wait. */
  async leave(): Promise<void> {
    this.#left = true;
    this.#cancel?.();
    await this.#store.deleteFrom('instances').where('id', '=', this.id).execute();
  }

  /** Whether this process may act on what it holds. False once it is in doubt whether the others take it to be alive. */
  isCertain(): boolean {
    if (this.#left) return false;
    return !this.shared || this.#clock.now() - this.#renewedAt < DOUBT_AFTER_MS;
  }

  /** A condition: `holder` names no process that lives. */
  gone(holder: Expression<string | null>): RawBuilder<SqlBool> {
    return sql<SqlBool>`(${holder} is null or not exists (select 1 from instances where instances.id = ${holder} and instances.until > ${this.#now()}))`;
  }

  /** The database's own time, in epoch milliseconds; nothing runs out where there is only one process. */
  #now(): RawBuilder<number> {
    return this.shared ? sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint` : sql<number>`0`;
  }

  async #renew(): Promise<void> {
    // Counted from before the statement leaves, so that this process never counts on more than the others grant it.
    const at = this.#clock.now();
    const until = sql<number>`${this.#now()} + ${sql.lit(DEAD_AFTER_MS)}`;
    await this.#store
      .insertInto('instances')
      .values({ id: this.id, until, started_at: at })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ until }))
      .execute();
    this.#renewedAt = at;
  }

  #schedule(): void {
    if (!this.shared || this.#left) return;
    this.#cancel = this.#clock.after(RENEW_MS, () => {
      this.#renew()
        .catch((err: unknown) => this.#log.warn({ err }, 'replicas: cannot tell the others that I am alive'))
        .finally(() => this.#schedule());
    });
  }
}
