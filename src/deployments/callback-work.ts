import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { farthest } from '../clock.ts';
import type { Mask } from '../log/mask.ts';
import { createLoop, type Loop } from '../loop.ts';
import type { Store } from '../store/schema.ts';
import { CallbackNews, type NewsParts, unhandled } from './callback-news.ts';

/** How many deployments' callbacks are worked off in one transaction: nobody else has the store so long. */
const WORK_AT_ONCE = 10;
/** A burst is over when none has come for so long: shorter than anybody notices, longer than a caller's next one takes. */
const LULL_MS = 50;
/** What has come is worked off at least so often, however long a burst lasts. */
const GIVE_WAY_MS = 500;
/** How many are looked for by one statement. */
const LEFT_AT_ONCE = 250;
const POLL_MS = 2_000;
/** What another process stored is its own to work off for this long. */
const OTHERS_AFTER_MS = 5_000;
/** One that cannot be handled is tried again after this long, doubled each time. */
const AGAIN_MS = 5_000;
const AGAIN_MAX_MS = 60 * 60_000;

export interface CallbackParts extends NewsParts {
  readonly store: Store;
  /** Hides the secrets in what is stored; by their looks only, when absent. */
  readonly mask?: Mask;
}

/** Works off the callbacks that are stored: its own soon, and what other processes left. */
export class CallbackWork {
  readonly #parts: CallbackParts;
  readonly #news: CallbackNews;
  /** Deployments of which this process has stored a callback that is not worked off yet. */
  readonly #fresh = new Set<string>();
  readonly #work: Loop;
  /** When the last one came, by the machine's own time. */
  #cameAt = 0;
  readonly #polls: Loop;
  #stopped = false;

  constructor(parts: CallbackParts) {
    this.#parts = parts;
    this.#news = new CallbackNews(parts);
    const { clock } = parts;
    const failed = (err: unknown) => this.#unread(err);
    this.#work = createLoop({ clock, failed, run: () => this.#workOff() });
    // What comes before `start` is worked off as well.
    this.#work.start();
    this.#polls = createLoop({ clock, failed, every: POLL_MS, run: () => this.#poll(OTHERS_AFTER_MS) });
  }

  /** Works off what was left, also by processes that are no more, and keeps looking for more of it. */
  async start(): Promise<void> {
    await this.#poll(0).catch((err: unknown) => this.#unread(err));
    this.#polls.start();
  }

  /** Finishes what is being worked off and begins nothing more: the rest is in the store, for whoever comes next. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#polls.stop();
    await this.#work.stop();
  }

  /** Somebody calls back right now, and is to be answered first. */
  giveWay(): void {
    this.#cameAt = performance.now();
  }

  /** Takes on callbacks of these deployments, which this process has stored. */
  add(ids: readonly string[]): void {
    for (const id of ids) this.#fresh.add(id);
    this.#work.wake();
  }

  /** Resolves when everything that was added here has been worked off, or tried. */
  async idle(): Promise<void> {
    await this.#work.idle();
  }

  async #workOff(): Promise<void> {
    while (this.#fresh.size > 0 && !this.#stopped) {
      // Who calls back right now is answered first: Edgegap waits for ten seconds, and never calls again.
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

  /** Takes what nobody has worked off in `afterMs` since it was stored, and what is to be tried again. */
  async #poll(afterMs: number): Promise<void> {
    const now = this.#parts.clock.now();
    const left = await this.#parts.store
      .selectFrom('callbacks')
      .select('deployment_id')
      .where('handled_at', 'is', null)
      // A time further ahead than any is one of a clock that was.
      .where((eb) => eb.or([eb('received_at', '<=', now - afterMs), eb('received_at', '>', farthest(now))]))
      .where((eb) =>
        eb.or([
          eb('next_at', 'is', null),
          eb('next_at', '<=', now),
          eb('next_at', '>', farthest(now, AGAIN_MAX_MS)),
        ]),
      )
      .orderBy('received_at')
      .limit(LEFT_AT_ONCE)
      .execute();
    this.add(left.map(({ deployment_id }) => deployment_id));
    await this.idle();
  }

  #unread(err: unknown): void {
    if (!this.#stopped) this.#parts.log.error({ err }, 'callbacks: cannot be worked off');
  }

  /** One that fails must not hold up the others: together at first, and each alone where that does not work. */
  async #handle(ids: readonly string[]): Promise<void> {
    try {
      await this.#news.tell(ids);
    } catch (error) {
      if (this.#stopped) return;
      if (ids.length > 1) {
        for (const id of ids) if (!this.#stopped) await this.#handle([id]);
        return;
      }
      this.#parts.log.error({ err: error, deployment: ids[0] }, 'callbacks: one cannot be handled');
      await this.#putOff(ids).catch((failure: unknown) => this.#unread(failure));
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
