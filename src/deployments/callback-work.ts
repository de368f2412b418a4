import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { farthest } from '../clock.ts';
import type { Mask } from '../log/mask.ts';
import { createLoop, type Loop } from '../loop.ts';
import type { Store } from '../store/schema.ts';
import { CallbackNews, type NewsParts, unhandled } from './callback-news.ts';

/**
 * The callbacks of at most this many deployments are handled in a single transaction, because no other work can use the
 * store during the transaction.
 */
const WORK_AT_ONCE = 10;
/**
 * A burst of callbacks counts as over after a pause of this length. The pause is too short for people to notice, but
 * longer than a caller needs before it sends the next callback.
 */
const LULL_MS = 50;
/** Even during a long burst, callbacks are handled after at most this time. */
const GIVE_WAY_MS = 500;
/** The maximum number of callbacks that a single query reads. */
const READ_AT_ONCE = 250;
const POLL_MS = 2_000;
/**
 * For this long after a callback has arrived, only the process that stored the callback may handle it. After this time,
 * any process may handle it.
 */
const OTHERS_AFTER_MS = 5_000;
/** The pause before the bot tries again to handle a callback. The pause doubles with each failure. */
const AGAIN_MS = 5_000;
const AGAIN_MAX_MS = 60 * 60_000;

export interface CallbackParts extends NewsParts {
  readonly store: Store;
  /** Hides secrets in stored bodies. Without `mask`, only secrets with a known form are hidden. */
  readonly mask?: Mask;
}

/**
 * Handles stored callbacks. Callbacks that this process received are handled at once. Callbacks that other processes
 * left behind are found by polling the store.
 */
export class CallbackWork {
  readonly #parts: CallbackParts;
  readonly #news: CallbackNews;
  /** The ids of the deployments whose callbacks this process has to handle. */
  readonly #fresh = new Set<string>();
  readonly #work: Loop;
  /** The time at which the last callback arrived, by `performance.now()`. */
  #cameAt = 0;
  readonly #polls: Loop;
  #stopped = false;

  constructor(parts: CallbackParts) {
    this.#parts = parts;
    this.#news = new CallbackNews(parts);
    const { clock } = parts;
    const failed = (err: unknown) => this.#report(err);
    this.#work = createLoop({ clock, failed, run: () => this.#handleFresh() });
    // The loop starts in the constructor, because callbacks that arrive before the call of `start` must be handled as
    // well.
    this.#work.start();
    this.#polls = createLoop({ clock, failed, every: POLL_MS, run: () => this.#poll(OTHERS_AFTER_MS) });
  }

  /** Handles all callbacks that are left, including those of dead processes, and keeps looking for more. */
  async start(): Promise<void> {
    await this.#poll(0).catch((err: unknown) => this.#report(err));
    this.#polls.start();
  }

  /** Finishes the callbacks that are being handled. The others stay in the store for the next process. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#polls.stop();
    await this.#work.stop();
  }

  /**
   * Says that a callback is arriving at this moment. Its sender gets the answer before stored callbacks are handled.
   */
  giveWay(): void {
    this.#cameAt = performance.now();
  }

  /** Handles the callbacks of these deployments soon. */
  add(ids: readonly string[]): void {
    for (const id of ids) this.#fresh.add(id);
    this.#work.wake();
  }

  /** Resolves once all added callbacks have been handled, or have been tried and failed. */
  async idle(): Promise<void> {
    await this.#work.idle();
  }

  async #handleFresh(): Promise<void> {
    while (this.#fresh.size > 0 && !this.#stopped) {
      // Callbacks that are arriving are answered first, because Edgegap waits only ten seconds for an answer, and never
      // repeats a callback.
      await nextTurn();
      if (this.#fresh.size > WORK_AT_ONCE) await this.#lull();
      if (this.#stopped) return;
      const ids = [...this.#fresh].slice(0, WORK_AT_ONCE);
      for (const id of ids) this.#fresh.delete(id);
      await this.#handle(ids);
    }
  }

  async #lull(): Promise<void> {
    const from = performance.now();
    for (let now = from; now - this.#cameAt < LULL_MS && now - from < GIVE_WAY_MS; now = performance.now())
      await pause(LULL_MS);
  }

  /**
   * Handles the callbacks that are still not handled `afterMs` after their arrival. Callbacks whose next attempt is
   * scheduled for later are left out.
   */
  async #poll(afterMs: number): Promise<void> {
    const now = this.#parts.clock.now();
    const left = await this.#parts.store
      .selectFrom('callbacks')
      .select('deployment_id')
      .where('handled_at', 'is', null)
      // If the time of arrival is this far in the future, the clock that wrote it was hours ahead.
      .where((eb) => eb.or([eb('received_at', '<=', now - afterMs), eb('received_at', '>', farthest(now))]))
      .where((eb) =>
        eb.or([
          eb('next_at', 'is', null),
          eb('next_at', '<=', now),
          eb('next_at', '>', farthest(now, AGAIN_MAX_MS)),
        ]),
      )
      .orderBy('received_at')
      .limit(READ_AT_ONCE)
      .execute();
    this.add(left.map(({ deployment_id }) => deployment_id));
    await this.idle();
  }

  #report(err: unknown): void {
    if (!this.#stopped) this.#parts.log.error({ err }, 'callbacks: the stored callbacks cannot be handled');
  }

  /**
   * Handles the callbacks of all these deployments together. If that fails, handles each deployment separately, so that
   * a callback that cannot be handled does not hold up the other callbacks.
   */
  async #handle(ids: readonly string[]): Promise<void> {
    try {
      await this.#news.apply(ids);
    } catch (error) {
      if (this.#stopped) return;
      if (ids.length > 1) {
        for (const id of ids) if (!this.#stopped) await this.#handle([id]);
        return;
      }
      this.#parts.log.error({ err: error, deployment: ids[0] }, 'callbacks: a callback cannot be handled');
      await this.#putOff(ids).catch((failure: unknown) => this.#report(failure));
    }
  }

  async #putOff(ids: readonly string[]): Promise<void> {
    const rows = await unhandled(this.#parts.store, ids);
    for (const { deployment_id, event, failures } of rows) {
      const tried = (failures ?? 0) + 1;
      const inMs = Math.min(AGAIN_MS * 2 ** (tried - 1), AGAIN_MAX_MS);
      await this.#parts.store
        .updateTable('callbacks')
        .set({ failures: tried, next_at: this.#parts.clock.now() + inMs })
        .where('deployment_id', '=', deployment_id)
        .where('event', '=', event)
        .execute();
    }
  }
}
