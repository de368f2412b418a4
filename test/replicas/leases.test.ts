import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { Leases } from '../../src/replicas/leases.ts';
import { Membership } from '../../src/replicas/membership.ts';
import { isShared } from '../../src/store/schema.ts';
import { dialectFor, openStore } from '../../src/store/store.ts';
import { freshDatabase, suiteDatabase } from '../support/databases.ts';
import { TestClock } from '../support/test-clock.ts';

const log = pino({ level: 'silent' });

async function open(database: string) {
  const store = await openStore(dialectFor(database, log));
  onTestFinished(() => store.destroy());
  const clock = new TestClock();
  const join = async (own = clock) => {
    const membership = new Membership({ store, shared: isShared(database), clock: systemClock, log });
    await membership.join();
    return { membership, leases: new Leases(store, membership, own) };
  };
  return { clock, store, join };
}

describe('leases of processes', () => {
  test('after the process that holds a lease has left, another process can get the lease', async () => {
    const { join } = await open(await freshDatabase());
    const one = await join();
    expect(await one.leases.hold('gateway')).toBe(true);
    expect(await one.leases.hold('gateway')).toBe(true);
    if (suiteDatabase === 'postgres') {
      const other = await join();
      expect(await other.leases.hold('gateway')).toBe(false);
      await one.leases.release('gateway');
      expect(await other.leases.hold('gateway')).toBe(true);
      expect(await one.leases.hold('gateway')).toBe(false);
      await other.membership.leave();
      expect(await one.leases.hold('gateway')).toBe(true);
    }
    await one.membership.leave();
    expect(one.membership.isCertain()).toBe(false);
  });

  test('on SQLite, an earlier process counts as dead when a new process starts, and loses its leases', async () => {
    const { join } = await open(await freshDatabase('sqlite'));
    const before = await join();
    await before.leases.hold('gateway');
    const after = await join();
    expect(await after.leases.hold('gateway')).toBe(true);
  });

  test('only one process can claim a periodic job, and the job can be claimed again only after the interval', async () => {
    const { clock, join } = await open(await freshDatabase());
    const { leases, membership } = await join();
    expect(await leases.takeTurn('sweep', 1_000)).toBe(true);
    expect(await leases.takeTurn('sweep', 1_000)).toBe(false);
    await clock.advance(1_000);
    expect(await leases.takeTurn('sweep', 1_000)).toBe(true);
    await membership.leave();
  });

  test.each([1, 5_000, 60_000])(
    'if a process with a clock %d ms ahead claims a periodic job, no other process claims the job too early',
    async (ahead) => {
      const { clock, join } = await open(await freshDatabase());
      const before = await join(new TestClock(clock.now() + ahead));
      const { leases, membership } = await join();
      expect(await before.leases.takeTurn('sweep', 10_000)).toBe(true);
      expect(await leases.takeTurn('sweep', 10_000)).toBe(false);
      await clock.advance(9_999);
      expect(await leases.takeTurn('sweep', 10_000)).toBe(false);
      await clock.advance(1 + ahead);
      expect(await leases.takeTurn('sweep', 10_000)).toBe(true);
      for (const one of [before.membership, membership]) await one.leave();
    },
  );

  test('if a process with a clock a day ahead claimed a periodic job, other processes can claim the job at once', async () => {
    const { clock, store, join } = await open(await freshDatabase());
    const { leases, membership } = await join();
    const until = clock.now() + 24 * 60 * 60_000;
    await store.insertInto('leases').values({ name: 'sweep', holder: null, until }).execute();
    expect(await leases.takeTurn('sweep', 1_000)).toBe(true);
    expect(await leases.takeTurn('sweep', 1_000)).toBe(false);
    await membership.leave();
  });
});
