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
 * A process is taken for dead 1.5 s after the last moment at which it may have begun a request, and a request may take
 * 15 s (discord.js; Slack's 10 s). Only then can it be looked for whether the message was shown.
 */
const STRAY_REQUEST_MS = 13_500;

/** What was taken of a channel, and when it may leave, in epoch milliseconds. */
interface Begun {
  readonly row: OutboxRow | undefined;
  readonly at: number;
}

interface LeasesParts extends Pick<LedgerParts, 'store' | 'membership' | 'clock'> {
  readonly queue: OutboxQueue;
  /** What is taken too late is given up. */
  readonly ledger: OutboxLedger;
}

/** Takes rows of the outbox to send them, gives back what did not leave, and takes over from those that are gone. */
export class OutboxClaims {
  readonly #parts: LeasesParts;

  constructor(parts: LeasesParts) {
    this.#parts = parts;
  }

  /**
   * Takes a channel and what is next in it, and commits that an attempt has begun before anything leaves. Returns the
   * row, as uncertain as before it; none where another process was faster.
   */
  async begin(place: Destination): Promise<Begun> {
    const { store, membership, queue, ledger, clock } = this.#parts;
    const now = clock.now();
    const { old, ...begun } = await transact(store, async (tx) => {
      let at = now;
      let batch: readonly OutboxRow[] = [];
      for (const opening of await claim(tx, membership, place, now)) {
        at = opening.at;
        // Read only now, when nobody else sends here: what was seen before may have been sent meanwhile.
        batch = await queue.next(tx, place, opening.lanes, now);
        if (batch.length > 0) break;
      }
      const old: OutboxRow[] = [];
      for (const row of batch)
        if (isTooOld(row, now) && (await ledger.end(tx, row, tooOld(row)))) old.push(row);
      const lines = batch.filter((row) => !isTooOld(row, now));
      const next = lines.length > 1 ? await writeDigest(tx, lines) : lines[0];
      const row = next && (await this.#lease(tx, next, now));
      if (!row) await release(tx, membership, place);
      return { row, at, old };
    });
    for (const row of old) ledger.logEnd(row, tooOld(row));
    return begun;
  }

  /** Gives back what was taken and did not leave. */
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

  async #lease(tx: Store, row: OutboxRow, now: number): Promise<OutboxRow | undefined> {
    const { uncertain, attemptedAt } = row;
    // Begun by a clock that was ahead it was at a time that nobody knows, of the day that a message is news.
    const begun_at = attemptedAt > now ? now - GIVE_UP_MS : attemptedAt;
    const leased = await tx
      .updateTable('outbox')
      .set((eb) => ({
        state: 'leased',
        holder: this.#parts.membership.id,
        uncertain: 1,
        attempts: eb('attempts', '+', 1),
        // What may have been shown before, alone or in a digest, is looked for as that earlier attempt.
        ...(uncertain ? { attempted_at: begun_at } : { attempted_at: now, sent_key: row.key }),
      }))
      .where('id', '=', row.id)
      .where('state', '=', 'pending')
      .returningAll()
      .executeTakeFirst();
    // An edit may have been replaced by a newer one since it was read: what is sent is what is returned.
    return leased && { ...fromRow(leased), uncertain };
  }

  /**
   * From now on it is to be looked for under its own key; so where it may have been shown in a digest, its message says so
   * at every attempt.
   */
  async goesAlone(row: OutboxRow, message: Message): Promise<void> {
    const { store, membership } = this.#parts;
    await updateHeld(store, membership, row, { sent_key: row.key, message_json: toJson(message) });
  }

  /**
   * What a process that is gone had begun is begun anew, and looked for first. On a store that others share, only once
   * a request of its that was already on its way has surely ended.
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

  /** The same for what this process had begun and could not write down the end of. */
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
