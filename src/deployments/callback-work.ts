import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { farthest } from '../clock.ts';
import type { Mask } from '../log/mask.ts';
import { createLoop, type Loop } from '../loop.ts';
import type { Store } from '../store/schema.ts';
import { CallbackNews, type NewsParts, unhandled } from './callback-news.ts';

/** How many deployments' callbacks are handled in one transaction: meanwhile no other work can use the store. */
const WORK_AT_ONCE = 10;
/**
 * A burst of callbacks is over after a pause of this length: too short for people to notice, longer than a caller
 * takes to send the next callback.
 */
const LULL_MS = 50;
/** Callbacks are handled at least this often, however long a burst lasts. */
const GIVE_WAY_MS = 500;
/** How many callbacks are read by a single query. */
const READ_AT_ONCE = 250;
const POLL_MS = 2_000;
/** The process that stored a callback has this long to handle the callback; then any process may. */
const OTHERS_AFTER_MS = 5_000;
/** A callback that cannot be handled is tried again after this long, doubled each time. */
const AGAIN_MS = 5_000;
const AGAIN_MAX_MS = 60 * 60_000;

export interface CallbackParts extends NewsParts {
  readonly store: Store;
  /** Hides secrets in stored bodies; if absent, only secrets of a known form are hidden. */
  readonly mask?: Mask;
}

/** Handles stored callbacks: those of this process at once, and callbacks that other processes left. */
export class CallbackWork {
  readonly #parts: CallbackParts;
  readonly #news: CallbackNews;
  /** Ids of deployments with callbacks that this process is to handle. */
  readonly #fresh = new Set<string>();
  readonly #work: Loop;
  /** When the last callback came, by the machine's own time. */
  #cameAt = 0;
  readonly #polls: Loop;
  #stopped = false;

  constructor(parts: CallbackParts) {
    this.#parts = parts;
    this.#news = new CallbackNews(parts);
    const { clock } = parts;
    const failed = (err: unknown) => this.#report(err);
    this.#work = createLoop({ clock, failed, run: () => this.#handleFresh() });
    // Callbacks that come before `start` are handled as well.
    this.#work.start();
    this.#polls = createLoop({ clock, failed, every: POLL_MS, run: () => this.#poll(OTHERS_AFTER_MS) });
  }

  /** Handles all callbacks that are left, those of dead processes included, and keeps looking for more. */
  async start(): Promise<void> {
    await this.#poll(0).catch((err: unknown) => this.#report(err));
    this.#polls.start();
  }

  /** Finishes the callbacks that are being handled; the rest stays in the store for the next process. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#polls.stop();
    await this.#work.stop();
  }

  /** A callback is coming in right now, and is to be answered first. */
  giveWay(): void {
    this.#cameAt = performance.now();
  }

  /** Handles the callbacks of these deployments soon. */
  add(ids: readonly string[]): void {
    for (const id of ids) this.#fresh.add(id);
    this.#work.wake();
  }

  /** Resolves when all added callbacks have been handled, or tried. */
  async idle(): Promise<void> {
    await this.#work.idle();
  }

  async #handleFresh(): Promise<void> {
    while (this.#fresh.size > 0 && !this.#stopped) {
      // Callbacks that come in right now are answered first: Edgegap waits for ten seconds, and never calls again.
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
   * Handles callbacks that are still not handled `afterMs` after their arrival, except those whose next attempt is
   * set for later.
   */
  async #poll(afterMs: number): Promise<void> {
    const now = this.#parts.clock.now();
    const left = await this.#parts.store
      .selectFrom('callbacks')
      .select('deployment_id')
      .where('handled_at', 'is', null)
      // A time this far ahead was written by a clock that was hours ahead.
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

  /** All deployments together; if that fails, each alone, so that a bad callback does not hold up the others. */
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
