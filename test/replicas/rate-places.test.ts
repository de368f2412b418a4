import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Dialect } from 'kysely';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { EdgegapClient } from '../../src/edgegap/client.ts';
import type { EdgegapError } from '../../src/edgegap/errors.ts';
import { HELD_MS, LEAVE_MS, type PermitRequest, TRAVEL_MS, WINDOW_MS } from '../../src/edgegap/permits.ts';
import { Scheduler, shareOfLimits } from '../../src/edgegap/scheduler.ts';
import { SharedPermits } from '../../src/replicas/shared-permits.ts';
import { RateLimiter } from '../../src/simulator/limits.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { Store } from '../../src/store/schema.ts';
import { dialectFor, openStore } from '../../src/store/store.ts';
import { carryOut, most, plans } from '../edgegap/rate-model.ts';
import { freshDatabase } from '../support/databases.ts';
import { TestClock, until } from '../support/test-clock.ts';

const PATIENCE_MS = 1e9;
const log = pino({ level: 'silent' });

/** A clock that stands still while an SQL statement or a request to Edgegap is in progress. */
class PatientClock extends TestClock {
  underWay = 0;

  constructor() {
    super();
    this.waitFor(() => this.underWay > 0);
  }

  /** A request in progress has a time-out. No other timer has the same length. */
  override after(ms: number, run: () => void): () => void {
    if (ms !== PATIENCE_MS) return super.after(ms, run);
    this.underWay++;
    return () => {
      this.underWay--;
    };
  }
}

/** The database. It informs the clock about each SQL statement. */
function noted(database: string, clock: PatientClock): Dialect {
  const dialect = dialectFor(database, log);
  const createDriver = dialect.createDriver.bind(dialect);
  dialect.createDriver = () => {
    const driver = createDriver();
    const acquire = driver.acquireConnection.bind(driver);
    const release = driver.releaseConnection.bind(driver);
    driver.acquireConnection = async (options) => {
      clock.underWay++;
      return await acquire(options);
    };
    driver.releaseConnection = async (connection, options) => {
      await release(connection, options);
      clock.underWay--;
    };
    return driver;
  };
  return dialect;
}

/** Processes on a shared database, each with its own connection. */
async function processes(
  clock: PatientClock,
  count: number,
): Promise<{ stores: Store[]; permits: (account: string) => SharedPermits[] }> {
  const database = await freshDatabase('postgres');
  const stores: Store[] = [];
  for (let index = 0; index < count; index++) {
    const store = await openStore(noted(database, clock));
    onTestFinished(() => store.destroy());
    stores.push(store);
  }
  return {
    stores,
    permits: (account) =>
      stores.map((store) => new SharedPermits({ store, clock, log, account, time: 'clock' })),
  };
}

test('for any series of calls, several processes share the rate limit, and calls for people go before background calls', async () => {
  const clock = new PatientClock();
  const { permits } = await processes(clock, 3);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(plans(40), async (plan) => {
      const schedulers = permits(`run-${run++}`).map(
        (each) => new Scheduler(clock, { status: plan.limit }, each),
      );
      const edgegap = new RateLimiter({ deploy: 0, status: plan.limit, list: 0, hosts: 0 });
      await carryOut(plan, clock, schedulers, (now) =>
        expect(edgegap.admit('status', now), 'answered 429').toBe(true),
      );
    }),
    { numRuns: 12 },
  );
});

const people: PermitRequest = { lane: 'people', wanted: 3, limit: 3 };
const background: PermitRequest = { ...people, lane: 'background' };

async function two(clock?: PatientClock): Promise<[SharedPermits, SharedPermits]> {
  const time = clock ?? new PatientClock();
  const { stores } = await processes(time, 2);
  const make = (store: Store) =>
    new SharedPermits({
      store,
      clock: clock ?? systemClock,
      log,
      account: 'a',
      time: clock ? 'clock' : 'database',
    });
  return stores.map(make) as [SharedPermits, SharedPermits];
}

