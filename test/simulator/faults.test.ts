import { expect, test } from 'vitest';
import { arrived, order, simulate, TO_READY } from './harness.ts';

const DEPLOY = ['POST', '/v2/deployments', order()] as const;

test('the simulator\'s fault "cannot-allocate" answers with 422 and a request_id, and leaves a deployment in ERROR', async () => {
  const { simulator, call } = await simulate();
  simulator.faults.next({ endpoint: 'deploy' }, { kind: 'cannot-allocate', message: 'Full' });
  const { status, json } = await call(...DEPLOY);
  expect([status, json.message]).toEqual([422, 'Full']);
  expect((await call('GET', `/v1/status/${json.request_id}`)).json).toMatchObject({
    current_status: 'Status.ERROR',
    error_detail: 'Full',
  });
  expect((await call('DELETE', `/v1/stop/${json.request_id}`)).status).toBe(200);
});

test('with the simulator\'s fault "image-cannot-be-pulled", a deploy is accepted and ends in ERROR without a log', async () => {
  const { clock, simulator, call, deploy } = await simulate();
  simulator.faults.next(
    { application: 'kart-racing' },
    { kind: 'image-cannot-be-pulled', detail: 'No such tag' },
  );
  const id = await deploy();
  await clock.advance(TO_READY);
  expect((await call('GET', `/v1/status/${id}`)).json).toMatchObject({
    current_status: 'Status.ERROR',
    last_status: 'Status.DEPLOYING',
    error_detail: 'No such tag',
  });
  expect((await call('GET', `/v1/deployment/${id}/container-logs`)).json.logs).toBe('');
});

test.each([
  ['before', 0],
  ['after', 1],
] as const)(
  'the simulator\'s fault "server-error" answers with 503 %s the deploy takes effect',
  async (when, made) => {
    const { simulator, call } = await simulate();
    simulator.faults.next({ endpoint: 'deploy' }, { kind: 'server-error', status: 503, when });
    expect((await call(...DEPLOY)).status).toBe(503);
    expect(simulator.deployments.size).toBe(made);
  },
);

test.each([
  ['before', 0],
  ['after', 1],
] as const)(
  'the simulator\'s fault "reset" breaks the connection %s the deploy takes effect',
  async (when, made) => {
    const { simulator, call } = await simulate();
    simulator.faults.next({ endpoint: 'deploy' }, { kind: 'reset', when });
    await expect(call(...DEPLOY)).rejects.toMatchObject({
      code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/),
    });
    expect(simulator.deployments.size).toBe(made);
  },
);

test.each([
  ['before', 0],
  ['after', 1],
] as const)(
  'with the fault "slow", the Edgegap simulator waits %s the deploy takes effect',
  async (when, made) => {
    const { clock, simulator, call } = await simulate();
    simulator.faults.next({ endpoint: 'deploy' }, { kind: 'slow', ms: 30_000, when });
    const answer = call(...DEPLOY);
    await arrived(simulator, 1);
    expect(simulator.deployments.size).toBe(made);
    await clock.advance(29_999);
    expect(simulator.requests[0]?.status).toBeUndefined();
    await clock.advance(1);
    expect((await answer).status).toBe(202);
  },
);

test('with the simulator\'s fault "broken-json", a deploy takes effect, but the answer breaks off in the middle', async () => {
  const { simulator, call } = await simulate();
  simulator.faults.next({ endpoint: 'deploy' }, { kind: 'broken-json' });
  const { status, text, json } = await call(...DEPLOY);
  expect([status, text.startsWith('{"request'), json]).toEqual([202, true, undefined]);
  expect(simulator.deployments.size).toBe(1);
});

test('with the fault "too-many-requests", the simulator answers with 429, with or without a Retry-After header', async () => {
  const { simulator, call } = await simulate();
  const retryAfter = async (value: number | string | null) => {
    simulator.faults.next({ method: 'GET', path: /apps$/ }, { kind: 'too-many-requests', retryAfter: value });
    const { status, headers } = await call('GET', '/v1/apps');
    return [status, headers['retry-after']];
  };
  expect(await retryAfter(7)).toEqual([429, '7']);
  expect(await retryAfter('Tue, 03 Mar 2026 16:00:09 GMT')).toEqual([429, 'Tue, 03 Mar 2026 16:00:09 GMT']);
  expect(await retryAfter(null)).toEqual([429, undefined]);
});

test('a fault of the simulator affects only matching requests, for the given number of times, and can be removed', async () => {
  const { simulator, call, deploy } = await simulate();
  const [one, other] = [await deploy(), await deploy()];
  const status = async (id: string) => (await call('GET', `/v1/status/${id}`)).status;
  const { faults } = simulator;
  faults.next({ request_id: one }, { kind: 'server-error', when: 'before' }, 2);
  faults.next({ endpoint: 'status', request_id: one }, { kind: 'server-error', status: 502, when: 'before' });
  expect(await status(other)).toBe(200);
  expect([await status(one), await status(one), await status(one), await status(one)]).toEqual([
    500, 500, 502, 200,
  ]);

  const takeBack = faults.next({}, { kind: 'server-error', when: 'before' }, Number.POSITIVE_INFINITY);
  expect([await status(one), await status(other)]).toEqual([500, 500]);
  takeBack();
  expect(await status(one)).toBe(200);

  faults.next({}, { kind: 'server-error', when: 'before' });
  faults.clear();
  expect(await status(one)).toBe(200);
});

test('a fault of the simulator that is possible only for deploys waits for the next deploy', async () => {
  const { simulator, call } = await simulate();
  simulator.faults.next({}, { kind: 'cannot-allocate' });
  expect((await call('GET', '/v1/apps')).status).toBe(200);
  expect((await call(...DEPLOY)).status).toBe(422);
});
