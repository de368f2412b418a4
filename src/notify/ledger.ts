import type { Clock } from '../clock.ts';
import type { DeliveryError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';
import { type Destination, type Next, release } from './channels.ts';
import { isDigest, unfold, updateLines } from './digest.ts';
import { tellPeopleBehind, tellPerson } from './direct-message.ts';
import { enqueue } from './outbox.ts';
import { GIVE_UP_MS, isFault, reasonOf, retryAt, sentenceOf, tooOld } from './retry-policy.ts';
import { fromRow, type OutboxRow, PENDING, toJson, updateHeld } from './row.ts';

/** The maximum number of rows that are given up in a single transaction. */
const ROWS_AT_ONCE = 500;

export interface LedgerParts {
  readonly store: Store;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether people on this platform can receive direct messages. */
  readonly canTell: (platform: string) => boolean;
}

/** Stores the outcome of attempts: the message was sent, will be tried again, or was given up. */
export class OutboxLedger {
  readonly #parts: LedgerParts;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  async sent(place: Destination, row: OutboxRow, next: Next): Promise<void> {
    const { store, membership, clock, log } = this.#parts;
    const sent = { state: 'sent', holder: null, uncertain: 0, sent_at: clock.now() };
    const change = { ...sent, reason_code: null, reason: null, ...contentAfter(row) };
    const isHeld = await transact(store, async (tx) => {
      await release(tx, membership, place, next);
      const isHeld = await updateHeld(tx, membership, row, change);
      if (isHeld && isDigest(row)) await updateLines(tx, row, change);
      return isHeld;
    });
    if (!isHeld) log.warn({ order_key: row.orderKey }, 'outbox: another process took this process for dead');
  }

  async failed(place: Destination, row: OutboxRow, error: DeliveryError, next: Next): Promise<void> {
    const { store, membership, clock, log, canTell } = this.#parts;
    const now = clock.now();
    const again = retryAt(row, error, now);
    const ends = again === undefined && !isDigest(row);
    const rows = await transact(store, async (tx) => {
      await release(tx, membership, place, next);
      if (ends) return (await this.end(tx, row, error)) ? [row] : [];
      const failure = { ...reasonOf(error), next_at: again ?? now };
      const uncertain = Number(error.outcome === 'unknown' || row.uncertain);
      const waits = { state: 'pending', holder: null, uncertain, ...failure };
      if (!(await updateHeld(tx, membership, row, waits))) return [row];
      let lines: readonly OutboxRow[] = [row];
      if (isDigest(row))
        // A bug in the bot may concern only one line of the digest, so the lines are sent separately.
        lines =
          again === undefined || isFault(error)
            ? await unfold(tx, row, error, failure.next_at)
            : await updateLines(tx, row, { ...failure, attempts: row.attempts });
      if (error.mendable && canTell(row.to.platform))
        for (const line of lines) {
          await tellPerson(tx, clock, line, error);
          await tellPeopleBehind(tx, clock, line, error);
        }
      return lines;
    });
    for (const line of rows)
      if (ends) this.logEnd(line, error);
      else
        log[isFault(error) ? 'error' : 'warn'](
          describe(line, error),
          'outbox: a delivery failed and will be tried again',
        );
  }

  /** Logs that a message was given up. Call this function only after the transaction of `end` was committed. */
  logEnd(row: OutboxRow, error: DeliveryError): void {
    this.#parts.log.error(describe(row, error), 'outbox: a message cannot be delivered');
  }

  /**
   * Gives up a message. The row stays in the store with the reason, which an operator can read. Returns false if
   * another process now holds the row. Also returns false for a digest, whose lines are then sent alone.
   */
  async end(tx: Store, row: OutboxRow, error: DeliveryError): Promise<boolean> {
    const { clock, canTell } = this.#parts;
    const { numUpdatedRows } = await tx
      .updateTable('outbox')
      .set({
        state: 'dead',
        holder: null,
        ...reasonOf(error),
        ...contentAfter(row),
      })
      .where('id', '=', row.id)
      .where('state', 'in', ['pending', 'leased'])
      .where((eb) => eb.or([eb('holder', 'is', null), eb('holder', '=', this.#parts.membership.id)]))
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return false;
    if (isDigest(row)) {
      await unfold(tx, row, error, clock.now());
      return false;
    }
    if (canTell(row.to.platform)) await tellPerson(tx, clock, row, error);
    const { orElse, key, orderKey, to } = row;
    // The `x` makes this key different from the key of every other message.
    if (orElse)
      await enqueue(tx, clock, { kind: 'post', orderKey, to, message: orElse, key: `x${key.slice(1)}` });
    return true;
  }

  /** Gives up messages that are too old to be news, even on platforms that this process does not serve. */
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
      const count = old.filter((row) => !isDigest(row)).length;
      if (count > 0) log.error({ count }, 'outbox: messages that could not be sent for a day are given up');
    }
  }
}

/**
 * The content of an answer is deleted after the answer was sent or given up. An answer may contain a token, or text for
 * a single person, for example the log of a server.
 */
function contentAfter({ kind, message }: OutboxRow) {
  if (kind === 'answer') return { message_json: '{}', target_json: null };
  const hasFiles = message?.kind === 'card' && message.files !== undefined;
  return hasFiles ? { message_json: toJson({ ...message, files: [] }) } : {};
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
