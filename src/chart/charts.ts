import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createThread } from '../thread.ts';
import type { ChartSpec } from './spec.ts';

/** The time limit of a chart. A chart usually takes about 100 ms, and the first chart of a thread about 500 ms. */
const PATIENCE_MS = 15_000;

export interface Charts {
  /** A PNG of the chart, 800 pixels wide. Throws AppError `chart-failed`. */
  draw(spec: ChartSpec): Promise<Uint8Array>;
  /** Ends the thread. Charts in progress fail. */
  stop(): Promise<void>;
}

/** Draws charts in a separate thread, which loads the drawing library. */
export function createCharts({ clock, log }: { readonly clock: Clock; readonly log: Logger }): Charts {
  const thread = createThread<ChartSpec, Uint8Array>({
    script: new URL('./worker.ts', import.meta.url),
    patienceMs: PATIENCE_MS,
    failed: (reason) =>
      new AppError('chart-failed', 'I could not draw the chart.', { cause: new Error(reason) }),
    broken: 'chart: the drawing thread failed',
    clock,
    log,
  });
  return { draw: (spec) => thread.run(spec), stop: () => thread.stop() };
}
