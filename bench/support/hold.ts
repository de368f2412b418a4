import { setImmediate as nextTurn } from 'node:timers/promises';

const ROUNDS = 5;

/**
 * Returns the longest time, in milliseconds, for which this thread worked without a break during `run`. A break is an
 * iteration of the event loop. The result is the median of several rounds. Only the processor time of this thread
 * counts, so other programs on the machine have no influence.
 */
export async function longestHold(run: () => Promise<unknown>): Promise<number> {
  const holds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) holds.push(await holdOf(run));
  return holds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
}

async function holdOf(run: () => Promise<unknown>): Promise<number> {
  let [longest, over] = [0, false];
  const turning = (async () => {
    for (let last = worked(); !over; ) {
      await nextTurn();
      const now = worked();
      longest = Math.max(longest, now - last);
      last = now;
    }
  })();
  await run();
  over = true;
  await turning;
  return longest;
}

/** Returns the processor time of this thread so far, in milliseconds. */
export function worked(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
