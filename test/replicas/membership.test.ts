import { sql } from 'kysely';
import { pino } from 'pino';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { Leases } from '../../src/replicas/leases.ts';
import { Membership } from '../../src/replicas/membership.ts';
import type { Store } from '../../src/store/schema.ts';
import { dialectFor, lifelineOf, openStore } from '../../src/store/store.ts';
import { freshDatabase } from '../support/databases.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { TestClock, turn, until } from '../support/test-clock.ts';

let database: string;
let store: Store;

beforeEach(async () => {
  database = await freshDatabase('postgres');
  store = await open(database);
});

const silent = pino({ level: 'silent' });

async function open(url: string): Promise<Store> {
  const opened = await openStore(dialectFor(url, silent));
  onTestFinished(() => opened.destroy());
  return opened;
}

/** A process with a clock that only the test moves. */
async function join(through: { store?: Store; clock?: Clock } = {}) {
  const clock = new TestClock();
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const membership = new Membership({
    store: through.store ?? store,
    shared: true,
    clock: through.clock ?? clock,
    log,
  });
  await membership.join();
  let doubts = 0;
  membership.onDoubt(() => void doubts++);
  const leases = new Leases(through.store ?? store, membership, clock);
  return { clock, membership, leases, lines, doubts: () => doubts };
}

async function throughLine(): Promise<{ line: TcpProxy; store: Store }> {
  const url = new URL(database);
  const line = await startTcpProxy({ host: url.hostname, port: Number(url.port) });
  url.port = String(line.port);
  const opened = await openStore(dialectFor(String(url), silent));
  onTestFinished(async () => {
    await line.close();
    await opened.destroy();
  });
  return { line, store: opened };
}

/**
 * Advances the clock in steps until the process is certain that it counts as alive. After each step, the database gets
 * time to answer.
 */
async function untilCertain({ clock, membership }: { clock: TestClock; membership: Membership }) {
  await until(async () => {
    await clock.advance(500);
    for (let i = 0; i < 200 && !membership.isCertain(); i++) await turn(1);
    return membership.isCertain();
  }, 'certainty');
}

/** Waits until the next renewal has succeeded. */
async function untilRenewed({ clock }: { clock: TestClock }) {
  const livesUntil = async () =>
    (await store.selectFrom('instances').select('until').executeTakeFirstOrThrow()).until;
  const before = await livesUntil();
  await until(async () => {
    await clock.advance(100);
    return (await livesUntil()) > before;
  }, 'the next renewal');
}

const expire = (id: string) =>
  store.updateTable('instances').set({ until: 0 }).where('id', '=', id).execute();

describe('a process that is cut off from the database', () => {
  test.each(['cut', 'freeze'] as const)(
    'a process that is cut off from the database (%s) is unsure whether it counts as alive, until the connection is back',
    async (how) => {
      const { line, store: far } = await throughLine();
      const one = await join({ store: far });
      expect(await one.leases.hold('gateway')).toBe(true);
      const { spell } = one.membership;
      line[how]();
      await one.clock.advance(5_499);
      expect([one.membership.isCertain(), one.doubts()]).toEqual([true, 0]);
      await one.clock.advance(1);
      expect([one.membership.isCertain(), one.doubts()]).toEqual([false, 1]);
      line.restore();
      await untilCertain(one);
      expect(one.membership.spell).toBe(spell + 1);
      expect(one.doubts()).toBe(1);
      const told = one.lines.filter((text) => text.includes('cannot tell the other processes')).length;
      expect(told).toBe(1);
    },
  );

  test('a process knows that its membership was uncertain for a while, even if the membership is certain again', async () => {
    const { line, store: far } = await throughLine();
    const one = await join({ store: far });
    const isUnbroken = one.membership.sinceNow();
    await untilRenewed(one);
    expect(isUnbroken()).toBe(true);
    line.cut();
    await one.clock.advance(5_500);
    const doubted = one.membership.sinceNow();
    expect([isUnbroken(), doubted()]).toEqual([false, false]);
    line.restore();
    await untilCertain(one);
    expect([isUnbroken(), doubted(), one.membership.sinceNow()()]).toEqual([false, false, true]);
  });

  test('a process that is cut off from the database can stop, and the log says that the other processes will notice the stop', async () => {
    const { line, store: far } = await throughLine();
    const one = await join({ store: far });
    line.freeze();
    const left = one.membership.leave();
    await one.clock.advance(1_000);
    await left;
    expect(one.membership.isCertain()).toBe(false);
    expect(one.lines.join('')).toContain('they notice within a few seconds');
  });
});