test('after a process takes a permit, no other process gets the permit until the rate-limit window is over', async () => {
  const [one, other] = await two();
  // The bot does not use permits from a database that was slow to answer, so the test tries again with an unused
  // bucket.
  await until(async () => {
    const bucket = randomUUID();
    const from = performance.now();
    const first = await one.take(bucket, { ...people, wanted: 2 });
    const second = await other.take(bucket, people);
    if (performance.now() - from > LEAVE_MS / 2) return false;
    expect(first.permits).toHaveLength(2);
    expect(second.permits).toHaveLength(1);
    expect(second.waitMs).toBeGreaterThan(0);
    expect(second.waitMs).toBeLessThanOrEqual(WINDOW_MS);
    return true;
  }, 'a database that answers in time');
});

test("an unused permit is free at once, a used permit is free after the window, and a dead process's permit is free later", async () => {
  const clock = new PatientClock();
  const [one, other] = await two(clock);
  const { permits } = await one.take('deploy', people);
  permits[0]?.unused();
  permits[1]?.count();
  await clock.advance(0);
  expect((await other.take('deploy', people)).permits).toHaveLength(1);
  await clock.advance(WINDOW_MS - 1);
  expect((await other.take('deploy', people)).permits).toHaveLength(0);
  await clock.advance(1);
  const again = await other.take('deploy', people);
  expect(again.permits).toHaveLength(1);
  again.permits[0]?.count();
  await clock.advance(HELD_MS - WINDOW_MS - 1);
  expect((await other.take('deploy', people)).permits).toHaveLength(1);
  await clock.advance(1);
  expect((await other.take('deploy', people)).permits).toHaveLength(2);
});

test('the rate limit holds even if a process sends its requests at the last permitted moment and then dies', async () => {
  const clock = new PatientClock();
  const [mortal, other] = await two(clock);
  const arrivals: number[] = [];
  const arrive = () => void arrivals.push(clock.now());
  // The process dies before it stores that it has sent the requests.
  for (const _ of (await mortal.take('deploy', people)).permits)
    clock.after(LEAVE_MS + TRAVEL_MS - 1, arrive);
  const alive = new Scheduler(clock, { deploy: people.limit }, other);
  for (let call = 0; call < people.limit; call++)
    void alive.run('deploy', { lane: 'people' }, async () => arrive());
  for (let ms = 0; ms < 5_000; ms += 50) await clock.advance(50);
  expect(arrivals).toHaveLength(2 * people.limit);
  expect(most(arrivals)).toBe(people.limit);
});

test('if a process returns a permit after a different call has received it, that call keeps the permit', async () => {
  const clock = new PatientClock();
  const [one, other] = await two(clock);
  const late = (await one.take('deploy', people)).permits;
  await clock.advance(HELD_MS);
  expect((await other.take('deploy', people)).permits).toHaveLength(3);
  for (const permit of late) permit.unused();
  await clock.advance(0);
  expect((await other.take('deploy', people)).permits).toHaveLength(0);
});

test('if calls for people wait in one process, they go before background calls of other processes', async () => {
  const clock = new PatientClock();
  const [one, other] = await two(clock);
  for (const permit of (await other.take('deploy', background)).permits) permit.count();
  await clock.advance(0);
  const { waitMs } = await one.take('deploy', people);
  await clock.advance(waitMs);
  const kept = await other.take('deploy', background);
  expect(kept.permits).toHaveLength(0);
  expect(kept.waitMs).toBeGreaterThan(0);
  expect((await one.take('deploy', { ...people, wanted: 2 })).permits).toHaveLength(2);
  await clock.advance(kept.waitMs);
  expect((await other.take('deploy', background)).permits).toHaveLength(1);
});

/**
 * Two clients of one process: the first opened before the database's clock was set back by a day, the second
 * afterwards.
 */
