import { randomBytes } from 'node:crypto';
import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import { type Clock, stopwatch, within } from '../clock.ts';
import type { Logger } from '../log.ts';
import { createLoop, type Loop } from '../loop.ts';
import type { Store } from '../store/schema.ts';

/** Each process says this often that it lives. */
const RENEW_MS = 2_000;
/** After one that failed, sooner. */
const RETRY_MS = 500;
/** One that hangs is left to itself, and the next one takes another connection, of which there are a few. */
const RENEW_WITHIN_MS = 1_500;
/** One that has not said so for this long is dead to the others. */
const DEAD_AFTER_MS = 7_000;
/** One that could not say so for this long no longer acts on what it holds: sooner than others take it over. */
const DOUBT_AFTER_MS = 5_500;
const LEAVE_WITHIN_MS = 1_000;
const FORGET_AFTER_MS = 24 * 60 * 60_000;

interface MembershipParts {
  readonly store: Store;
  readonly shared: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The processes that work on one store. What one of them holds (a row it works on, the Discord gateway) is named by
 * its id, and is anybody's once it is dead. On a SQLite file there is only ever one, and whoever was before is dead.
 */
export class Membership {
  readonly #parts: MembershipParts;
  /** Of this process, for as long as it runs. */
  readonly id = randomBytes(9).toString('base64url');
  readonly shared: boolean;
  /** How long ago the newest renewal that worked was sent, in milliseconds. */
  #sinceRenewal = () => Number.POSITIVE_INFINITY;
  #spell = 0;
  #failing = false;
  #underWay: Promise<unknown> = Promise.resolve();
  readonly #renewals: Loop;
  #cancelDoubt = (): void => undefined;
  readonly #doubtful = new Set<() => void>();
  #left = false;

  /** `clock` is the machine's own, also where the rest of the bot lives by another. */
  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.shared = parts.shared;
    this.#renewals = createLoop({
      clock: parts.clock,
      every: RENEW_MS,
      run: () => this.#renewInTime(),
      failed: (err) => this.#failed(err),
    });
  }

  /**
   * Before anything is held. True when a process died here before, as far as one that is alone can know. Rejects
   * where the store cannot be written.
   */
  async join(): Promise<boolean> {
    const all = this.#parts.store.deleteFrom('instances');
    const forgotten = sql<number>`${this.#now()} - ${sql.lit(FORGET_AFTER_MS)}`;
    const [before] = await (this.shared ? all.where('until', '<', forgotten) : all).execute();
    await this.#renew();
    if (this.shared) this.#renewals.start();
    return !this.shared && (before?.numDeletedRows ?? 0n) > 0n;
  }

  /** Gives back everything that is held: the others need not wait. Never rejects; without it they wait a few seconds. */
  async leave(): Promise<void> {
    this.#left = true;
    void this.#renewals.stop();
    this.#cancelDoubt();
    const gone = async () => {
      // One that is still on its way would bring this process back to life.
      await this.#underWay.catch(() => undefined);
      await this.#parts.store.deleteFrom('instances').where('id', '=', this.id).execute();
      return true;
    };
    const done = await within(
      this.#parts.clock,
      LEAVE_WITHIN_MS,
      gone().catch(() => undefined),
    );
    if (!done)
      this.#parts.log.warn(
        {},
        'replicas: could not tell the others that I leave: they notice in a few seconds',
      );
  }

  /**
   * Whether this process may act on what it holds. False once it is in doubt whether the others take it to be alive;
   * true also at the first question after a pause only if the pause was short enough.
   */
  isCertain(): boolean {
    if (this.#left) return false;
    return !this.shared || this.#certainForMs() > 0;
  }

  /**
   * Counts the times in which this process was certain without a break. What was found out in another one may have
   * been taken by the others in between.
   */
  get spell(): number {
    return this.#spell;
  }

  /**
   * What it returns tells whether this process has been certain without a break from now until then. Who only asks
   * `isCertain` after having waited may have been taken for dead, and be alive again.
   */
  sinceNow(): () => boolean {
    const { spell } = this;
    return () => this.isCertain() && this.spell === spell;
  }

  /** Calls `then` each time that this process comes to be in doubt, before anybody else can hold what it held. */
  onDoubt(then: () => void): void {
    this.#doubtful.add(then);
  }

  /** A condition: `holder` names no process that lives. */
  gone(holder: Expression<string | null>): RawBuilder<SqlBool> {
    return sql<SqlBool>`(${holder} is null or not exists (select 1 from instances where instances.id = ${holder} and instances.until > ${this.#now()}))`;
  }

  /** The database's own time, in epoch milliseconds; nothing runs out where there is only one process. */
  #now(): RawBuilder<number> {
    return this.shared ? sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint` : sql<number>`0`;
  }

  #certainForMs(): number {
    return DOUBT_AFTER_MS - this.#sinceRenewal();
  }

  async #renew(): Promise<void> {
    // Counted from before the statement leaves, so that this process never counts on more than the others grant it.
    const sinceSent = stopwatch(this.#parts.clock);
    const started_at = this.#parts.clock.now();
    const until = sql<number>`${this.#now()} + ${sql.lit(DEAD_AFTER_MS)}`;
    await this.#parts.store
      .insertInto('instances')
      .values({ id: this.id, until, started_at })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ until }))
      .execute();
    this.#hasRenewed(sinceSent);
    if (this.shared) await this.#shorten(until);
  }

  /** Where the database's clock was set back, what the dead were granted before lasts too long. The living renew it. */
  async #shorten(until: RawBuilder<number>): Promise<void> {
    await this.#parts.store.updateTable('instances').set({ until }).where('until', '>', until).execute();
  }

  #hasRenewed(sinceSent: () => number): void {
    if (this.#left || sinceSent() > this.#sinceRenewal()) return;
    const before = this.isCertain();
    this.#sinceRenewal = sinceSent;
    // So late that it helps nobody.
    if (!this.shared || !this.isCertain()) return;
    if (!before) this.#spell++;
    if (this.#failing) this.#parts.log.info({}, 'replicas: the others know again that I am alive');
    this.#failing = false;
    this.#awaitDoubt();
  }

  #awaitDoubt(): void {
    this.#cancelDoubt();
    this.#cancelDoubt = this.#parts.clock.after(Math.max(0, this.#certainForMs()), () => {
      if (this.isCertain()) return this.#awaitDoubt();
      this.#parts.log.error({}, 'replicas: the others may take me to be dead: what I held is theirs');
      for (const then of this.#doubtful) then();
    });
  }

  async #renewInTime(): Promise<void> {
    const renewal = this.#renew().then(() => true);
    this.#underWay = renewal;
    if (!(await within(this.#parts.clock, RENEW_WITHIN_MS, renewal)))
      throw new Error('No answer from the database');
  }

  /** Said once for each time that the database is away. */
  #failed(err: unknown): number {
    if (!this.#failing && !this.#left)
      this.#parts.log.warn({ err }, 'replicas: cannot tell the others that I am alive');
    this.#failing = true;
    return RETRY_MS;
  }
}
