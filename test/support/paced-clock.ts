import type { Clock } from '../../src/clock.ts';

/** Between two readings of the clock, it advances by at most this many real milliseconds. */
const STEP_MS = 5;

export interface PacedClock extends Clock {
  /** From now on, the clock runs `factor` times as fast as the machine's clock. */
  speed(factor: number): void;
  /** Moves the clock forward by this many milliseconds at once. */
  leap(ms: number): void;
  /** Lets the clock stand still while `busy` returns true, for example while a database works. */
  waitFor(busy: () => boolean): void;
}

/**
 * A clock for tests with real SDKs and sockets. It starts at `start` (epoch ms) and runs `factor` times as fast as the
 * machine's clock, so that waits are short. The clock stands still while the machine is busy. So a time limit is not
 * reached before the expected input can arrive.
 */
export function pacedClock(factor = 20, start = Date.now()): PacedClock {
  const others: (() => boolean)[] = [];
  let now = start;
  let looked = performance.now();
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  let ticking: NodeJS.Timeout | undefined;

  function look(): number {
    const real = performance.now();
    if (!others.some((isBusy) => isBusy())) now += Math.min(real - looked, STEP_MS) * factor;
    looked = real;
    return Math.floor(now);
  }

  function tick(): void {
    const due = look();
    for (;;) {
      const [first] = timers;
      if (!first || first.at > due) break;
      timers.shift();
      first.run();
    }
    plan();
  }

  function plan(): void {
    clearTimeout(ticking);
    const [first] = timers;
    ticking = first && setTimeout(tick, Math.max(0, Math.min(STEP_MS, Math.ceil((first.at - now) / factor))));
  }

  return {
    now: look,
    after(ms, run) {
      const timer = { at: look() + Math.max(0, ms), run };
      const later = timers.findIndex(({ at }) => at > timer.at);
      timers.splice(later < 0 ? timers.length : later, 0, timer);
      if (timers[0] === timer) plan();
      return () => {
        timers = timers.filter((other) => other !== timer);
        if (timers.length === 0) plan();
      };
    },
    speed(next) {
      look();
      factor = next;
      plan();
    },
    leap(ms) {
      look();
      now += ms;
      plan();
    },
    waitFor: (busy) => void others.push(busy),
  };
}
