import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { transact } from '../../src/store/transact.ts';
import { cancel, schedule } from '../../src/work/task.ts';
import { TestClock, until } from '../support/test-clock.ts';
import { openOffice, shared } from './harness.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test('a task runs at the planned time with the stored payload, and is then deleted', async () => {
  const { clock, remind, process, runs, rows } = await openOffice();
  await process('one');
  await remind('tea', MINUTE, { cups: 2 });
  await clock.advance(MINUTE - 1);
  expect(runs).toEqual([]);
  await clock.advance(1);
  expect(runs).toMatchObject([{ key: 'tea', account: 'a', payload: { cups: 2 } }]);
  runs[0]?.end();
  await until(async () => (await rows()).length === 0, 'the task to be gone');
  await clock.advance(HOUR);
  expect(runs).toHaveLength(1);
});

test('a task can request another run at a given time and with a given payload', async () => {
  const { clock, remind, process, runs, rows } = await openOffice();
  await process('one');
  await remind('tea', 0, { round: 1 });
  await until(() => runs.length === 1, 'the first run');
  runs[0]?.end({ inMs: MINUTE, payload: { round: 2 } });
  await until(async () => (await rows())[0]?.holder === null, 'its end to be written down');
  await clock.advance(MINUTE);
  await until(() => runs.length === 2, 'the second run');
  runs[1]?.end({ inMs: MINUTE });
  await until(async () => (await rows())[0]?.holder === null, 'its end to be written down');
  await clock.advance(MINUTE);
  expect(runs.map(({ payload }) => payload)).toEqual([{ round: 1 }, { round: 2 }, { round: 2 }]);
});

