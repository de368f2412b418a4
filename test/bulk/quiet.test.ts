import { expect, test } from 'vitest';
import { transact } from '../../src/store/transact.ts';
import { accepted, openWatch, snapshot, type Watch } from '../deployments/watch.ts';

const HERE = { platform: 'memory', workspace: 'w', channel: 'c' };
const ELSEWHERE = { ...HERE, channel: 'other' };

/**
 * Records that the plan `p`, whose card is in `at`, stops the deployment r1. With `stops` false, deletes this record.
 */
const note = ({ store, deployments }: Watch, at: typeof HERE, stops = true, plan = 'p') =>
  transact(store, (tx) => deployments.stopsByPlan(tx, { at, plan, stops }, ['r1']));

async function running() {
  const watch = await openWatch();
  const id = await watch.add(accepted('r1'), snapshot('r1', 'READY'));
  const ends = () => watch.deployments.learn(id, { kind: 'terminated' }, 'asked');
  return { watch, id, ends };
}

test('the channel with the card of a bulk plan gets no lines about the stops and ends that this plan causes', async () => {
  const { watch, ends } = await running();
  await note(watch, HERE);
  await watch.deployments.stopping('r1', 'bob');
  await ends();
  expect(await watch.told()).not.toMatch(/asked to stop|stopped/);
  expect(await watch.card()).toContain('Stopped');
});

test('if the news of an end arrives before the answer to the stop, a bulk plan still causes no line about the end', async () => {
  const { watch, ends } = await running();
  await note(watch, HERE);
  await ends();
  await watch.deployments.stopping('r1', 'bob');
  expect(await watch.told()).not.toMatch(/asked to stop|stopped/);
});

test('a channel without the card of a bulk plan gets the lines about the stops and ends', async () => {
  const { watch, ends } = await running();
  await note(watch, ELSEWHERE);
  await watch.deployments.stopping('r1', 'bob');
  await ends();
  expect(await watch.told()).toMatch(/bob asked to stop[\s\S]*stopped/);
});

test('if a bulk plan failed to stop a server, a later end is reported in the channel, regardless of other plans', async () => {
  const { watch, ends } = await running();
  await note(watch, HERE);
  await note(watch, HERE, false, 'another plan');
  expect((await watch.deployments.byRequestId('r1'))?.stopPlan).toBe('p');
  await note(watch, HERE, false);
  await ends();
  expect(await watch.told()).toContain(' stopped');
});

test('if an accepted stop of a bulk plan has no effect, the channel gets a line about this problem and about a later end', async () => {
  const { watch, id, ends } = await running();
  await note(watch, HERE);
  await watch.deployments.stopping('r1', 'bob');
  await watch.clock.advance(3 * 60_000);
  await watch.deployments.learn(id, snapshot('r1', 'READY'), 'asked');
  expect(await watch.told()).toContain('still runs');
  await ends();
  expect(await watch.told()).toContain(' stopped');
});
