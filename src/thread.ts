import { extname } from 'node:path';
import { parentPort, Worker } from 'node:worker_threads';
import type { Clock } from './clock.ts';
import type { AppError } from './errors.ts';
import type { Logger } from './log.ts';

/** A thread that has no work for this long is ended to free its memory. */
const IDLE_MS = 60_000;

interface Waiting<Result> {
  resolve(result: Result): void;
  reject(error: AppError): void;
}

type Answer<Result> = { readonly id: number } & (
  | { readonly result: Result; readonly error?: undefined }
  | { readonly error: string }
);

export interface ThreadParts {
  /** The script of the thread, which calls `serve`. */
  readonly script: URL;
  /** The time limit of a job. A thread that exceeds the limit counts as hung. */
  readonly patienceMs: number;
  /** Creates the error of a failed job from a technical reason. */
  readonly failed: (reason: string) => AppError;
  /** The log line for a thread that failed. */
  readonly broken: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Thread<Job, Result> {
  /**
   * Runs the job in the thread. Throws the error that `failed` creates. The buffers in `given` are moved to the thread,
   * so they are empty here afterwards.
   */
  run(job: Job, given?: readonly ArrayBuffer[]): Promise<Result>;
  /** Ends the thread. Jobs in progress fail. */
  stop(): Promise<void>;
}

/**
 * A thread for work that would block the rest of the bot. The thread starts with the first job, and ends after
 * `IDLE_MS` without a job.
 */
export function createThread<Job, Result>(parts: ThreadParts): Thread<Job, Result> {
  const { script, patienceMs, failed, broken, clock, log } = parts;
  const waiting = new Map<number, Waiting<Result>>();
  let thread: Worker | undefined;
  let jobs = 0;
  let cancelTimer = (): void => undefined;

  function start(): Worker {
    // The extension of this file shows whether the code is built, because built code has a different extension than the
    // sources.
    const started = new Worker(new URL(script.href.replace(/\.ts$/, extname(import.meta.url))));
    // An idle thread must not keep the process alive.
    started.unref();
    started.on('message', ({ id, ...answer }: Answer<Result>) => {
      const job = waiting.get(id);
      waiting.delete(id);
      if (answer.error === undefined) job?.resolve(answer.result);
      else job?.reject(failed(answer.error));
      endAfter(waiting.size > 0 ? patienceMs : IDLE_MS);
    });
    started.on('error', (err) => {
      log.error({ err }, broken);
      if (thread === started) end('the thread failed');
    });
    return started;
  }

  function end(reason: string): Promise<number> | undefined {
    cancelTimer();
    const ended = thread;
    thread = undefined;
    for (const job of waiting.values()) job.reject(failed(reason));
    waiting.clear();
    return ended?.terminate();
  }

  /** Sets the only timer of the thread. When the time is over, the thread is either idle or hung, and is ended. */
  function endAfter(ms: number): void {
    cancelTimer();
    cancelTimer = clock.after(ms, () => void end('the thread took too long'));
  }

  return {
    run(job, given = []) {
      thread ??= start();
      const id = jobs++;
      if (waiting.size === 0) endAfter(patienceMs);
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        thread?.postMessage({ id, job }, given);
      });
    },
    async stop() {
      await end('I am shutting down');
    },
  };
}

/** Runs the jobs of a thread. The thread's script calls this function. */
export function serve<Job, Result>(run: (job: Job) => Promise<Result> | Result): void {
  parentPort?.on('message', async ({ id, job }: { id: number; job: Job }) => {
    try {
      parentPort?.postMessage({ id, result: await run(job) });
    } catch (error) {
      parentPort?.postMessage({ id, error: String(error) });
    }
  });
}