test('a task scheduled in a transaction runs only if the transaction is committed', async () => {
  const { clock, store, process, runs } = await openOffice();
  await process('one');
  const task = { kind: 'remind', account: 'a', at: clock.now() };
  await transact(store, (tx) => schedule(tx, clock, { ...task, key: 'committed' }));
  const failing = transact(store, async (tx) => {
    await schedule(tx, clock, { ...task, key: 'taken back' });
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  await until(() => runs.length > 0, 'the task to run');
  await clock.advance(MINUTE);
  expect(runs.map(({ key }) => key)).toEqual(['committed']);
});

test.runIf(shared)('with two processes, a repeated task runs in only one process at a time', async () => {
  const { clock, remind, process, runs } = await openOffice();
  await process('one');
  await process('other');
  for (const key of ['a', 'b', 'c']) await remind(key, 0);
  for (let round = 1; round <= 5; round++) {
    await until(async () => {
      await clock.advance(SECOND);
      return runs.length >= 3 * round;
    }, 'the runs of a round');
    await clock.advance(MINUTE);
    expect(runs.slice(3 * (round - 1)).map(({ key }) => key)).toHaveLength(3);
    for (const run of runs.slice(-3)) run.end({ inMs: SECOND });
  }
});

test('if a process dies, another process runs its task', async () => {
  const { clock, remind, process, runs } = await openOffice();
  const one = await process('one');
  await remind('tea', 0, { cups: 2 });
  await until(() => runs.length === 1, 'the first run');
  await one.die();
  await process('other');
  await until(async () => {
    await clock.advance(SECOND);
    return runs.length === 2;
  }, 'the second run');
  expect(runs.at(-1)).toMatchObject({ by: 'other', key: 'tea', payload: { cups: 2 } });
});

test('if a process stops, its running task is aborted, and the next process runs the task again', async () => {
  const { remind, process, runs, rows, log } = await openOffice();
  const one = await process('one');
  await remind('tea', 0);
  await until(() => runs.length === 1, 'the first run');
  await one.worker.stop();
  expect(runs[0]?.signal.aborted).toBe(true);
  expect(await rows()).toMatchObject([{ key: 'tea', failures: 0, holder: null }]);
  await process('next');
  await until(() => runs.length === 2, 'the second run');
  expect(log.join('')).not.toContain('failed');
});

test.runIf(shared)('a process that possibly counts as dead aborts its running tasks', async () => {
  const { clock, store, remind, process, runs } = await openOffice();
  const heart = new TestClock();
  await process('one', { heart });
  await remind('tea', 0);
  await until(() => runs.length === 1, 'the first run');
  await sql`alter table instances rename to away`.execute(store);
  await heart.leap(10 * SECOND);
  await until(() => runs[0]?.signal.aborted, 'the run to be told');
  await sql`alter table away rename to instances`.execute(store);
  await until(async () => {
    await heart.advance(SECOND);
    await clock.advance(SECOND);
    return runs.length === 2;
  }, 'the task to be run again');
  expect(runs[1]?.signal.aborted).toBe(false);
});

test('a task that fails is logged and retried at growing intervals', async () => {
  const { clock, remind, process, runs, rows, log } = await openOffice();
  await process('one');
  await remind('tea', 0);
  for (const [failures, waitMs] of [5 * SECOND, 10 * SECOND, 20 * SECOND].entries()) {
    await until(() => runs.length === failures + 1, 'a run');
    runs.at(-1)?.fail(new Error('no water'));
    await until(async () => (await rows())[0]?.failures === failures + 1, 'the failure to be written down');
    await clock.advance(waitMs - 1);
    expect(runs).toHaveLength(failures + 1);
    await clock.advance(1);
  }
  expect(log.join('')).toContain('"kind":"remind","key":"tea","failures":3,"retryMs":20000');
  // A successful run resets the number of failures.
  await until(() => runs.length === 4, 'a run');
  runs.at(-1)?.end({ inMs: MINUTE });
  await until(async () => (await rows())[0]?.failures === 0, 'the success to be written down');
});

test('if the completion of a task cannot be stored at first, it is stored later, and the task does not run twice', async () => {
  const { clock, store, remind, process, runs, rows, log } = await openOffice();
  await process('one');
  await remind('tea', 0);
  await until(() => runs.length === 1, 'the run');
  await sql`alter table tasks rename to away`.execute(store);
  runs[0]?.end();
  await until(() => log.some((line) => line.includes('the end of a task could not be stored')), 'the log');
  await clock.advance(MINUTE);
  await sql`alter table away rename to tasks`.execute(store);
  await until(async () => {
    await clock.advance(SECOND);
    return (await rows()).length === 0;
  }, 'the task to be gone');
  expect(runs).toHaveLength(1);
});

test('a task that is scheduled again under the same key runs only at the new time', async () => {
  const { clock, remind, process, runs } = await openOffice();
  await process('one');
  await remind('tea', MINUTE, 'early');
  await remind('tea', HOUR, 'late');
  await clock.advance(HOUR - 1);
  expect(runs).toEqual([]);
  await clock.advance(1);
  expect(runs.map(({ payload }) => payload)).toEqual(['late']);
});

test('a task that is scheduled again during a run runs once more afterwards, but never twice at the same time', async () => {
  const { clock, remind, process, runs } = await openOffice();
  await process('one');
  if (shared) await process('other');
  await remind('tea', 0, 'first');
  await until(() => runs.length === 1, 'the first run');
  await remind('tea', 0, 'second');
  await clock.advance(MINUTE);
  expect(runs).toHaveLength(1);
  // The old run requests another run. This request does not count, because the task was scheduled again.
  runs[0]?.end({ inMs: HOUR, payload: 'third' });
  await until(() => runs.length === 2, 'the second run');
  expect(runs[1]?.payload).toBe('second');
});

test('a cancelled task does not run, and a task cancelled during a run is not run again', async () => {
  const { clock, store, remind, process, runs, rows } = await openOffice();
  await process('one');
  await remind('soup', MINUTE);
  await remind('tea', 0);
  await until(() => runs.length === 1, 'the first run');
  for (const key of ['soup', 'tea', 'none']) await cancel(store, { kind: 'remind', key });
  runs[0]?.end({ inMs: MINUTE });
  await until(async () => (await rows()).length === 0, 'both to be gone');
  await clock.advance(HOUR);
  expect(runs).toHaveLength(1);
});

test('a task that is cancelled and scheduled again during a run does not run twice at the same time', async () => {
  const { clock, store, remind, process, runs } = await openOffice();
  await process('one');
  await remind('tea', 0, 'first');
  await until(() => runs.length === 1, 'the first run');
  await cancel(store, { kind: 'remind', key: 'tea' });
  await clock.advance(MINUTE);
  await remind('tea', 0, 'second');
  await clock.advance(MINUTE);
  expect(runs).toHaveLength(1);
  runs[0]?.end();
  await until(() => runs.length === 2, 'the second run');
  expect(runs[1]?.payload).toBe('second');
});

test('a process does not run tasks of a type that its version does not know', async () => {
  const { clock, store, process, rows } = await openOffice();
  await process('one');
  await schedule(store, clock, { kind: 'from a newer version', key: 'k', account: 'a', at: clock.now() });
  await clock.advance(HOUR);
  expect(await rows()).toEqual([{ key: 'k', run_at: expect.any(Number), failures: 0, holder: null }]);
});

test('if a process with a clock a year ahead schedules a task, the task still runs after the requested delay', async () => {
  const { clock, store, process, runs } = await openOffice();
  const ahead = new TestClock(clock.now() + 365 * 24 * HOUR);
  const task = { kind: 'remind', key: 'tea', account: 'a', at: ahead.now() + MINUTE };
  await schedule(store, ahead, task);
  await process('one');
  await clock.advance(MINUTE - 1);
  expect(runs).toEqual([]);
  await clock.advance(SECOND);
  expect(runs).toHaveLength(1);
});

test('many due tasks are run in batches until all tasks have run', async () => {
  const { clock, process, remind, runs } = await openOffice();
  for (let n = 0; n < 120; n++) await remind(`k${n}`, 0);
  await process('one');
  await until(() => runs.length === 50, 'the first part');
  await clock.advance(MINUTE);
  expect(runs).toHaveLength(50);
  let ended = 0;
  await until(() => {
    for (const run of runs.slice(ended)) run.end();
    ended = runs.length;
    return ended === 120;
  }, 'all to run');
  expect(new Set(runs.map(({ key }) => key)).size).toBe(120);
});
