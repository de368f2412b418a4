import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { EdgegapClient } from '../../src/edgegap/client.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { suiteDatabase } from '../support/databases.ts';
import { TestClock } from '../support/test-clock.ts';
import { accepted, openWatch, snapshot } from './watch.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The calls to Edgegap in one hour for `count` deployments that keep the same status. */
async function inAnHour(callbacks: boolean, count: number, status: string) {
  const watch = await openWatch({ callbacks });
  for (let index = 0; index < count; index++) {
    const request_id = `r${index}`;
    watch.statuses.set(request_id, status);
    watch.listed.push({ request_id, ready: status === 'READY' });
    await watch.add(accepted(request_id), snapshot(request_id, status));
  }
  await watch.reconciler.start();
  // The bot polls a new deployment more often, so the test waits first.
  await watch.clock.advance(10 * 60_000);
  watch.calls.length = 0;
  await watch.clock.advance(HOUR);
  const lists = watch.calls.filter((call) => call === 'list').length;
  return { lists, statuses: watch.calls.length - lists };
}

/** A client that knows whether it is reading a list. */
class ListingClient extends EdgegapClient {
  listing = false;

  override async *allDeployments(...request: Parameters<EdgegapClient['allDeployments']>) {
    this.listing = true;
    try {
      yield* super.allDeployments(...request);
    } finally {
      this.listing = false;
    }
  }
}

/** The number of list requests that arrive in one hour, for `count` ready servers. */
async function requestsInAnHour(count: number): Promise<number> {
  const none = { deploy: Number.POSITIVE_INFINITY, list: Number.POSITIVE_INFINITY };
  const clock = new TestClock();
  const simulator = await startSimulator({ clock, limits: none });
  const client = new ListingClient({
    baseUrl: simulator.url,
    token: simulator.token,
    clock: systemClock,
    log: pino({ level: 'silent' }),
    limits: { deploy: 1_000, list: 1_000 },
  });
  onTestFinished(async () => {
    await client.close();
    await simulator.close();
  });
  const request = { application: 'kart-racing', version: 'v1.2', users: [{ ip_address: '1.2.3.4' }] };
  const deployed = await Promise.all(Array.from({ length: count }, () => client.deploy(request)));
  await clock.advance(60_000);
  const watch = await openWatch({ callbacks: true, edgegap: client });
  watch.clock.waitFor(() => client.listing);
  for (const { request_id } of deployed) await watch.add(accepted(request_id), snapshot(request_id, 'READY'));
  await watch.reconciler.start();
  await watch.clock.advance(10 * 60_000);
  const before = simulator.requests.length;
  await watch.clock.advance(HOUR);
  const requests = simulator.requests.slice(before);
  expect(new Set(requests.map(({ endpoint }) => endpoint))).toEqual(new Set(['list']));
  return requests.length;
}

/**
 * Tests the figures in docs/operations.md. A store that many processes share is read every second, so one hour would
 * take too long there.
 */
describe.runIf(suiteDatabase === 'sqlite')('calls to Edgegap per hour', () => {
  test.each([
    // A page of the list has 50 deployments. The bot reads the list once a minute with callbacks, and six times a
    // minute without callbacks.
    { callbacks: true, count: 1, status: 'READY', lists: 60, statuses: 0 },
    { callbacks: true, count: 100, status: 'READY', lists: 120, statuses: 0 },
    { callbacks: false, count: 1, status: 'READY', lists: 360, statuses: 0 },
    { callbacks: false, count: 100, status: 'READY', lists: 720, statuses: 0 },
    // The bot polls a starting deployment every 15 seconds, because no callback reports the steps of the deployment.
    { callbacks: true, count: 1, status: 'DEPLOYING', lists: 0, statuses: 240 },
  ])(
    'the bot makes the documented number of Edgegap calls an hour for $count deployments in $status (callbacks: $callbacks)',
    async ({ callbacks, count, status, lists, statuses }) => {
      const calls = await inAnHour(callbacks, count, status);
      expect(Math.abs(calls.lists - lists), `${calls.lists} lists`).toBeLessThanOrEqual(
        Math.max(2, lists / 50),
      );
      expect(Math.abs(calls.statuses - statuses), `${calls.statuses} statuses`).toBeLessThanOrEqual(2);
    },
  );

  test('the bot makes at most four status calls a second, even if many deployments are starting', async () => {
    const watch = await openWatch({ callbacks: true });
    for (let index = 0; index < 60; index++) {
      watch.statuses.set(`r${index}`, 'DEPLOYING');
      await watch.add(accepted(`r${index}`));
    }
    await watch.reconciler.start();
    await watch.clock.advance(MINUTE);
    watch.calls.length = 0;
    await watch.clock.advance(MINUTE);
    const looks = watch.calls.filter((call) => call.startsWith('status'));
    expect(Math.abs(looks.length - 4 * 60)).toBeLessThanOrEqual(5);
    expect(new Set(looks).size).toBe(60);
  });

  test.each([
    { count: 50, lists: 60 },
    { count: 51, lists: 120 },
  ])(
    'the bot makes the documented number of list calls an hour for $count ready deployments',
    async ({ count, lists }) => {
      expect(Math.abs((await requestsInAnHour(count)) - lists)).toBeLessThanOrEqual(2);
    },
  );
});
