import type { Clock } from '../../src/clock.ts';

/**
 * Time that runs `factor` times as fast as the machine's since `start` (epoch ms). Processes with the same factor and
 * start have the same time; within a single process `pacedClock` is better, as a busy machine cannot rush that clock.
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
