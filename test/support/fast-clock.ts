import type { Clock } from '../../src/clock.ts';

/**
 * A clock that since `start` (epoch ms) has run `factor` times as fast as the machine's clock. Processes with the same
 * factor and start have the same time. For a single process, `pacedClock` is better, because it stands still while the
 * machine is busy.
 */
export function fastClock(factor = 20, start = Date.now()): Clock {
  return {
    now: () => Math.round(start + (Date.now() - start) * factor),
    after(ms, run) {
      const timer = setTimeout(run, Math.ceil(ms / factor));
      return () => clearTimeout(timer);
    },
  };
}
