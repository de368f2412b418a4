import type { Message } from '../chat/card.ts';
import { passingOverLocked, type Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';
import { claim, type Destination, release } from './channels.ts';
import { writeDigest } from './digest.ts';
import type { LedgerParts, OutboxLedger } from './ledger.ts';
import type { OutboxQueue } from './queue.ts';
import { GIVE_UP_MS, isTooOld, tooOld } from './retry-policy.ts';
import { fromRow, LEASED, type OutboxRow, toJson, updateHeld } from './row.ts';

/**
 * How long rows of a dead process wait before another process sends them. With discord.js, a request of the dead
 * process may take 15 s (with Slack 10 s). A search of the channel can find the message with certainty only after these
 * 15 s. Other processes consider a process dead at least 1.5 s after it may have started its last request, so 13.5 s
 * remain.
 */
const STRAY_REQUEST_MS = 13_500;

/** A claimed row, and the earliest time to send the message, in epoch milliseconds. */
interface Begun {
  readonly row: OutboxRow | undefined;
  readonly at: number;
}

interface ClaimsParts extends Pick<LedgerParts, 'store' | 'membership' | 'clock'> {
  readonly queue: OutboxQueue;
  /** Gives up claimed rows that are too old. */
  readonly ledger: OutboxLedger;
}

/**
 * Claims rows of the outbox for sending, releases rows that were not sent, and takes over the rows of dead processes.
 */
export class OutboxClaims {
  readonly #parts: ClaimsParts;

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  /**
   * Claims a channel and its next row. The store records the start of the attempt before the message is sent. In the
   * returned row, `uncertain` has the value from before this attempt. The row is undefined if the channel has no row to
   * send, for example because another process was faster.
   */
  async begin(place: Destination): Promise<Begun> {
    const { store, membership, queue, ledger, clock } = this.#parts;
    const now = clock.now();
    const { old, ...begun } = await transact(store, async (tx) => {
      let at = now;
      let batch: readonly OutboxRow[] = [];
      for (const opening of await claim(tx, membership, place, now)) {
        at = opening.at;
        // The rows are read after the claim of the channel. Another process may have sent rows that were read before
        // the claim.
        batch = await queue.next(tx, place, opening.lanes, now);
        if (batch.length > 0) break;
      }
      const old: OutboxRow[] = [];
      for (const row of batch)
        if (isTooOld(row, now) && (await ledger.end(tx, row, tooOld(row)))) old.push(row);
      const lines = batch.filter((row) => !isTooOld(row, now));
      const next = lines.length > 1 ? await writeDigest(tx, lines) : lines[0];
      const row = next && (await this.#claimRow(tx, next, now));
      if (!row) await release(tx, membership, place);
      return { row, at, old };
    });
    for (const row of old) ledger.logEnd(row, tooOld(row));
    return begun;
  }

  /** Releases a claimed row that was not sent. */
  async handBack(place: Destination, row: OutboxRow): Promise<void> {
    const { store, membership } = this.#parts;
    await transact(store, async (tx) => {
      await release(tx, membership, place);
      await updateHeld(tx, membership, row, {
        state: 'pending',
        holder: null,
        uncertain: Number(row.uncertain),
        attempts: row.attempts - 1,
      });
    });
  }

  async #claimRow(tx: Store, row: OutboxRow, now: number): Promise<OutboxRow | undefined> {
    const { uncertain, attemptedAt } = row;
    // If the stored start of the earlier attempt is in the future, the clock that wrote it was ahead. The true start is
    // unknown, so the search covers the last `GIVE_UP_MS`. Older messages have been given up.
    const begun_at = attemptedAt > now ? now - GIVE_UP_MS : attemptedAt;
    const leased = await tx
      .updateTable('outbox')
      .set((eb) => ({
        state: 'leased',
        holder: this.#parts.membership.id,
        uncertain: 1,
        attempts: eb('attempts', '+', 1),
        // If an earlier attempt may have shown the message, alone or in a digest, the row keeps the time and key of
        // that attempt for the search of the channel.
        ...(uncertain ? { attempted_at: begun_at } : { attempted_at: now, sent_key: row.key }),
      }))
      .where('id', '=', row.id)
      .where('state', '=', 'pending')
      .returningAll()
      .executeTakeFirst();
    // The stored row is sent, because it may contain a newer edit than the row that was read earlier.
    return leased && { ...fromRow(leased), uncertain };
  }

  /**
   * Records that the row is sent under its own key, which later searches use. If a digest may already have shown the
   * row, `message` contains a note about a possible repetition, and every further attempt sends the same `message`.
   */
  async goesAlone(row: OutboxRow, message: Message): Promise<void> {
    const { store, membership } = this.#parts;
    await updateHeld(store, membership, row, { sent_key: row.key, message_json: toJson(message) });
  }

  /**
   * If a process died during an attempt, makes the row of the attempt pending again. The next attempt first searches
   * for the message. On a shared store, the rows wait until the dead process's last request has certainly ended.
   */
  async takeOver(): Promise<void> {
    const { store, membership, clock } = this.#parts;
    await store
      .updateTable('outbox')
      .set({
        state: 'pending',
        holder: null,
        ...(membership.shared ? { next_at: clock.now() + STRAY_REQUEST_MS } : {}),
      })
      .where('id', 'in', (eb) =>
        passingOverLocked(
          eb
            .selectFrom('outbox')
            .select('id')
            .where('state', '=', LEASED)
            .where(membership.gone(eb.ref('outbox.holder'))),
          store,
        ),
      )
      .execute();
  }

  /**
   * Makes the rows that this process holds in the channel pending again. Called after an attempt whose outcome could
   * not be stored.
   */
  async putBack(place: Destination): Promise<void> {
    const { store, membership } = this.#parts;
    await transact(store, async (tx) => {
      await tx
        .updateTable('outbox')
        .set({ state: 'pending', holder: null })
        .where('state', '=', LEASED)
        .where('holder', '=', membership.id)
        .where('platform', '=', place.platform)
        .where('workspace', '=', place.workspace)
        .where('channel', '=', place.channel)
        .execute();
      await release(tx, membership, place);
    });
  }
}
