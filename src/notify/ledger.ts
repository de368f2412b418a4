import type { Clock } from '../clock.ts';
import type { DeliveryError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';
import { type Next, type Place, release } from './channels.ts';
import { fateOf, GIVE_UP_MS, isFault, sentenceOf, tooOld } from './fate.ts';
import { enqueue } from './outbox.ts';
import { fromRow, type OutboxRow, PENDING } from './row.ts';
import { KEY_REMEMBERED_MS } from './send.ts';
import { tell, tellBehind } from './tell.ts';

/** At most so many rows are given up in one transaction. */
const ROWS_AT_ONCE = 500;

export interface LedgerParts {
  readonly store: Store;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether somebody on this platform can be told something directly. */
  readonly canTell: (platform: string) => boolean;
}

/** Writes down what became of rows of the outbox: sent, to be tried again, given up. */
export class OutboxLedger {
  readonly #parts: LedgerParts;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  async sent(place: Place, rows: readonly OutboxRow[], next: Next): Promise<void> {
    const { store, membership, clock, log } = this.#parts;
    const ids = rows.map(({ id }) => id);
    const { numUpdatedRows } = await transact(store, async (tx) => {
      await release(tx, membership, place, next);
      return await tx
        .updateTable('outbox')
        .set({
          state: 'sent',
          holder: null,
          uncertain: 0,
          sent_at: clock.now(),
          reason_code: null,
          reason: null,
          ...contentAfter(rows[0]),
        })
        .where('id', 'in', ids)
        .where('holder', '=', membership.id)
        .executeTakeFirstOrThrow();
    });
    if (Number(numUpdatedRows) < ids.length)
      log.warn({ order_key: rows[0]?.orderKey }, 'outbox: another process took this one for dead');
  }

  async failed(place: Place, rows: readonly OutboxRow[], error: DeliveryError, next: Next): Promise<void> {
    const { store, membership, clock, log } = this.#parts;
    const now = clock.now();
    const fates = rows.map((row) => ({ row, fate: fateOf(row, error, { now, folded: rows.length > 1 }) }));
    const ended = await transact(store, async (tx) => {
      const ended: OutboxRow[] = [];
      await release(tx, membership, place, next);
      for (const { row, fate } of fates) {
        if (fate.kind === 'never') {
          if (await this.end(tx, row, error)) ended.push(row);
          continue;
        }
        const { numUpdatedRows } = await tx
          .updateTable('outbox')
          .set({
            state: 'pending',
            holder: null,
            uncertain: error.outcome === 'unknown' || row.uncertain ? 1 : 0,
            reason_code: error.code,
            reason: sentenceOf(error),
            ...(fate.kind === 'again' ? { next_at: fate.at } : {}),
            // Where the digest may have been shown all the same, it is looked for first.
            ...(fate.kind === 'alone' && error.outcome === 'not-sent' ? leftAlone(row) : {}),
          })
          .where('id', '=', row.id)
          .where('holder', '=', membership.id)
          .executeTakeFirstOrThrow();
        if (numUpdatedRows === 0n || !error.mendable || !this.#parts.canTell(row.to.platform)) continue;
        await tell(tx, clock, row, error);
        await tellBehind(tx, clock, row, error);
      }
      return ended;
    });
    for (const row of ended) this.logEnd(row, error);
    for (const { row, fate } of fates) {
      if (fate.kind === 'never') continue;
      log[isFault(error) ? 'error' : 'warn'](
        describe(row, error),
        'outbox: a delivery failed and will be tried again',
      );
    }
  }

  /** Once the transaction of `end` is committed. */
  logEnd(row: OutboxRow, error: DeliveryError): void {
    this.#parts.log.error(describe(row, error), 'outbox: a message cannot be delivered');
  }

  /** Gives one up: it stays as it is, for an operator to see, with the reason. False where it is another process's now. */
  async end(tx: Store, row: OutboxRow, error: DeliveryError): Promise<boolean> {
    const { clock, canTell } = this.#parts;
    const { numUpdatedRows } = await tx
      .updateTable('outbox')
      .set({
        state: 'dead',
        holder: null,
        reason_code: error.code,
        reason: sentenceOf(error),
        ...contentAfter(row),
      })
      .where('id', '=', row.id)
      .where('state', 'in', ['pending', 'leased'])
      .where((eb) => eb.or([eb('holder', 'is', null), eb('holder', '=', this.#parts.membership.id)]))
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return false;
    if (canTell(row.to.platform)) await tell(tx, clock, row, error);
    const { orElse, key, orderKey, to } = row;
    // Keys are hexadecimal: one that begins so is no other row's, nor its own.
    if (orElse)
      await enqueue(tx, clock, { kind: 'post', orderKey, to, message: orElse, key: `x${key.slice(1)}` });
    return true;
  }

  /** Gives up what is no news any more, also of platforms that are not here. */
  async giveUp(now: number): Promise<void> {
    const { store, log } = this.#parts;
    for (;;) {
      const old = await store
        .selectFrom('outbox')
        .selectAll()
        .where('state', '=', PENDING)
        .where('created_at', '<', now - GIVE_UP_MS)
        .limit(ROWS_AT_ONCE)
        .execute();
      if (old.length === 0) return;
      await transact(store, async (tx) => {
        for (const row of old.map(fromRow)) await this.end(tx, row, tooOld(row));
      });
      log.error({ count: old.length }, 'outbox: messages that could not be sent for a day are given up');
    }
  }
}

/** From now on it goes by its own key, which the platform cannot know from an attempt before it. */
function leftAlone({ key, uncertain, attemptedAt }: OutboxRow) {
  return { sent_key: key, ...(uncertain ? { attempted_at: attemptedAt - KEY_REMEMBERED_MS } : {}) };
}

/** An answer holds what one person was to see, a server's log perhaps, and a token: no longer than it takes to give it. */
function contentAfter(row: OutboxRow | undefined) {
  return row?.kind === 'answer' ? { message_json: '{}', target_json: null } : {};
}

function describe({ orderKey, attempts, kind, to }: OutboxRow, error: DeliveryError) {
  return {
    code: error.code,
    reason: sentenceOf(error),
    order_key: orderKey,
    kind,
    channel: to.channel,
    attempts,
    ...(isFault(error) ? { err: error.cause } : {}),
  };
}
