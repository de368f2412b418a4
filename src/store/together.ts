import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Handles several calls in a single run. Items that arrive while `run` is under way are passed to the next run
 * together, at most `atMost` at a time. `run` returns a result for each item, in the same order. If `run` rejects, the
 * calls for all items of that run reject.
 */
export function together<Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
  atMost: number,
): (item: Item) => Promise<Result> {
  const waiting: ({ readonly item: Item } & PromiseWithResolvers<Result>)[] = [];
  let running = false;

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, atMost);
      try {
        const results = await run(batch.map(({ item }) => item));
        for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      await nextTurn();
    }
    running = false;
  }

  return (item) => {
    const result = Promise.withResolvers<Result>();
    waiting.push({ item, ...result });
    // The first run waits for the next turn of the event loop. Therefore it also includes items that arrive later in
    // this turn.
    if (!running) void nextTurn().then(work);
    running = true;
    return result.promise;
  };
}
