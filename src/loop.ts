import type { Clock } from './clock.ts';

interface LoopParts {
  readonly clock: Clock;
  /** Resolves with the milliseconds until the next run, or without a number if the next run comes after `every`. */
  readonly run: () => Promise<number | undefined> | Promise<void>;
  /**
   * Gets the error of a run that rejected, unless the loop was stopped. May return the milliseconds until the next run,
   * instead of `every`.
   */
  readonly failed: ((error: unknown) => number) | ((error: unknown) => void);
  /** The longest time between two runs, in milliseconds. Without `every`, only `wake` begins a run. */
  readonly every?: number | undefined;
  /** Up to this many milliseconds are added to `every`, at random, so that many processes do not run in step. */
  readonly jitter?: number;
  readonly random?: () => number;
}

/** Work that is repeated, one run at a time. */
export interface Loop {
  /**
   * After this call `wake` has an effect, and the first run begins by itself after `every`. A loop that was stopped
   * cannot be started again.
   */
  start(): void;
  /** Runs now. If a run is under way, another run follows, because the present run may have looked too early. */
  wake(): void;
  /** Resolves when no run is under way. */
  idle(): Promise<void>;
  /** Begins no further run. Resolves when no run is under way. */
  stop(): Promise<void>;
}

export function createLoop(parts: LoopParts): Loop {
  const { clock, run, failed, every = Number.POSITIVE_INFINITY, jitter = 0, random = Math.random } = parts;
  /** Undefined before the start. */
  let going: boolean | undefined;
  let again = false;
  let running: Promise<void> | undefined;
  let cancelTimer = (): void => undefined;

  function wake(): void {
    if (!going) return;
    again = true;
    running ??= runs();
  }

  async function runs(): Promise<void> {
    let ms = 0;
    while (again && going) {
      again = false;
      cancelTimer();
      ms = await once();
    }
    // Nothing may be awaited between the last check of `again` and this line, because a wake in between would be lost.
    running = undefined;
    plan(ms);
  }

  /** Resolves with the milliseconds until the next run. */
  async function once(): Promise<number> {
    try {
      const ms = (await run()) ?? Number.POSITIVE_INFINITY;
      return Math.min(ms, atLatest());
    } catch (error) {
      return (going ? failed(error) : undefined) ?? atLatest();
    }
  }

  const atLatest = () => every + Math.round(random() * jitter);

  function plan(ms: number): void {
    if (going && Number.isFinite(ms)) cancelTimer = clock.after(Math.max(0, ms), wake);
  }

  async function idle(): Promise<void> {
    while (running) await running;
  }

  return {
    start() {
      if (going !== undefined) return;
      going = true;
      plan(atLatest());
    },
    wake,
    idle,
    async stop() {
      going = false;
      cancelTimer();
      await idle();
    },
  };
}

/**
 * Calls that come while an earlier call is under way share the result of that call. Their own arguments have no effect.
 */
export function oneAtATime<T, Args extends unknown[] = []>(
  ask: (...args: Args) => Promise<T>,
): (...args: Args) => Promise<T> {
  let open: Promise<T> | undefined;
  return (...args) => {
    open ??= ask(...args).finally(() => {
      open = undefined;
    });
    return open;
  };
}
