import { randomBytes } from 'node:crypto';
import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import { type Clock, stopwatch, within } from '../clock.ts';
import type { Logger } from '../log.ts';
import { createLoop, type Loop } from '../loop.ts';
import type { Store } from '../store/schema.ts';

/** How often each process renews its row in the store to show that it is alive. */
const RENEW_MS = 2_000;
/** The pause after a failed renewal, which is shorter than the usual pause. */
const RETRY_MS = 500;
/** A renewal that takes longer than this is abandoned. The next renewal then uses another connection. */
const RENEW_WITHIN_MS = 1_500;
/** A process that has not renewed its row for this long counts as dead. */
const DEAD_AFTER_MS = 7_000;
/**
 * If a process could not renew its row for this long, it stops using its claims. Other processes take over these claims
 * later, after DEAD_AFTER_MS.
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
 * The processes on the same store. A claim (on a row, or on the Discord gateway) contains the id of its process, and
 * expires when that process is dead. Only one process at a time uses a SQLite file, so on SQLite all earlier processes
 * are dead.
 */
export class Membership {
  readonly #parts: MembershipParts;
  /** The id of this process. The id does not change while the process runs. */
  readonly id = randomBytes(9).toString('base64url');
  readonly shared: boolean;
  /** Returns how many milliseconds ago the newest successful renewal was sent. */
  #sinceRenewal = () => Number.POSITIVE_INFINITY;
  #spell = 0;
  #failing = false;
  #underWay: Promise<unknown> = Promise.resolve();
  readonly #renewals: Loop;
  #cancelDoubt = (): void => undefined;
  readonly #doubtful = new Set<() => void>();
  #left = false;

  /** `clock` must be the machine's own clock, even if the rest of the bot uses a different clock. */
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
   * Must be called before the first claim. Returns true if an earlier process died without calling `leave`, which only
   * a process on SQLite can know. Rejects if the store cannot be written.
   */
  async join(): Promise<boolean> {
    const all = this.#parts.store.deleteFrom('instances');
    const forgotten = sql<number>`${this.#now()} - ${sql.lit(FORGET_AFTER_MS)}`;
    const [before] = await (this.shared ? all.where('until', '<', forgotten) : all).execute();
    await this.#renew();
    if (this.shared) this.#renewals.start();
    return !this.shared && (before?.numDeletedRows ?? 0n) > 0n;
  }

  /**
   * Releases all claims. Otherwise other processes would have to wait until this process counts as dead. Never rejects.
   */
  async leave(): Promise<void> {
    this.#left = true;
    void this.#renewals.stop();
    this.#cancelDoubt();
    const gone = async () => {
      // A renewal in progress must finish first. If it finished after the row was deleted, this process would appear to
      // be alive again.
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
   * Whether this process may use its claims. Becomes false before other processes may consider this process dead. After
   * a suspension of the whole process, `isCertain` is true only if the suspension was short enough.
   */
  isCertain(): boolean {
    if (this.#left) return false;
    return !this.shared || this.#certainForMs() > 0;
  }

  /**
   * Counts how often this process became certain (see `isCertain`) again after an uncertain period. If the number has
   * changed since this process made a claim, the claim may now belong to another process.
   */
  get spell(): number {
    return this.#spell;
  }

  /**
   * Returns a function that says whether this process has been certain without interruption since this call.
   * `isCertain` does not show an interruption: the process may be certain now but may have counted as dead in between.
   */
  sinceNow(): () => boolean {
    const { spell } = this;
    return () => this.isCertain() && this.spell === spell;
  }

  /** Calls `then` each time this process becomes uncertain, before another process can take its claims. */
  onDoubt(then: () => void): void {
    this.#doubtful.add(then);
  }

  /** Returns how many processes are alive, including this process. */
  async countAlive(): Promise<number> {
    const alive = this.#parts.store
      .selectFrom('instances')
      .select((eb) => eb.fn.countAll<number>().as('all'));
    const { all } = await alive.where('until', '>', this.#now()).executeTakeFirstOrThrow();
    return all;
  }

  /** An SQL condition that `holder` is null, or is the id of a process that is not alive. */
  gone(holder: Expression<string | null>): RawBuilder<SqlBool> {
    return sql<SqlBool>`(${holder} is null or not exists (select 1 from instances where instances.id = ${holder} and instances.until > ${this.#now()}))`;
  }

  /** The database's time in epoch milliseconds. On SQLite this is 0, because claims on SQLite have no time limit. */
  #now(): RawBuilder<number> {
    return this.shared ? sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint` : sql<number>`0`;
  }

  #certainForMs(): number {
    return DOUBT_AFTER_MS - this.#sinceRenewal();
  }

  async #renew(): Promise<void> {
    // The stopwatch starts before the statement is sent, so this process never assumes more time than the database
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
   * Lowers `until` in each row in which `until` is later than a renewal can set. Such a time remains after the
   * database's clock was set back, and a dead process would count as alive for too long. Live processes renew their
   * rows in any case.
   */
  async #shorten(until: RawBuilder<number>): Promise<void> {
    await this.#parts.store.updateTable('instances').set({ until }).where('until', '>', until).execute();
  }

  #hasRenewed(sinceSent: () => number): void {
    if (this.#left || sinceSent() > this.#sinceRenewal()) return;
    const before = this.isCertain();
    this.#sinceRenewal = sinceSent;
    // On SQLite, the process is always certain, so nothing more is to be done. If the process is still uncertain on
    // PostgreSQL, the renewal came too late.
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

  /** Logs only the first of several consecutive failures. */
  #failed(err: unknown): number {
    if (!this.#failing && !this.#left)
      this.#parts.log.warn({ err }, 'replicas: cannot tell the other processes that I am alive');
    this.#failing = true;
    return RETRY_MS;
  }
}