async function setBack(): Promise<{ before: SharedPermits; after: SharedPermits; clock: PatientClock }> {
  const clock = new PatientClock();
  const { stores } = await processes(clock, 1);
  const at = (time: TestClock) =>
    new SharedPermits({ store: stores[0] as Store, clock: time, log, account: 'a', time: 'clock' });
  return { before: at(new TestClock(clock.now() + 24 * 60 * 60_000)), after: at(clock), clock };
}

test("permits and pauses do not last longer if the database's clock is set back by a day", async () => {
  const { before, after } = await setBack();
  await before.take('deploy', people);
  await before.pause('deploy', 30_000);
  expect((await after.take('deploy', people)).permits).toHaveLength(3);
});

test("after the database's clock was set back by a day, a new pause has its full length", async () => {
  const { before, after, clock } = await setBack();
  await before.pause('deploy', 1_000);
  await after.pause('deploy', 30_000);
  await after.pause('deploy', 10);
  await clock.advance(29_999);
  expect((await after.take('deploy', people)).permits).toHaveLength(0);
  await clock.advance(1);
  expect((await after.take('deploy', people)).permits).toHaveLength(3);
});

test("after the database's clock was set back by a day, calls for people still go before background calls", async () => {
  const { before, after, clock } = await setBack();
  for (const permits of [before, after]) {
    const { permits: all } = await permits.take('deploy', people);
    expect(all).toHaveLength(3);
    // A call for a person is waiting in a different process.
    await permits.take('deploy', people);
    if (permits === after) for (const permit of all) permit.count();
  }
  await clock.advance(WINDOW_MS);
  expect((await after.take('deploy', background)).permits).toHaveLength(0);
  expect((await after.take('deploy', people)).permits).toHaveLength(3);
});

test('a burst from three processes stays within EDGEGAP_SHARE, and a 429 in any process makes all processes wait', async () => {
  const clock = new PatientClock();
  const simulator = await startSimulator({ clock, limits: { status: 5 } });
  const { permits } = await processes(clock, 3);
  const clients = permits('burst').map(
    (each) =>
      new EdgegapClient({
        baseUrl: simulator.url,
        token: simulator.token,
        clock,
        log,
        timeoutMs: PATIENCE_MS,
        limits: shareOfLimits(25),
        permits: each,
      }),
  );
  onTestFinished(async () => {
    for (const client of clients) await client.close();
    await simulator.close();
  });
  const ask = (index: number) =>
    clients[index % 3]?.status('nobody').catch((error: EdgegapError) => error.status);
  const answers = Promise.all(Array.from({ length: 30 }, (_, index) => ask(index)));
  for (let ms = 0; ms < 10_000; ms += 50) await clock.advance(50);
  expect(new Set(await answers)).toEqual(new Set([400]));
  expect(simulator.requests).toHaveLength(30);

  simulator.faults.next({}, { kind: 'too-many-requests', retryAfter: 7 });
  const first = ask(0);
  await clock.advance(0);
  const second = ask(1);
  await clock.advance(6_999);
  expect(simulator.requests).toHaveLength(31);
  await clock.advance(2_000);
  expect(await Promise.all([first, second])).toEqual([400, 400]);
});

test('without the database, a call to Edgegap is not sent and fails with that reason', async () => {
  const { stores } = await processes(new PatientClock(), 1);
  const [store] = stores as [Store];
  const permits = new SharedPermits({ store, clock: systemClock, log, account: 'a' });
  const scheduler = new Scheduler(systemClock, {}, permits);
  await store.destroy();
  const call = vi.fn(async () => undefined);
  await expect(scheduler.run('deploy', { lane: 'people' }, call)).rejects.toMatchObject({
    code: 'edgegap-no-turn',
    userMessage: 'The database cannot be reached, so nothing was sent to Edgegap.',
  });
  await expect(scheduler.pause('deploy', 1_000)).rejects.toMatchObject({ code: 'edgegap-no-turn' });
  expect(call).not.toHaveBeenCalled();
});
