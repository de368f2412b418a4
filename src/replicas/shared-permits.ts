import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Clock } from '../clock.ts';
import {
  HELD_MS,
  LEAVE_MS,
  MAX_PAUSE_MS,
  type Permit,
  type PermitGrant,
  type PermitRequest,
  type Permits,
  WINDOW_MS,
} from '../edgegap/permits.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/schema.ts';

/**
 * Calls of people have priority. If they have to wait, the bot stores the time of their next attempt. Background work
 * takes no permits until this many milliseconds after that time.
 */
const HEAD_START_MS = 250;
/** The maximum duration of the priority of people's calls. */
const PEOPLE_MS = MAX_PAUSE_MS + HEAD_START_MS;
/**
 * If the query for a permit took this long, the permit is not used, because too little time remains to send the
 * request.
 */
const STALE_MS = LEAVE_MS / 2;
/** The pause before the next query if another process is taking the permits that seem to be free. */
const MIN_WAIT_MS = 5;

/** A taken permit. If the same slot is taken again, `until` has a different value. */
interface Held {
  readonly bucket: string;
  readonly slot: number;
  readonly until: number;
}

export interface SharedPermitsParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly account: string;
  /**
   * The clock that decides when a permit is free. `clock` works only if all processes use the same clock, as in tests.
   */
  readonly time?: 'database' | 'clock';
}

/**
 * Permits that all processes on the same PostgreSQL share. Each permit is a row. When a process takes a permit, the row
 * stores the latest time at which the permit becomes free. When the request was counted, the row stores the exact time.
 * The permits of a dead process therefore become free after a fixed time. All times come from the database, because the
 * clocks of two machines always differ.
 */
export class SharedPermits implements Permits {
  readonly #parts: SharedPermitsParts;
  readonly #known = new Set<string>();
  #counted: Held[] = [];
  #counting = false;

  constructor(parts: SharedPermitsParts) {
    this.#parts = parts;
  }

  async take(name: string, wish: PermitRequest): Promise<PermitGrant> {
    const bucket = `${this.#parts.account}/${name}`;
    return await this.#orRefuse(async () => {
      await this.#prepare(bucket, wish.limit);
      const askedAt = this.#parts.clock.now();
      const held = await this.#take(bucket, wish);
      if (this.#parts.clock.now() - askedAt > STALE_MS) {
        await this.#free(held);
        return { permits: [], waitMs: 0 };
      }
      const permits = held.map((each) => this.#permit(each, askedAt));
      return { permits, waitMs: permits.length < wish.wanted ? await this.#ask(bucket, wish) : 0 };
    });
  }

