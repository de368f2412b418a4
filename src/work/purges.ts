import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Purge } from '../store/purge.ts';
import type { TaskKind } from './task.ts';

const EVERY_MS = 60 * 60_000;

/**
 * Deletes old rows, so that the size of the store stays limited. Each purge runs once an hour, in only one of the
 * processes.
 */
export function purging(parts: {
  readonly clock: Clock;
  /** How long finished rows are kept, in milliseconds. */
  readonly keepMs: number;
  /** The purges by name. Each part of the code that owns a table adds a purge. */
  readonly purges: Readonly<Record<string, Purge>>;
}): TaskKind {
  const { clock, keepMs, purges } = parts;
  return {
    kind: 'purge',
    standing: Object.keys(purges),
    async run({ key, signal }) {
      const before = clock.now() - keepMs;
      while (await purges[key]?.(before)) {
        signal.throwIfAborted();
        // Other work can use the store between two deletions.
        await nextTurn();
      }
      return { inMs: EVERY_MS };
    },
  };
}
