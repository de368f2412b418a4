import type { Clock } from './clock.ts';

interface LoopParts {
  readonly clock: Clock;
  /** Resolves with the milliseconds until the next run. Without a number, the next run comes after `every`. */
  readonly run: () => Promise<number | undefined> | Promise<void>;
  /**
   * Receives the error of a rejected run, unless the loop was stopped. If it returns a number, the next run comes after
   * that many milliseconds instead of after `every`.
   */
  readonly failed: ((error: unknown) => number) | ((error: unknown) => void);
  /** The maximum time between two runs, in milliseconds. Without `every`, only `wake` starts a run. */
  readonly every?: number | undefined;
  /**
   * A random time up to this many milliseconds is added to `every`, so that processes do not all run at the same
   * moment.
   */
  readonly jitter?: number;
  readonly random?: () => number;
}

/** Work that is repeated, one run at a time. */
export interface Loop {
  /** Enables `wake`, and starts the first run after `every`. A stopped loop cannot be started again. */
  start(): void;
  /**
   * Starts a run now. If a run is in progress, another run follows, because the present run may already have read the
   * old state.
   */
  wake(): void;
  /** Resolves when no run is in progress. */
  idle(): Promise<void>;
  /** Starts no further run. Resolves when no run is in progress. */
  stop(): Promise<void>;
}

export function createLoop(parts: LoopParts): Loop {
  const { clock, run, failed, every = Number.POSITIVE_INFINITY, jitter = 0, random = Math.random } = parts;
  /** Undefined before `start`. */
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
    // No `await` may come between the last check of `again` and this line, because a call of `wake` in between would be
    // lost.
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
 * Runs only one call at a time. Calls that arrive during an earlier call share the result of that call, and their own
 * arguments are ignored.
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
