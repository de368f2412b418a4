import { setImmediate as nextTurn } from 'node:timers/promises';

const ROUNDS = 5;

/**
 * The most work between two turns of the event loop while `run` is under way, in milliseconds: the median of rounds. The
 * time of this thread's own processor counts, so that the rest of the machine takes no part.
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

/** The time that this thread has worked so far, in milliseconds, on whichever processor. */
export function worked(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
