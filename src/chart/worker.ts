/** The thread in which charts are drawn (see `charts.ts`). */
import { parentPort } from 'node:worker_threads';
import { draw } from './draw.ts';
import type { ChartSpec } from './spec.ts';

parentPort?.on('message', async ({ id, spec }: { id: number; spec: ChartSpec }) => {
  try {
    parentPort?.postMessage({ id, png: await draw(spec) });
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) });
  }
});
