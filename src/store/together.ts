import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Makes many calls one: what is asked for while `run` is under way is handed to its next run together, up to `atMost` at
 * a time. `run` gives back one result for each item, in their order; where it rejects, so does each of its items.
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
    // What arrived in the same turn of the event loop comes along.
    if (!running) void nextTurn().then(work);
    running = true;
    return result.promise;
  };
}
