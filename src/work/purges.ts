import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Purge } from '../store/purge.ts';
import type { TaskKind } from './task.ts';

const EVERY_MS = 60 * 60_000;

/**
 * Deletes old rows, so that the store does not grow for ever: each purge runs once an hour, in one of all processes.
 */
export function purging(parts: {
  readonly clock: Clock;
  /** How long rows are kept once they are finished, in milliseconds. */
  readonly keepMs: number;
  /** By the name of the purge; each owner of a table brings a purge. */
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
        // Other work on the store has a turn in between.
        await nextTurn();
      }
      return { inMs: EVERY_MS };
    },
  };
}
