import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

/** The maximum pause between two runs, in milliseconds of real time. */
const LONGEST_REST_MS = 50;

/**
 * Handles several calls in a single run. Items that arrive during a run are passed to the next run together, at most
 * `atMost` at a time. `run` returns a result for each item, in the same order. If `run` rejects, the calls for all its
 * items reject. With `rest`, the next run waits `rest` times as long as the last run took. Slow runs then leave time
 * for other work.
 */
export function together<Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
  atMost: number,
  { rest = 0 } = {},
): (item: Item) => Promise<Result> {
  const waiting: ({ readonly item: Item } & PromiseWithResolvers<Result>)[] = [];
  let running = false;

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, atMost);
      const began = performance.now();
      try {
        const results = await run(batch.map(({ item }) => item));
        for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      await nextTurn();
      const restMs = Math.floor(Math.min(LONGEST_REST_MS, (performance.now() - began) * rest));
      // A full run gains nothing from a pause.
      if (restMs > 0 && waiting.length < atMost) await pause(restMs);
    }
    running = false;
  }

  return (item) => {
    const result = Promise.withResolvers<Result>();
    waiting.push({ item, ...result });
    // The first run waits for the next iteration of the event loop, so it includes items that arrive later in this
    // iteration.
    if (!running) void nextTurn().then(work);
    running = true;
    return result.promise;
  };
}
