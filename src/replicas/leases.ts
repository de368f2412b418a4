import { type Clock, farthest } from '../clock.ts';
import type { Store } from '../store/schema.ts';
import type { Membership } from './membership.ts';

/**
 * Roles that only one process may have at a time. A process has a role until it dies or releases the role, or for a
 * limited time.
 */
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
   * Takes or keeps the role `name`. The role lasts until this process dies or releases it. Returns false if another
   * process holds the role, or if other processes may consider this process dead. `bookmark` is stored for the next
   * holder.
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
    // If the store's answer came too late, another process may already hold the role, so this process must not use the
    // role.
    return isUnbroken() && (numInsertedOrUpdatedRows ?? 0n) > 0n;
  }

  /** The bookmark that the last holder of `name` stored. */
  async bookmark(name: string): Promise<string | undefined> {
    const row = await this.#store
      .selectFrom('leases')
      .select('bookmark')
      .where('name', '=', name)
      .executeTakeFirst();
    return row?.bookmark ?? undefined;
  }

  /** Releases the role `name` if this process holds it. */
  async release(name: string, bookmark?: string): Promise<void> {
    await this.#store
      .updateTable('leases')
      .set({ holder: null, ...(bookmark === undefined ? {} : { bookmark }) })
      .where('name', '=', name)
      .where('holder', '=', this.#membership.id)
      .execute();
  }

  /**
   * Returns true to the first process that asks, and then false to every process for `everyMs` milliseconds. If the
   * stored end of this time is later than `farthest` allows, a clock that was hours ahead wrote the end, and the end is
   * ignored. If `db` is a transaction, the turn is taken when the transaction commits.
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
