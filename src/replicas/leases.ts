import { type Clock, farthest } from '../clock.ts';
import type { Store } from '../store/schema.ts';
import type { Membership } from './membership.ts';

/** Roles that only one of all processes has: for as long as the process lives, or for a while. */
export class Leases {
  readonly #store: Store;
  readonly #membership: Membership;
  readonly #clock: Clock;

  constructor(store: Store, membership: Membership, clock: Clock) {
    this.#store = store;
    this.#membership = membership;
    this.#clock = clock;
  }

  /**
   * Takes or keeps the role `name` for as long as this process lives; false while a different process holds the role,
   * and while this process is in doubt. `bookmark` is stored for the next holder.
   */
  async hold(name: string, bookmark?: string): Promise<boolean> {
    const { id } = this.#membership;
    const isUnbroken = this.#membership.sinceNow();
    const kept = bookmark === undefined ? {} : { bookmark };
    const { numInsertedOrUpdatedRows } = await this.#store
      .insertInto('leases')
      .values({ name, holder: id, until: 0, ...kept })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({ holder: id, ...kept })
          .where((eb) =>
            eb.or([eb('leases.holder', '=', id), this.#membership.gone(eb.ref('leases.holder'))]),
          ),
      )
      .executeTakeFirst();
    // If the answer came too late, another process may hold the role by now: the role counts as not held.
    return isUnbroken() && (numInsertedOrUpdatedRows ?? 0n) > 0n;
  }

  /** The bookmark of the last holder of `name`. */
  async bookmark(name: string): Promise<string | undefined> {
    const row = await this.#store
      .selectFrom('leases')
      .select('bookmark')
      .where('name', '=', name)
      .executeTakeFirst();
    return row?.bookmark ?? undefined;
  }

  /** Gives the role `name` back, if this process holds it. */
  async release(name: string, bookmark?: string): Promise<void> {
    await this.#store
      .updateTable('leases')
      .set({ holder: null, ...(bookmark === undefined ? {} : { bookmark }) })
      .where('name', '=', name)
      .where('holder', '=', this.#membership.id)
      .execute();
  }

  /**
   * True for the first process that asks, then false for every process for `everyMs` milliseconds. A turn that lasts
   * longer than clocks may be apart was taken by a clock that was hours ahead, and counts as over. With a transaction
   * `db` the turn is taken when the transaction commits.
   */
  async takeTurn(name: string, everyMs: number, db: Store = this.#store): Promise<boolean> {
    const now = this.#clock.now();
    const until = now + everyMs;
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('leases')
      .values({ name, holder: null, until })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({ until })
          .where((eb) =>
            eb.or([eb('leases.until', '<=', now), eb('leases.until', '>', farthest(now, everyMs))]),
          ),
      )
      .executeTakeFirst();
    return (numInsertedOrUpdatedRows ?? 0n) > 0n;
  }
}
