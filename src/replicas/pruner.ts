import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Leases } from './leases.ts';

const EVERY_MS = 60 * 60_000;
/** How soon each process looks whether it is its turn. */
const LOOK_MS = 5 * 60_000;

/**
 * Forgets a few of the rows that were over before `before` (epoch ms), in one short transaction. True while there may
 * be more of them.
 */
export type Purge = (before: number) => Promise<boolean>;

export interface PrunerParts {
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long what is over is kept, in milliseconds. */
  readonly keepMs: number;
  /** By the name of what is forgotten; each table's owner has its own. */
  readonly purges: Readonly<Record<string, Purge>>;
  /** Gives the room that was freed back to the disk, where that is not done by itself. */
  readonly shrink?: () => Promise<void>;
}

/** Forgets what is long over, so that the store does not grow for ever. Once an hour, by one of all processes. */
export class Pruner {
  readonly #parts: PrunerParts;
  #cancel: (() => void) | undefined;
  #working: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: PrunerParts) {
    this.#parts = parts;
  }

  /** Begins to look whether it is time, now and then. */
  start(): void {
    if (this.#stopped) return;
    this.#working = this.#takeTurn().catch((err: unknown) => {
      if (!this.#stopped) this.#parts.log.error({ err }, 'store: what is long over could not be forgotten');
    });
    void this.#working.then(() => {
      if (!this.#stopped) this.#cancel = this.#parts.clock.after(LOOK_MS, () => this.start());
    });
  }

  /** Resolves when nothing of it is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#working;
  }

  async #takeTurn(): Promise<void> {
    const { leases, clock, keepMs, purges, shrink } = this.#parts;
    if (!(await leases.takeTurn('prune', EVERY_MS))) return;
    for (const purge of Object.values(purges)) await this.#all(purge, clock.now() - keepMs);
    await shrink?.();
  }

  async #all(purge: Purge, before: number): Promise<void> {
    while (!this.#stopped && (await purge(before)))
      // Whoever else waits for the store has a turn in between.
      await new Promise((resolve) => setImmediate(resolve));
  }
}
