import { describe, expect, test } from 'vitest';
import { suiteDatabase } from '../support/databases.ts';
import { accepted, openWatch, snapshot } from './watch.ts';

const HOUR = 60 * 60_000;

/** Calls to Edgegap in one hour for so many deployments that are in this status all the while. */
async function inAnHour(callbacks: boolean, count: number, status: string) {
  const watch = await openWatch({ callbacks });
  for (let index = 0; index < count; index++) {
    const request_id = `r${index}`;
    watch.statuses.set(request_id, status);
    watch.listed.push({ request_id, ready: status === 'READY' });
    await watch.add(accepted(request_id), snapshot(request_id, status));
  }
  await watch.reconciler.start();
  // What is young is asked about more often.
  await watch.clock.advance(10 * 60_000);
  watch.calls.length = 0;
  await watch.clock.advance(HOUR);
  const lists = watch.calls.filter((call) => call === 'list').length;
  return { lists, statuses: watch.calls.length - lists };
}

/** As docs/operations.md says it. Where many processes share a store each second is looked at: an hour takes too long. */
describe.runIf(suiteDatabase === 'sqlite')('calls to Edgegap in an hour', () => {
  test.each([
    // The list is asked about 50 at a time: once a minute with callbacks, six times without.
    { callbacks: true, count: 1, status: 'READY', lists: 60, statuses: 0 },
    { callbacks: true, count: 100, status: 'READY', lists: 120, statuses: 0 },
    { callbacks: false, count: 1, status: 'READY', lists: 360, statuses: 0 },
    { callbacks: false, count: 100, status: 'READY', lists: 720, statuses: 0 },
    // One that is on its way is asked about once a minute with callbacks, every 15 seconds without.
    { callbacks: true, count: 1, status: 'DEPLOYING', lists: 0, statuses: 60 },
    { callbacks: false, count: 1, status: 'DEPLOYING', lists: 360, statuses: 240 },
  ])(
    'for $count in $status, callbacks: $callbacks',
    async ({ callbacks, count, status, lists, statuses }) => {
      const calls = await inAnHour(callbacks, count, status);
      expect(Math.abs(calls.lists - lists), `${calls.lists} lists`).toBeLessThanOrEqual(
        Math.max(2, lists / 50),
      );
      expect(Math.abs(calls.statuses - statuses), `${calls.statuses} statuses`).toBeLessThanOrEqual(2);
    },
  );
});
