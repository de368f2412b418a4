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
 * A process is taken for dead 1.5 s after the last moment at which the process may have begun a request, and a request
 * may take 15 s (discord.js; Slack's 10 s). Only after these 15 s can a search tell whether the message was shown.
 */
const STRAY_REQUEST_MS = 13_500;

/** A claimed row, and when the message may leave, in epoch milliseconds. */
interface Begun {
  readonly row: OutboxRow | undefined;
  readonly at: number;
}

interface ClaimsParts extends Pick<LedgerParts, 'store' | 'membership' | 'clock'> {
  readonly queue: OutboxQueue;
  /** Gives up the rows that are claimed too late. */
  readonly ledger: OutboxLedger;
}

/**
 * Claims rows of the outbox to send them, gives back rows that did not leave, and takes over the rows of processes that
 * are gone.
 */
export class OutboxClaims {
  readonly #parts: ClaimsParts;

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  /**
   * Claims a channel and the next row of the channel, and commits that an attempt has begun before anything leaves. The
   * returned row is as uncertain as before this attempt; undefined if no row is left, because another process was
   * faster for example.
   */
  async begin(place: Destination): Promise<Begun> {
    const { store, membership, queue, ledger, clock } = this.#parts;
    const now = clock.now();
    const { old, ...begun } = await transact(store, async (tx) => {
      let at = now;
      let batch: readonly OutboxRow[] = [];
      for (const opening of await claim(tx, membership, place, now)) {
        at = opening.at;
        // Read only under the claim: another process may have sent rows that were read before.
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

  /** Gives back a claimed row that did not leave. */
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
    // A clock that was ahead wrote when the earlier attempt began. The true time is unknown, so the search covers the
    // whole day in which a message is news.
    const begun_at = attemptedAt > now ? now - GIVE_UP_MS : attemptedAt;
    const leased = await tx
      .updateTable('outbox')
      .set((eb) => ({
        state: 'leased',
        holder: this.#parts.membership.id,
        uncertain: 1,
        attempts: eb('attempts', '+', 1),
        // A message that may have been shown, alone or in a digest, is searched for by the time and key of that earlier
        // attempt.
        ...(uncertain ? { attempted_at: begun_at } : { attempted_at: now, sent_key: row.key }),
      }))
      .where('id', '=', row.id)
      .where('state', '=', 'pending')
      .returningAll()
      .executeTakeFirst();
    // A newer edit may have replaced the edit since the read: the returned row is the row to send.
    return leased && { ...fromRow(leased), uncertain };
  }

  /**
   * From now on the row is searched for under its own key. If the row may have been shown in a digest, `message` says
   * so at every attempt.
   */
  async goesAlone(row: OutboxRow, message: Message): Promise<void> {
    const { store, membership } = this.#parts;
    await updateHeld(store, membership, row, { sent_key: row.key, message_json: toJson(message) });
  }

  /**
   * Makes the rows that a gone process had begun pending again; the next attempt searches for the message first. On a
   * shared store the rows wait until the last request of the gone process has surely ended.
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
   * Makes the rows of this process in one channel pending again, after an attempt whose outcome could not be stored.
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
