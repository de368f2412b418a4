import { randomBytes } from 'node:crypto';
import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import { type Clock, stopwatch, within } from '../clock.ts';
import type { Logger } from '../log.ts';
import { createLoop, type Loop } from '../loop.ts';
import type { Store } from '../store/schema.ts';

/** Each process renews a row of the store this often, as a sign of life. */
const RENEW_MS = 2_000;
/** After a failed renewal, sooner. */
const RETRY_MS = 500;
/** A renewal that hangs is abandoned, and the next renewal takes a different connection of the few. */
const RENEW_WITHIN_MS = 1_500;
/** A process without a renewal for this long counts as dead. */
const DEAD_AFTER_MS = 7_000;
/**
 * A process that could not renew for this long no longer acts on its claims: other processes take them over only
 * later.
 */
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
 * The processes that work on one store. A claim (on a row, on the Discord gateway) holds the id of its process, and
 * is free once that process is dead. A SQLite file has only one process at a time, and every earlier process is dead.
 */
export class Membership {
  readonly #parts: MembershipParts;
  /** The id of this process until its end. */
  readonly id = randomBytes(9).toString('base64url');
  readonly shared: boolean;
  /** How long ago the newest successful renewal was sent, in milliseconds. */
  #sinceRenewal = () => Number.POSITIVE_INFINITY;
  #spell = 0;
  #failing = false;
  #underWay: Promise<unknown> = Promise.resolve();
  readonly #renewals: Loop;
  #cancelDoubt = (): void => undefined;
  readonly #doubtful = new Set<() => void>();
  #left = false;

  /** `clock` is the machine's own, even if the rest of the bot has a different clock. */
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
   * Called before anything is claimed. True if an earlier process died without leaving, which only a process on
   * SQLite can know. Rejects when the store cannot be written.
   */
  async join(): Promise<boolean> {
    const all = this.#parts.store.deleteFrom('instances');
    const forgotten = sql<number>`${this.#now()} - ${sql.lit(FORGET_AFTER_MS)}`;
    const [before] = await (this.shared ? all.where('until', '<', forgotten) : all).execute();
    await this.#renew();
    if (this.shared) this.#renewals.start();
    return !this.shared && (before?.numDeletedRows ?? 0n) > 0n;
  }

  /** Gives back all claims, so that other processes need not wait until this process counts as dead. Never rejects. */
  async leave(): Promise<void> {
    this.#left = true;
    void this.#renewals.stop();
    this.#cancelDoubt();
    const gone = async () => {
      // A renewal that is still under way would bring this process back to life.
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
        'replicas: could not tell the other processes that I leave: they notice within a few seconds',
      );
  }

  /**
   * Whether this process may act on its claims. False as soon as other processes may take this process for dead. True
   * at the first question after a pause only if the pause was short enough.
   */
  isCertain(): boolean {
    if (this.#left) return false;
    return !this.shared || this.#certainForMs() > 0;
  }

  /**
   * Counts the times in which this process was certain without a break. A claim of an earlier time may belong to a
   * different process by now.
   */
  get spell(): number {
    return this.#spell;
  }

  /**
   * Returns a function that tells whether this process has been certain without a break since now. `isCertain` alone
   * does not tell: the process may have counted as dead in between, and live again.
   */
  sinceNow(): () => boolean {
    const { spell } = this;
    return () => this.isCertain() && this.spell === spell;
  }

  /** Calls `then` each time this process falls into doubt, before any other process can take the claims. */
  onDoubt(then: () => void): void {
    this.#doubtful.add(then);
  }

  /** A condition: `holder` names no living process. */
  gone(holder: Expression<string | null>): RawBuilder<SqlBool> {
    return sql<SqlBool>`(${holder} is null or not exists (select 1 from instances where instances.id = ${holder} and instances.until > ${this.#now()}))`;
  }

  /** The database's own time, in epoch milliseconds; 0 on SQLite, where no time runs out. */
  #now(): RawBuilder<number> {
    return this.shared ? sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint` : sql<number>`0`;
  }

  #certainForMs(): number {
    return DOUBT_AFTER_MS - this.#sinceRenewal();
  }

  async #renew(): Promise<void> {
    // Counted from before the statement leaves, so that this process never counts on more time than the database
    // grants.
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

  /**
   * If the database's clock was set back, rows of dead processes would last too long. Living processes renew theirs.
   */
  async #shorten(until: RawBuilder<number>): Promise<void> {
    await this.#parts.store.updateTable('instances').set({ until }).where('until', '>', until).execute();
  }

  #hasRenewed(sinceSent: () => number): void {
    if (this.#left || sinceSent() > this.#sinceRenewal()) return;
    const before = this.isCertain();
    this.#sinceRenewal = sinceSent;
    // The renewal came too late to help.
    if (!this.shared || !this.isCertain()) return;
    if (!before) this.#spell++;
    if (this.#failing) this.#parts.log.info({}, 'replicas: the other processes know again that I am alive');
    this.#failing = false;
    this.#awaitDoubt();
  }

  #awaitDoubt(): void {
    this.#cancelDoubt();
    this.#cancelDoubt = this.#parts.clock.after(Math.max(0, this.#certainForMs()), () => {
      if (this.isCertain()) return this.#awaitDoubt();
      this.#parts.log.error({}, 'replicas: the other processes may take me for dead: I give up my claims');
      for (const then of this.#doubtful) then();
    });
  }

  async #renewInTime(): Promise<void> {
    const renewal = this.#renew().then(() => true);
    this.#underWay = renewal;
    if (!(await within(this.#parts.clock, RENEW_WITHIN_MS, renewal)))
      throw new Error('No answer from the database');
  }

  /** Logged once for each time that the database is away. */
  #failed(err: unknown): number {
    if (!this.#failing && !this.#left)
      this.#parts.log.warn({ err }, 'replicas: cannot tell the other processes that I am alive');
    this.#failing = true;
    return RETRY_MS;
  }
}
