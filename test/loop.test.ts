import { expect, onTestFinished, test } from 'vitest';
import { createLoop } from '../src/loop.ts';
import { TestClock, turn } from './support/test-clock.ts';

/** A loop with a clock that only the test moves. The test also ends each run. */
function open(options: Partial<Parameters<typeof createLoop>[0]> = {}) {
  const clock = new TestClock();
  const began: number[] = [];
  const errors: unknown[] = [];
  const from = clock.now();
  let open: PromiseWithResolvers<number | undefined> | undefined;
  const loop = createLoop({
    clock,
    run: async () => {
      began.push(clock.now() - from);
      open = Promise.withResolvers();
      return await open.promise;
    },
    failed: (error) => void errors.push(error),
    ...options,
  });
  const end = async (ms?: number) => {
    open?.resolve(ms);
    await turn();
  };
  const fail = async (error: Error) => {
    open?.reject(error);
    await turn();
  };
  onTestFinished(async () => {
    const stopped = loop.stop();
    await end();
    await stopped;
  });
  return { clock, loop, began, errors, end, fail };
}

test('a loop waits for the interval `every` before its first run and after the end of each run', async () => {
  const { clock, loop, began, end } = open({ every: 100 });
  loop.start();
  await clock.advance(100);
  await clock.advance(1_000);
  expect(began).toEqual([100]);
  await end();
  await clock.advance(100);
  expect(began).toEqual([100, 1_200]);
});

test('a run of a loop can request the next run before the interval `every` has passed, but not later', async () => {
  const { clock, loop, began, end } = open({ every: 100 });
  loop.start();
  loop.wake();
  await end(30);
  await clock.advance(30);
  await end(5_000);
  await clock.advance(100);
  expect(began).toEqual([0, 30, 130]);
});

test('a loop without the interval `every` runs only if the loop is woken or a run requests the next run', async () => {
  const { clock, loop, began, end } = open();
  loop.start();
  await clock.advance(10_000);
  loop.wake();
  await end(50);
  await clock.advance(50);
  await end();
  await clock.advance(10_000);
  expect(began).toEqual([10_000, 10_050]);
  expect(clock.pending).toBe(0);
});

test('if a loop is woken several times during a run, one more run follows, and two runs never overlap', async () => {
  const { clock, loop, began, end } = open({ every: 100 });
  loop.start();
  loop.wake();
  for (let i = 0; i < 3; i++) loop.wake();
  await turn();
  expect(began).toEqual([0]);
  await end();
  expect(began).toEqual([0, 0]);
  await end();
  await clock.advance(99);
  expect(began).toEqual([0, 0]);
});

test('waking a loop replaces its next scheduled run', async () => {
  const { clock, loop, began, end } = open({ every: 100 });
  loop.start();
  await clock.advance(90);
  loop.wake();
  await end();
  await clock.advance(99);
  expect(began).toEqual([90]);
  await clock.advance(1);
  expect(began).toEqual([90, 190]);
});

test('a loop adds its random jitter to the interval `every`', async () => {
  const { clock, loop, began } = open({ every: 100, jitter: 40, random: () => 0.5 });
  loop.start();
  await clock.advance(119);
  expect(began).toEqual([]);
  await clock.advance(1);
  expect(began).toEqual([120]);
});

test('if a run of a loop rejects, the error is reported, and the loop runs again after `every`', async () => {
  const { clock, loop, began, errors, fail } = open({ every: 100 });
  loop.start();
  loop.wake();
  const error = new Error('the store is away');
  await fail(error);
  expect(errors).toEqual([error]);
  await clock.advance(100);
  expect(began).toEqual([0, 100]);
});

test('the error handler of a loop can set the time of the next run', async () => {
  const { clock, loop, began, fail } = open({ every: 100, failed: () => 700 });
  loop.start();
  loop.wake();
  await fail(new Error('the store is away'));
  await clock.advance(699);
  expect(began).toEqual([0]);
  await clock.advance(1);
  expect(began).toEqual([0, 700]);
});

test('if a run of a loop throws before returning a promise, the error is reported like a rejection', async () => {
  const { loop, errors } = open({
    run() {
      throw new Error('at once');
    },
  });
  loop.start();
  loop.wake();
  await loop.idle();
  expect(errors).toHaveLength(1);
});

test('stopping a loop waits for the current run, ignores its failure and starts no further run', async () => {
  const { clock, loop, began, errors, fail } = open({ every: 100 });
  loop.start();
  loop.wake();
  loop.wake();
  let stopped = false;
  const stop = loop.stop().then(() => {
    stopped = true;
  });
  await turn();
  expect(stopped).toBe(false);
  await fail(new Error('the store is closed'));
  await stop;
  loop.wake();
  loop.start();
  await clock.advance(1_000);
  expect(began).toEqual([0]);
  expect(errors).toEqual([]);
  expect(clock.pending).toBe(0);
});

test('before its start, a loop ignores wakes and counts as idle', async () => {
  const { clock, loop, began } = open({ every: 100 });
  loop.wake();
  await loop.idle();
  await clock.advance(1_000);
  expect(began).toEqual([]);
});

test('a loop is idle while no run is in progress', async () => {
  const { loop, end } = open();
  loop.start();
  loop.wake();
  loop.wake();
  let idle = false;
  const waiting = loop.idle().then(() => {
    idle = true;
  });
  await end();
  expect(idle).toBe(false);
  await end();
  await waiting;
});
