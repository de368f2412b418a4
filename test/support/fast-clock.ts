import type { Clock } from '../../src/clock.ts';

/**
 * Time that runs `factor` times as fast as the machine's since `start` (epoch ms), for tests in which real SDKs and
 * sockets take part: waits pass quickly, yet never before the input and output they wait for had its turn. Processes
 * with the same factor and start have the same time.
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
