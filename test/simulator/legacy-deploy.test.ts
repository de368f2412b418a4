import { expect, test } from 'vitest';
import { arrived, hooks, legacyOrder, receive, simulate, TO_READY } from './harness.ts';

test.each([
  ['without an application', 400, legacyOrder({ app_name: undefined })],
  ['without addresses', 400, legacyOrder({ ip_list: undefined })],
  ['with an empty list of addresses', 400, legacyOrder({ ip_list: [] })],
  ['with an impossible address', 400, legacyOrder({ ip_list: ['10.0.0.256'] })],
  ['with a tag of 21 characters', 400, legacyOrder({ tags: ['x'.repeat(21)] })],
  ['of an inactive version', 400, legacyOrder({ version_name: 'v1.1' })],
  ['of an unknown application', 404, legacyOrder({ app_name: 'kart' })],
  ['of an unknown version', 404, legacyOrder({ version_name: 'v9' })],
])(
  'the Edgegap simulator answers a legacy deploy %s with %i and creates no deployment',
  async (_, status, body) => {
    const { simulator, call } = await simulate();
    const reply = await call('POST', '/v1/deploy', body);
    expect([reply.status, typeof reply.json.message]).toEqual([status, 'string']);
    expect(simulator.deployments.size).toBe(0);
  },
);

test('in the Edgegap simulator, a legacy deploy without a version uses the newest version', async () => {
  const { call } = await simulate();
  const { status, json } = await call('POST', '/v1/deploy', legacyOrder({ tags: ['qa'] }));
  expect(status).toBe(200);
  expect(json).toEqual({
    request_id: expect.any(String),
    request_dns: `${json.request_id}.pr.edgegap.net`,
    request_app: 'kart-racing',
    request_version: 'v1.3',
    request_user_count: 1,
    filters: [],
    tags: ['qa'],
  });
});

test('for a legacy deploy, the Edgegap simulator sends a callback only for READY, and keeps the log on request', async () => {
  const { clock, call, simulator } = await simulate({ dialect: 'reference' });
  const receiver = await receive();
  const body = legacyOrder({
    command: '/bin/server',
    env_vars: [{ key: 'MODE', value: 'night' }],
    webhook_url: `${receiver.url}/ready`,
    container_log_storage: { enabled: true, endpoint_storage: 'match-logs' },
    ...hooks(receiver),
  });
  const { request_id } = (await call('POST', '/v1/deploy', body)).json;
  await clock.advance(TO_READY);
  const status = (await call('GET', `/v1/status/${request_id}`)).json;
  expect([status.command, status.arguments]).toEqual(['/bin/server', null]);
  expect(simulator.deployments.get(request_id)?.environment[0]?.value).toBe('night');
  simulator.terminate(request_id);
  await clock.advance(TO_READY);
  expect(simulator.callbacks.map(({ event }) => event)).toEqual(['ready']);
  await arrived(simulator, 2);
  const log = (await call('GET', `/v1/deployment/${request_id}/container-logs`)).json;
  expect(log.logs_link).toContain('match-logs');
});

test('if there is no room, the Edgegap simulator refuses a legacy deploy, and the answer names no deployment', async () => {
  const { call, simulator } = await simulate();
  const fault = { endpoint: 'deployLegacy', application: 'kart-racing' } as const;
  simulator.faults.next(fault, { kind: 'cannot-allocate' });
  const { status, json } = await call('POST', '/v1/deploy', legacyOrder());
  expect([status, Object.keys(json)]).toEqual([422, ['message']]);
  expect([...simulator.deployments.values()][0]?.history.at(-1)?.phase).toBe('ERROR');
});
