import { type Clock, farthest } from '../clock.ts';
import type { Store } from '../store/schema.ts';
import type { Membership } from './membership.ts';

/** What only one of all processes does: for as long as it lives, or once in a while. */
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
   * Takes or keeps `name` for as long as this process lives; false while another one holds it, and while this one is
   * in doubt. A `bookmark` is kept for whoever holds it next.
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
    // An answer that took so long that others took it meanwhile is none.
    return isUnbroken() && (numInsertedOrUpdatedRows ?? 0n) > 0n;
  }

  /** What the last one that held `name` left for the next. */
  async bookmark(name: string): Promise<string | undefined> {
    const row = await this.#store
      .selectFrom('leases')
      .select('bookmark')
      .where('name', '=', name)
      .executeTakeFirst();
    return row?.bookmark ?? undefined;
  }

  /** Gives `name` back, where this process holds it. */
  async release(name: string, bookmark?: string): Promise<void> {
    await this.#store
      .updateTable('leases')
      .set({ holder: null, ...(bookmark === undefined ? {} : { bookmark }) })
      .where('name', '=', name)
      .where('holder', '=', this.#membership.id)
      .execute();
  }

  /**
   * True for the first that asks, and then for nobody for `everyMs` milliseconds. A turn that lasts longer than
   * clocks may be apart was taken by one that was hours ahead, and is over. In a transaction `db` it is taken with it.
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
