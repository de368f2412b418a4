import { expect, test } from 'vitest';
import { transact } from '../../src/store/transact.ts';
import { accepted, openWatch, snapshot, type Watch } from '../deployments/watch.ts';

const HERE = { platform: 'memory', workspace: 'w', channel: 'c' };
const ELSEWHERE = { ...HERE, channel: 'other' };

/** Notes or takes back that the plan `p`, whose card stands in `at`, stops the deployment r1. */
const note = ({ store, deployments }: Watch, at: typeof HERE, stops = true, plan = 'p') =>
  transact(store, (tx) => deployments.stopsByPlan(tx, { at, plan, stops }, ['r1']));

async function running() {
  const watch = await openWatch();
  const id = await watch.add(accepted('r1'), snapshot('r1', 'READY'));
  const ends = () => watch.deployments.learn(id, { kind: 'terminated' }, 'asked');
  return { watch, id, ends };
}

test('the channel with the card of the plan gets no line about a stop and an end of the plan', async () => {
  const { watch, ends } = await running();
  await note(watch, HERE);
  await watch.deployments.stopping('r1', 'bob');
  await ends();
  expect(await watch.told()).not.toMatch(/asked to stop|terminated/);
  expect(await watch.card()).toContain('Terminated');
});

test('the end is not told even if the news of the end is faster than the answer to the stop', async () => {
  const { watch, ends } = await running();
  await note(watch, HERE);
  await ends();
  await watch.deployments.stopping('r1', 'bob');
  expect(await watch.told()).not.toMatch(/asked to stop|terminated/);
});

test('another channel gets the lines, because the card of the plan is not read there', async () => {
  const { watch, ends } = await running();
  await note(watch, ELSEWHERE);
  await watch.deployments.stopping('r1', 'bob');
  await ends();
  expect(await watch.told()).toMatch(/bob asked to stop[\s\S]*terminated/);
});

test('if the stop failed, a later end is told; another plan cannot take back the note', async () => {
  const { watch, ends } = await running();
  await note(watch, HERE);
  await note(watch, HERE, false, 'another plan');
  expect((await watch.deployments.byRequestId('r1'))?.stopPlan).toBe('p');
  await note(watch, HERE, false);
  await ends();
  expect(await watch.told()).toContain('terminated');
});

test('if an accepted stop has no effect, the channel learns so, and a later end is told', async () => {
  const { watch, id, ends } = await running();
  await note(watch, HERE);
  await watch.deployments.stopping('r1', 'bob');
  await watch.clock.advance(3 * 60_000);
  await watch.deployments.learn(id, snapshot('r1', 'READY'), 'asked');
  expect(await watch.told()).toContain('still runs');
  await ends();
  expect(await watch.told()).toContain('terminated');
});
