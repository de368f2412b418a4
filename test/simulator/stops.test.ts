import { expect, test } from 'vitest';
import { simulate, TO_READY } from './harness.ts';

const BULK = '/v1/deployments/bulk-stop';

test('a bulk stop in the simulator accepts the deployments that match every filter and have not ended', async () => {
  const { simulator, call, deploy, ready } = await simulate();
  const first = await ready({ tags: ['qa', 'night'] });
  const second = await deploy({ tags: ['qa'] });
  const gone = await deploy({ tags: ['qa'] });
  simulator.terminate(gone);
  const bulk = async (...filters: [string, string, string[]][]) => {
    const body = { filters: filters.map(([field, filter_type, values]) => ({ field, filter_type, values })) };
    const { status, json } = await call('POST', BULK, body);
    return [status, json.processable.map(({ request_id }: { request_id: string }) => request_id)];
  };
  expect(await bulk(['request_id', 'any', ['nobody', gone]])).toEqual([202, []]);
  expect(await bulk(['deployment_tags', 'all', ['qa', 'night']], ['request_id', 'any', [second]])).toEqual([
    202,
    [],
  ]);
  expect(simulator.deployments.get(first)?.history.at(-1)?.phase).toBe('READY');
  expect(await bulk(['deployment_tags', 'any', ['night', 'day']])).toEqual([202, [first]]);
  expect(await bulk(['request_id', 'not', [first]])).toEqual([202, [second]]);
  expect(simulator.deployments.get(first)?.history.at(-1)?.phase).toBe('TERMINATING');
});

test('in the simulator, a bulk stop before READY takes effect at READY, and a second bulk stop changes nothing', async () => {
  const { clock, simulator, call, deploy } = await simulate();
  const id = await deploy();
  const body = { filters: [{ field: 'request_id', filter_type: 'any', values: [id] }] };
  for (let i = 0; i < 2; i++) expect((await call('POST', BULK, body)).json.processable).toHaveLength(1);
  await clock.advance(2 * TO_READY);
  const phases = simulator.deployments.get(id)?.history.map(({ phase }) => phase);
  expect(phases?.slice(-3)).toEqual(['READY', 'TERMINATING', 'TERMINATED']);
  expect((await call('POST', BULK, body)).json.processable).toEqual([]);
});

test.each([
  ['no filters', { filters: [] }],
  ['no body', undefined],
  ['an unknown field', { filters: [{ field: 'status', filter_type: 'any', values: [] }] }],
  ['an unknown type', { filters: [{ field: 'request_id', filter_type: 'none', values: [] }] }],
])('the Edgegap simulator refuses a bulk stop with %s', async (_, body) => {
  const { simulator, call, deploy } = await simulate();
  const id = await deploy();
  expect((await call('POST', BULK, body)).status).toBe(400);
  expect(simulator.deployments.get(id)?.stopRequested).toBe(false);
});

test('a stop in the Edgegap simulator can request that the log is kept', async () => {
  const { simulator, call, ready } = await simulate();
  const id = await ready();
  for (const [storage, kept] of [
    ['match-logs', 'match-logs'],
    ['true', 'match-logs'],
    ['false', undefined],
  ]) {
    await call('DELETE', `/v1/stop/${id}?container_log_storage=${storage}`);
    expect(simulator.deployments.get(id)?.logStorage).toBe(kept);
  }
});
