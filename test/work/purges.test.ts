import { expect, test } from 'vitest';
import { purging } from '../../src/work/purges.ts';
import { until } from '../support/test-clock.ts';
import { openOffice } from './harness.ts';

const MINUTE = 60_000;

async function open() {
  const office = await openOffice();
  const { clock } = office;
  const done: string[] = [];
  const left = { old: 3, broken: false };
  const purges = purging({
    clock,
    keepMs: 5 * MINUTE,
    purges: {
      old: async (before) => {
        done.push(`old ${clock.now() - before}`);
        return --left.old > 0;
      },
      older: async () => {
        done.push('older');
        if (left.broken) throw new Error('disk I/O error');
        return false;
      },
    },
  });
  const isResting = async () => (await office.rows()).every(({ holder }) => holder === null);
  return {
    ...office,
    done,
    left,
    isResting,
    start: (name: string) => office.process(name, { kinds: [purges] }),
  };
}

test('old database rows are deleted in batches once an hour, and a restart does not cause an extra run', async () => {
  const { clock, done, isResting, start } = await open();
  const one = await start('one');
  const whole = ['old 300000', 'old 300000', 'old 300000', 'older'];
  await until(async () => done.length === 4 && (await isResting()), 'the first turn');
  expect(done.splice(0).toSorted()).toEqual(whole);
  await one.worker.stop();
  await one.die();
  await start('next');
  await clock.advance(59 * MINUTE);
  expect(done).toEqual([]);
  await clock.advance(MINUTE);
  await until(() => done.length === 2, 'the next turn');
  expect(done.toSorted()).toEqual(['old 300000', 'older']);
});

test('if a purge of old rows fails, it is retried and delays no other purge', async () => {
  const { clock, done, left, log, isResting, start } = await open();
  left.broken = true;
  await start('one');
  await until(async () => log.length > 0 && done.length === 4 && (await isResting()), 'the failure');
  expect(log.join('')).toContain('work: a task failed, and is tried again');
  left.broken = false;
  done.splice(0);
  await clock.advance(MINUTE);
  expect(done).toEqual(['older']);
});

test('if the process stops, a purge of old rows ends, and the next process continues the purge', async () => {
  const { done, left, start } = await open();
  left.old = Number.POSITIVE_INFINITY;
  const one = await start('one');
  await until(() => done.length > 10, 'the purge to be under way');
  await one.worker.stop();
  const before = done.length;
  left.old = 2;
  await start('next');
  await until(() => done.length === before + 2, 'the rest');
});
