import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { Leases } from '../../src/replicas/leases.ts';
import { Membership } from '../../src/replicas/membership.ts';
import { Pruner } from '../../src/replicas/pruner.ts';
import { freshStore } from '../support/databases.ts';
import { TestClock, until } from '../support/test-clock.ts';

const MINUTE = 60_000;

async function open(keepMs: number) {
  const clock = new TestClock();
  const store = await freshStore(clock);
  const log: string[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void log.push(line) });
  const membership = new Membership({ store, shared: false, clock: systemClock, log: logger });
  await membership.join();
  const leases = new Leases(store, membership, clock);
  const done: string[] = [];
  const left = { old: 3, older: 0 };
  const pruner = () => {
    const one = new Pruner({
      leases,
      clock,
      log: logger,
      keepMs,
      purges: {
        old: async (before) => {
          done.push(`old ${clock.now() - before}`);
          return --left.old > 0;
        },
        older: async () => {
          done.push('older');
          if (left.older < 0) throw new Error('disk I/O error');
          return false;
        },
      },
      shrink: async () => void done.push('shrunk'),
    });
    onTestFinished(() => one.stop());
    return one;
  };
  return { clock, done, left, log, pruner };
}

test('what is over is forgotten batch by batch, once an hour by one of all processes', async () => {
  const { clock, done, pruner } = await open(5 * MINUTE);
  pruner().start();
  pruner().start();
  // Batch by batch: the event loop turns in between, and no clock knows how often.
  await until(() => done.includes('shrunk'), 'the first turn');
  await clock.advance(MINUTE);
  const turn = ['old 300000', 'old 300000', 'old 300000', 'older', 'shrunk'];
  expect(done.splice(0)).toEqual(turn);
  await clock.advance(50 * MINUTE);
  expect(done).toEqual([]);
  await clock.advance(15 * MINUTE);
  await until(() => done.includes('shrunk'), 'the next one');
  expect(done).toEqual(['old 300000', 'older', 'shrunk']);
});

test('one that fails is tried in the next turn', async () => {
  const { clock, done, left, log, pruner } = await open(5 * MINUTE);
  left.older = -1;
  pruner().start();
  await until(() => log.length > 0, 'the failure');
  await clock.advance(MINUTE);
  expect(done.splice(0)).not.toContain('shrunk');
  expect(log.join('')).toContain('what is long over could not be forgotten');
  left.older = 0;
  await clock.advance(65 * MINUTE);
  await until(() => done.includes('shrunk'), 'the next turn');
});
