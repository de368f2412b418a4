import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { farthest } from '../clock.ts';
import type { Mask } from '../log/mask.ts';
import { createLoop, type Loop } from '../loop.ts';
import type { Store } from '../store/schema.ts';
import { CallbackNews, type NewsParts, unhandled } from './callback-news.ts';

/**
 * The maximum number of deployments whose callbacks one transaction handles. The transaction blocks all other work on
 * the store.
 */
const WORK_AT_ONCE = 10;
/**
 * A burst of callbacks has ended if no callback arrives for this time. People do not notice such a short delay, but the
 * next callback of a burst usually arrives sooner.
 */
const LULL_MS = 50;
/** The maximum time that stored callbacks wait while further callbacks keep arriving. */
const GIVE_WAY_MS = 500;
/** The maximum number of callbacks that a single query reads. */
const READ_AT_ONCE = 250;
const POLL_MS = 2_000;
/**
 * For this long after a callback has arrived, only the process that stored the callback may handle it. After this time,
 * any process may handle it.
 */
const OTHERS_AFTER_MS = 5_000;
/** The pause before the bot tries again to handle a callback. The pause doubles after each failure. */
const AGAIN_MS = 5_000;
const AGAIN_MAX_MS = 60 * 60_000;

export interface CallbackParts extends NewsParts {
  readonly store: Store;
  /** Hides secrets in stored bodies. If `mask` is absent, only secrets of a known format are hidden. */
  readonly mask?: Mask;
}

/**
 * Handles stored callbacks. Callbacks that this process received are handled immediately. This class polls the store
 * for callbacks that other processes did not handle.
 */
export class CallbackWork {
  readonly #parts: CallbackParts;
  readonly #news: CallbackNews;
  /** The deployments whose callbacks this process has received but not handled yet, by id. */
  readonly #fresh = new Set<string>();
  readonly #work: Loop;
  /** The time of the last callback, from `performance.now()`. */
  #cameAt = 0;
  readonly #polls: Loop;
  #stopped = false;

  constructor(parts: CallbackParts) {
    this.#parts = parts;
    this.#news = new CallbackNews(parts);
    const { clock } = parts;
    const failed = (err: unknown) => this.#report(err);
    this.#work = createLoop({ clock, failed, run: () => this.#handleFresh() });
    // The loop starts in the constructor, because callbacks may arrive before `start` is called.
    this.#work.start();
    this.#polls = createLoop({ clock, failed, every: POLL_MS, run: () => this.#poll(OTHERS_AFTER_MS) });
  }

  /** Handles all stored callbacks, including those of dead processes, and then polls for more. */
  async start(): Promise<void> {
    await this.#poll(0).catch((err: unknown) => this.#report(err));
    this.#polls.start();
  }

  /** Finishes the callbacks that are being handled. All other callbacks stay in the store for the next process. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#polls.stop();
    await this.#work.stop();
  }

  /** Tells this class that a callback is arriving. The sender gets its answer before stored callbacks are handled. */
  giveWay(): void {
    this.#cameAt = performance.now();
  }

  /** Handles the callbacks of these deployments soon. */
  add(ids: readonly string[]): void {
    for (const id of ids) this.#fresh.add(id);
    this.#work.wake();
  }

  /** Resolves when all added callbacks have been handled, or an attempt to handle them has failed. */
  async idle(): Promise<void> {
    await this.#work.idle();
  }

  async #handleFresh(): Promise<void> {
    while (this.#fresh.size > 0 && !this.#stopped) {
      // Arriving callbacks are answered first, because Edgegap waits only ten seconds for an answer and does not repeat
      // a callback.
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
   * Handles callbacks that arrived at least `afterMs` ago and are still not handled. Leaves out callbacks whose retry
   * is scheduled for later.
   */
  async #poll(afterMs: number): Promise<void> {
    const now = this.#parts.clock.now();
    const left = await this.#parts.store
      .selectFrom('callbacks')
      .select('deployment_id')
      .where('handled_at', 'is', null)
      // A time of arrival this far in the future was written by a process whose clock was hours ahead.
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
   * one faulty callback does not delay the other callbacks.
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
