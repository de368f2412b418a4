import type { Clock } from '../../src/clock.ts';

/** The most real milliseconds that count between two looks at the time. */
const STEP_MS = 5;

export interface PacedClock extends Clock {
  /** From now on time runs `factor` times as fast as the machine's. */
  speed(factor: number): void;
  /** Time stands still while `busy` returns true: a different process works, such as a database. */
  waitFor(busy: () => boolean): void;
}

/**
 * Time for tests with real SDKs and sockets: the clock runs `factor` times as fast as the machine's, from `start`
 * (epoch ms) on, so that waits pass quickly. While the process or its machine is held up the time stands still, so that
 * no wait is over before the awaited input and output had their turn, however busy the machine is.
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
    waitFor: (busy) => void others.push(busy),
  };
}
