import { describe, expect, test } from 'vitest';
import { accepted, edgegapTime, openWatch, snapshot, type Watch } from './watch.ts';

const MINUTE = 60_000;

/** The messages about each deployment in the channel, a few seconds after the next process starts. */
async function afterRestart(before: Watch): Promise<string> {
  await before.reconciler.stop();
  before.calls.length = 0;
  const next = await openWatch({ callbacks: true, beside: before });
  await next.reconciler.start();
  await next.clock.advance(2_000);
  return await next.told();
}

test('a starting bot checks all open deployments with a single list call', async () => {
  const watch = await openWatch({ callbacks: true });
  const { add, statuses, listed, clock, reconciler, calls } = watch;
  await reconciler.start();
  for (const id of ['ready', 'failed', 'ended', 'same']) await add(accepted(id));
  await add(accepted('gone'), snapshot('gone', 'READY'));
  await add(accepted('runs'), snapshot('runs', 'READY'));
  await clock.advance(40_000);
  statuses.set('ready', 'READY').set('failed', 'ERROR').set('ended', 'TERMINATED').set('same', 'DEPLOYING');
  statuses.set('gone', 'TERMINATED').set('runs', 'READY');
  for (const one of ['ready', 'runs']) listed.push({ request_id: one, ready: true });
  for (const one of ['failed', 'same']) listed.push({ request_id: one, ready: false });
  const told = await afterRestart(watch);
  expect(told).toMatch(/"ready"[^\n]* is ready/);
  expect(told).toMatch(/"failed"[^\n]* failed/);
  expect(told).toMatch(/"ended"[^\n]* stopped/);
  expect(told).toMatch(/"gone"[^\n]* stopped/);
  expect(calls.filter((call) => call === 'list')).toHaveLength(1);
  expect(calls).not.toContain('status runs');
});

test('if Edgegap is unreachable when the bot starts, the bot asks for the deployments again within seconds', async () => {
  const watch = await openWatch({ callbacks: true });
  await watch.add(accepted('r1'));
  await watch.clock.advance(MINUTE);
  watch.statuses.set('r1', 'READY');
  watch.listed.push({ request_id: 'r1', ready: true });
  let fails = true;
  const edgegap: typeof watch.edgegap = {
    ...watch.edgegap,
    async *allDeployments(...given) {
      if (fails) throw new Error('away');
      yield* watch.edgegap.allDeployments(...given);
    },
  };
  const next = await openWatch({ callbacks: true, beside: watch, edgegap });
  await next.repository.schedule.set(
    (await next.deployments.byRequestId('r1'))?.id ?? '',
    next.clock.now() + MINUTE,
  );
  await next.reconciler.start();
  await next.clock.advance(1_000);
  fails = false;
  await next.clock.advance(12_000);
  expect(await next.told()).toContain(' is ready');
});

describe('the reported times of a deployment', () => {
  /** Makes a deployment whose status the bot learns a minute and a half later. */
  async function learnedLate(fields: (start: number) => { readonly current_status: string }) {
    const watch = await openWatch({ callbacks: true });
    const start = watch.clock.now();
    await watch.add(accepted('r1'));
    await watch.clock.advance(90_000);
    watch.statuses.set('r1', fields(start));
    await afterRestart(watch);
    return { told: await watch.told(), card: await watch.card() };
  }

  test('the card and the line show the times from Edgegap, even if the bot learns of an event late', async () => {
    const ready = await learnedLate((start) => ({
      current_status: 'READY',
      start_time: edgegapTime(start + 3_000),
      elapsed_time: 87,
    }));
    expect(ready.card).toContain('started in 3 s');
    const ended = await learnedLate((start) => ({
      current_status: 'TERMINATED',
      start_time: edgegapTime(start + 3_000),
      elapsed_time: 7,
      removal_time: edgegapTime(start + 10_000),
    }));
    expect(ended.told).toContain(' after 7 s');
    expect(ended.card).toContain('ran for 7 s');
  });

  test('if Edgegap gives no start time, the line about the end shows the running time from Edgegap', async () => {
    const { told } = await learnedLate((start) => ({
      current_status: 'TERMINATED',
      elapsed_time: 7,
      removal_time: edgegapTime(start + 10_000),
    }));
    expect(told).toContain(' after 7 s');
  });

  test.each([
    ['absent', {}],
    ['empty', { start_time: '' }],
    ['not a time', { start_time: 'soon' }],
    ['before the request', { start_time: '2001-01-01 00:00:00.000000' }],
    ['in the far future', { start_time: '2199-01-01 00:00:00.000000' }],
  ])("if Edgegap's start time is %s, the card shows the time that the bot measured", async (_, fields) => {
    const { card } = await learnedLate(() => ({ current_status: 'READY', ...fields }));
    expect(card).toMatch(/started in 1 min 3[0-9] s/);
  });

  test('the line about the end of a deployment that was never ready shows no running time', async () => {
    const { told } = await learnedLate((start) => ({
      current_status: 'TERMINATED',
      start_time: edgegapTime(start),
      elapsed_time: 0,
      removal_time: edgegapTime(start + 10_000),
    }));
    expect(told).toContain(' stopped');
    expect(told).not.toContain(' after ');
  });
});