test('a running process renews its membership regularly', async () => {
  const one = await join();
  for (let i = 0; i < 10; i++) await untilRenewed(one);
  expect([one.membership.isCertain(), one.membership.spell, one.doubts()]).toEqual([true, 1, 0]);
});

test('after a process was suspended, it is at once uncertain of its membership', async () => {
  const clock = new TestClock();
  let slept = 0;
  const asleep = { now: () => clock.now() + slept, after: clock.after.bind(clock) };
  const one = await join({ clock: asleep });
  expect(await one.leases.hold('gateway')).toBe(true);
  slept = 60_000;
  expect(one.membership.isCertain()).toBe(false);
  // The database still shows this process as the holder of the lease, because no other process has taken it.
  expect(await one.leases.hold('gateway')).toBe(false);
});

test("setting a process's clock back does not extend the membership of the process", async () => {
  const clock = new TestClock();
  let back = 0;
  const setBack = {
    now: () => clock.now() - back,
    steady: () => clock.now(),
    after: clock.after.bind(clock),
  };
  const one = await join({ clock: setBack });
  back = 3_600_000;
  expect(one.membership.isCertain()).toBe(true);
  const { line, store: far } = await throughLine();
  const other = await join({ store: far, clock: setBack });
  line.cut();
  await clock.advance(5_500);
  expect(other.membership.isCertain()).toBe(false);
});

test('a process whose row has expired holds no lease, even if the process is still certain of its membership', async () => {
  const [one, other] = [await join(), await join()];
  expect(await one.leases.hold('gateway', 'page 7')).toBe(true);
  expect(await other.leases.hold('gateway')).toBe(false);
  await expire(one.membership.id);
  expect(await other.leases.hold('gateway')).toBe(true);
  expect(await other.leases.bookmark('gateway')).toBe('page 7');
  expect(one.membership.isCertain()).toBe(true);
  expect(await one.leases.hold('gateway', 'page 8')).toBe(false);
  expect(await other.leases.bookmark('gateway')).toBe('page 7');
});

test("if the database's clock is set back by an hour, a stored membership does not last an hour longer", async () => {
  const until = Date.now() + 60 * 60_000;
  await store.insertInto('instances').values({ id: 'dead', until, started_at: 0 }).execute();
  const one = await join();
  const ahead = sql<boolean>`until > extract(epoch from clock_timestamp()) * 1000 + 7000`;
  const rows = await store
    .selectFrom('instances')
    .select(['id', ahead.as('ahead')])
    .orderBy('id')
    .execute();
  expect(rows.map(({ ahead }) => ahead)).toEqual([false, false]);
  expect(one.membership.isCertain()).toBe(true);
});

test('a process renews its membership even if all its other SQL statements are waiting', async () => {
  const one = await join({ store: lifelineOf(database, silent, store) });
  const keeper = await open(database);
  await store.insertInto('kept').values({ id: 'a', value_json: '{}', created_at: 1 }).execute();
  const keeps = await keeper.startTransaction().execute();
  await sql`set local idle_in_transaction_session_timeout = 0`.execute(keeps);
  await keeps.updateTable('kept').set({ created_at: 2 }).execute();
  const waiting = Array.from({ length: 12 }, () =>
    store.updateTable('kept').set({ created_at: 3 }).execute(),
  );
  const livesUntil = async () =>
    (await keeper.selectFrom('instances').select('until').executeTakeFirstOrThrow()).until;
  const before = await livesUntil();
  await until(async () => {
    await one.clock.advance(100);
    return (await livesUntil()) > before;
  }, 'the next renewal');
  await keeps.rollback().execute();
  await Promise.allSettled(waiting);
});

test('the rows of dead processes are deleted after a day', async () => {
  const hours = (count: number) =>
    sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint - ${sql.lit(count * 3_600_000)}`;
  for (const count of [23, 25])
    await store
      .insertInto('instances')
      .values({ id: `dead for ${count} hours`, until: hours(count), started_at: 0 })
      .execute();
  const { membership } = await join();
  const known = await store.selectFrom('instances').select('id').orderBy('id').execute();
  expect(known.map(({ id }) => id).toSorted()).toEqual(['dead for 23 hours', membership.id].toSorted());
});
