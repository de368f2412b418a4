import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { ChartSpec } from './spec.ts';

/** A thread that has had no work for this long is ended, which frees its memory. */
const IDLE_MS = 60_000;
/**
 * A thread that needs more than this for a chart counts as hung. A chart usually takes about 100 ms, and the first
 * chart of a thread about 500 ms.
 */
const PATIENCE_MS = 15_000;

interface Waiting {
  resolve(png: Uint8Array): void;
  reject(error: AppError): void;
}

type Answer = { readonly id: number } & (
  | { readonly png: Uint8Array; readonly error?: undefined }
  | { readonly error: string }
);

export interface Charts {
  /** A PNG of the chart, 800 pixels wide. Throws AppError `chart-failed`. */
  draw(spec: ChartSpec): Promise<Uint8Array>;
  /** Ends the thread. Charts that are being drawn fail. */
  stop(): Promise<void>;
}

/**
 * Draws charts in a thread of its own, so that drawing does not hold up the rest of the bot. The thread loads the
 * drawing library. It is started for the first chart, and is ended when no chart was asked for during `IDLE_MS`.
 */
export function createCharts({ clock, log }: { readonly clock: Clock; readonly log: Logger }): Charts {
  const waiting = new Map<number, Waiting>();
  let thread: Worker | undefined;
  let drawn = 0;
  let cancelTimer = (): void => undefined;

  function start(): Worker {
    // Built code has another extension than the sources.
    const started = new Worker(new URL(`./worker${extname(import.meta.url)}`, import.meta.url));
    // An idle thread must not keep the process alive.
    started.unref();
    started.on('message', ({ id, ...answer }: Answer) => {
      const chart = waiting.get(id);
      waiting.delete(id);
      if (answer.error === undefined) chart?.resolve(answer.png);
      else chart?.reject(failed(answer.error));
      endAfter(waiting.size > 0 ? PATIENCE_MS : IDLE_MS);
    });
    started.on('error', (err) => {
      log.error({ err }, 'chart: the drawing thread failed');
      if (thread === started) end('the drawing thread failed');
    });
    return started;
  }

  function end(reason: string): Promise<number> | undefined {
    cancelTimer();
    const ended = thread;
    thread = undefined;
    for (const chart of waiting.values()) chart.reject(failed(reason));
    waiting.clear();
    return ended?.terminate();
  }

  /** Sets the only timer. When the time is over, the thread is ended, because it is then idle or hangs. */
  function endAfter(ms: number): void {
    cancelTimer();
    cancelTimer = clock.after(ms, () => void end('drawing took too long'));
  }

  return {
    draw(spec) {
      thread ??= start();
      const id = drawn++;
      if (waiting.size === 0) endAfter(PATIENCE_MS);
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        thread?.postMessage({ id, spec });
      });
    },
    async stop() {
      await end('I am shutting down');
    },
  };
}

function failed(reason: string): AppError {
  return new AppError('chart-failed', 'I could not draw the chart.', { cause: new Error(reason) });
}