  async pause(name: string, ms: number): Promise<void> {
    const bucket = `${this.#parts.account}/${name}`;
    const until = sql<number>`${this.#now()} + ${sql.lit(Math.ceil(ms))}`;
    await this.#orRefuse(() =>
      this.#parts.store
        .insertInto('rate_buckets')
        .values({ id: bucket, paused_until: until, people_until: 0 })
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet({
            paused_until: this.#laterOf('rate_buckets.paused_until', MAX_PAUSE_MS, until),
          }),
        )
        .execute(),
    );
  }

  /** Creates the rows of a bucket up to the limit of the lane, unless another process has already done so. */
  async #prepare(bucket: string, limit: number): Promise<void> {
    const key = `${bucket} ${limit}`;
    if (this.#known.has(key)) return;
    await this.#parts.store
      .insertInto('rate_buckets')
      .values({ id: bucket, paused_until: 0, people_until: 0 })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await this.#parts.store
      .insertInto('rate_slots')
      .values(Array.from({ length: limit }, (_, slot) => ({ bucket, slot, free_at: 0 })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    this.#known.add(key);
  }

  /** Takes permits without waiting for other processes. A permit that another process is taking is skipped. */
  async #take(bucket: string, { lane, wanted, limit }: PermitRequest): Promise<Held[]> {
    const rows = await this.#parts.store
      .with(
        (cte) => cte('free').materialized(),
        (db) =>
          db
            .selectFrom('rate_slots')
            .select('slot')
            .where('bucket', '=', bucket)
            .where('slot', '<', limit)
            .where(this.#over('free_at', HELD_MS))
            .where(({ exists, selectFrom, and }) =>
              exists(
                selectFrom('rate_buckets')
                  .select('id')
                  .where('id', '=', bucket)
                  .where(
                    and([
                      this.#over('paused_until', MAX_PAUSE_MS),
                      ...(lane === 'background' ? [this.#over('people_until', PEOPLE_MS)] : []),
                    ]),
                  ),
              ),
            )
            .orderBy('free_at')
            .limit(wanted)
            .forUpdate()
            .skipLocked(),
      )
      .updateTable('rate_slots')
      .from('free')
      .set({ free_at: sql<number>`${this.#now()} + ${sql.lit(HELD_MS)}` })
      .where('rate_slots.bucket', '=', bucket)
      .whereRef('rate_slots.slot', '=', 'free.slot')
      .returning(['rate_slots.slot', 'rate_slots.free_at'])
      .execute();
    return rows.map(({ slot, free_at }) => ({ bucket, slot, until: free_at }));
  }

  /**
   * Returns the milliseconds until the next attempt. For a person's call, the store also records this time, so that
   * background work leaves the permits to people until then.
   */
  async #ask(bucket: string, { lane, limit }: PermitRequest): Promise<number> {
    const left = (column: string, most: number) =>
      sql<number>`case when ${this.#over(column, most)} then 0 else ${sql.ref(column)} - ${this.#now()} end`;
    // A permit in use may become free before the stored time, but at the earliest after one window.
    const earliest = this.#parts.store
      .selectFrom('rate_slots')
      .select(sql<number>`least(min(${left('free_at', HELD_MS)}), ${sql.lit(WINDOW_MS)})`.as('ms'))
      .where('bucket', '=', bucket)
      .where('slot', '<', limit);
    const own = sql<number>`greatest(${earliest}, ${left('paused_until', MAX_PAUSE_MS)})`;
    const until = sql<number>`${this.#now()} + ${own} + ${sql.lit(HEAD_START_MS)}`;
    const bucketRow =
      lane === 'people'
        ? this.#parts.store
            .updateTable('rate_buckets')
            .set({
              people_until: this.#laterOf('people_until', PEOPLE_MS, until),
            })
            .where('id', '=', bucket)
            .returning(own.as('ms'))
        : this.#parts.store
            .selectFrom('rate_buckets')
            .select(sql<number>`greatest(${own}, ${left('people_until', PEOPLE_MS)})`.as('ms'))
            .where('id', '=', bucket);
    const { ms } = await bucketRow.executeTakeFirstOrThrow();
    return Math.max(ms, MIN_WAIT_MS);
  }

  #permit(held: Held, takenAt: number): Permit {
    return {
      takenAt,
      count: () => {
        this.#counted.push(held);
        void this.#count();
      },
      unused: () => void this.#free([held]).catch((err: unknown) => this.#late(err)),
    };
  }

  /**
   * Stores when the counted permits become free. Only one statement runs at a time. Permits that are counted during a
   * statement are stored together by the next statement.
   */
  async #count(): Promise<void> {
    if (this.#counting) return;
    this.#counting = true;
    try {
      while (this.#counted.length > 0) await this.#setFree(this.#counted.splice(0), WINDOW_MS);
    } catch (err) {
      this.#late(err);
    } finally {
      this.#counting = false;
    }
  }

  async #free(held: readonly Held[]): Promise<void> {
    if (held.length > 0) await this.#setFree(held, 0);
  }

  /**
   * Stores when permits become free, but only if their `free_at` is unchanged. If `free_at` has changed, the permit had
   * expired and may now belong to another call.
   */
  async #setFree(held: readonly Held[], inMs: number): Promise<void> {
    await this.#parts.store
      .updateTable('rate_slots')
      .set({ free_at: sql<number>`${this.#now()} + ${sql.lit(inMs)}` })
      .where((eb) => eb.or(held.map(({ bucket, slot, until }) => eb.and({ bucket, slot, free_at: until }))))
      .execute();
  }

  #late(err: unknown): void {
    this.#parts.log.debug({ err }, 'replicas: permits could not be given back: they come back by themselves');
  }

  async #orRefuse<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new AppError(
        'edgegap-no-turn',
        'The database cannot be reached, so nothing was sent to Edgegap.',
        {
          hint: 'Try again in a minute.',
          cause,
        },
      );
    }
  }

  /**
   * An SQL condition that the time in `column` is over. A time further in the future than possible also counts as over,
   * because the clock was set back after this time was stored.
   */
  #over(column: string, most: number): RawBuilder<SqlBool> {
    const time = sql.ref(column);
    return sql<SqlBool>`(${time} <= ${this.#now()} or ${time} > ${this.#now()} + ${sql.lit(most)})`;
  }

  /**
   * Returns the later of `time` and the time in `column`. The time in `column` is ignored if it is past or impossible.
   */
  #laterOf(column: string, most: number, time: RawBuilder<number>): RawBuilder<number> {
    return sql<number>`case when ${this.#over(column, most)} then ${time} else greatest(${sql.ref(column)}, ${time}) end`;
  }

  /** The present time in epoch milliseconds. */
  #now(): RawBuilder<number> {
    if (this.#parts.time === 'clock')
      return sql<number>`${sql.lit(Math.round(this.#parts.clock.now()))}::bigint`;
    return sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
  }
}
