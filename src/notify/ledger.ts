import type { Clock } from '../clock.ts';
import type { DeliveryError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';
import { digestKey } from './batch.ts';
import { fateOf, GIVE_UP_MS, isTooOld } from './fate.ts';
import { enqueue } from './outbox.ts';
import { fromRow, type OutboxRow } from './row.ts';

/** What was delivered, or never will be, is of use to nobody after this. */
const KEEP_MS = 7 * 24 * 60 * 60_000;
const PURGE_EVERY_MS = 60 * 60_000;
/** Below what a statement may have parameters. */
const IDS_AT_ONCE = 1_000;

/** Writes down what becomes of the rows of the outbox: begun, sent, to be tried again, given up. */
export class OutboxLedger {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** Rows of attempts whose end could not be written down. */
  readonly #unrecorded = new Set<number>();
  /** How often an adapter met an error of its own making, by row. */
  readonly #faults = new Map<number, number>();
  #purgedAt = 0;

  constructor(store: Store, clock: Clock, log: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** One process owns the store, so whatever is leased was begun by one that is gone. */
  async takeOver(): Promise<void> {
    await this.#store.updateTable('outbox').set({ state: 'pending' }).where('state', '=', 'leased').execute();
  }

  /**
   * Commits, before anything leaves, that an attempt has begun. Returns the rows as they were before it, without
   * those that are no news any more.
   */
  async lease(batch: readonly OutboxRow[]): Promise<OutboxRow[]> {
    const now = this.#clock.now();
    await this.#giveUp(batch.filter((row) => isTooOld(row, now)));
    const fresh = batch.filter((row) => !isTooOld(row, now));
    const sent_key = fresh.length > 1 ? digestKey(fresh) : fresh[0]?.key;
    return await this.#store.transaction().execute(async (tx) => {
      const leased: OutboxRow[] = [];
      for (const { id, uncertain, attemptedAt } of fresh) {
        const row = await tx
          .updateTable('outbox')
          .set((eb) => ({
            state: 'leased',
            uncertain: 1,
            attempts: eb('attempts', '+', 1),
            // Where an earlier attempt may have been shown, that is the one to look for.
            ...(uncertain ? {} : { attempted_at: now, sent_key }),
          }))
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirstOrThrow();
        const begun = fromRow(row);
        if (begun) leased.push({ ...begun, uncertain, attemptedAt: uncertain ? attemptedAt : now });
      }
      return leased;
    });
  }

  /** From now on it is to be looked for under its own key. */
  async goesAlone({ id, key }: OutboxRow): Promise<void> {
    await this.#store.updateTable('outbox').set({ sent_key: key }).where('id', '=', id).execute();
  }

  async sent(rows: readonly OutboxRow[]): Promise<void> {
    const ids = rows.map(({ id }) => id);
    for (const id of ids) this.#faults.delete(id);
    await this.#store
      .updateTable('outbox')
      .set({ state: 'sent', uncertain: 0, sent_at: this.#clock.now() })
      .where('id', 'in', ids)
      .execute();
  }

  /** `unexpected`: the adapter threw what it should not, a fault of its own. */
  async failed(rows: readonly OutboxRow[], error: DeliveryError, unexpected: boolean): Promise<void> {
    const now = this.#clock.now();
    for (const row of rows) {
      const faults = (this.#faults.get(row.id) ?? 0) + (unexpected ? 1 : 0);
      const fate = fateOf(row, error, { now, faults, folded: rows.length > 1 });
      if (fate.kind === 'again' && faults > 0) this.#faults.set(row.id, faults);
      else this.#faults.delete(row.id);
      const final = fate.kind === 'never';
      this.#log[final || unexpected ? 'error' : 'warn'](
        {
          code: error.code,
          reason: error.userMessage,
          order_key: row.orderKey,
          attempts: row.attempts,
          ...(unexpected ? { err: error.cause } : {}),
        },
        final ? 'outbox: a message cannot be delivered' : 'outbox: a delivery failed and will be tried again',
      );
      await this.#store
        .updateTable('outbox')
        .set({
          state: final ? 'dead' : 'pending',
          uncertain: error.outcome === 'unknown' || row.uncertain ? 1 : 0,
          ...(fate.kind === 'again' ? { next_at: fate.at } : {}),
          // Where the digest may have been shown all the same, it is looked for first.
          ...(fate.kind === 'alone' && error.outcome === 'not-sent' ? { sent_key: row.key } : {}),
        })
        .where('id', '=', row.id)
        .execute();
      if (final && row.orElse)
        await enqueue(this.#store, this.#clock, {
          kind: 'post',
          orderKey: row.orderKey,
          to: row.to,
          message: row.orElse,
          key: `e${row.key.slice(1)}`,
        });
    }
  }

  /** The store failed at what became of them. */
  cannotRecord(rows: readonly OutboxRow[]): void {
    for (const { id } of rows) this.#unrecorded.add(id);
  }

  /** What was begun and could not be written down is begun anew, and looked for first. */
  async putBack(): Promise<void> {
    if (this.#unrecorded.size === 0) return;
    const ids = [...this.#unrecorded];
    await this.#store
      .updateTable('outbox')
      .set({ state: 'pending' })
      .where('state', '=', 'leased')
      .where('id', 'in', ids)
      .execute();
    for (const id of ids) this.#unrecorded.delete(id);
  }

  /** Now and then: forgets what is over, and gives up what is no news any more, also of platforms that are not here. */
  async purge(now: number): Promise<void> {
    if (now - this.#purgedAt < PURGE_EVERY_MS) return;
    this.#purgedAt = now;
    const old = await this.#store
      .selectFrom('outbox')
      .select('id')
      .where('state', '=', 'pending')
      .where('created_at', '<', now - GIVE_UP_MS)
      .execute();
    await this.#giveUp(old);
    await this.#store
      .deleteFrom('outbox')
      .where('state', 'in', ['sent', 'dead'])
      .where('created_at', '<', now - KEEP_MS)
      .execute();
  }

  async #giveUp(rows: readonly Pick<OutboxRow, 'id'>[]): Promise<void> {
    for (let start = 0; start < rows.length; start += IDS_AT_ONCE) {
      const ids = rows.slice(start, start + IDS_AT_ONCE).map(({ id }) => id);
      this.#log.error(
        { count: ids.length },
        'outbox: messages that nobody could be sent for a day are given up',
      );
      await this.#store
        .updateTable('outbox')
        .set({ state: 'dead' })
        .where('state', '=', 'pending')
        .where('id', 'in', ids)
        .execute();
    }
  }
}
