import { expect, test } from 'vitest';
import { near, order, simulate } from './harness.ts';

const ip = (ip_address: unknown) => ({ user_type: 'ip_address', user_data: { ip_address } });

test.each([
  ['a missing body', undefined],
  ['broken JSON', '{"application":'],
  ['a JSON list', '[]'],
  ['a missing application', order({ application: undefined })],
  ['an unknown application', order({ application: 'kart' })],
  ['an inactive application', order({ application: 'retired-prototype', version: 'final' })],
  ['an unknown version', order({ version: 'v9' })],
  ['an inactive version', order({ version: 'v1.1' })],
  ['a missing list of users', order({ users: undefined })],
  ['an empty list of users', order({ users: [] })],
  ['a user of an unknown type', order({ users: [{ user_type: 'name', user_data: { name: 'ada' } }] })],
  ['an impossible address', order({ users: [ip('10.0.0.256')] })],
  ['an impossible latitude', order({ users: [near(91, 0)] })],
  ['a tag of 21 characters', order({ tags: ['x'.repeat(21)] })],
  ['a webhook without a URL', order({ webhook_on_ready: { url: 'here' } })],
  ['too much memory for the CPU', order({ resources: { cpu_units: 256, memory_mib: 513 } })],
  ['too little CPU', order({ resources: { cpu_units: 99, memory_mib: 100 } })],
  [
    'an environment variable of more than 4 KB',
    order({ environment_variables: [{ key: 'A', value: 'é'.repeat(2049), is_hidden: false }] }),
  ],
])('the Edgegap simulator refuses a deploy with %s and creates no deployment', async (_, body) => {
  const { simulator, call } = await simulate();
  const { status, json } = await call('POST', '/v2/deployments', body);
  expect(status).toBe(400);
  expect(json.message).toEqual(expect.any(String));
  expect(simulator.deployments.size).toBe(0);
});

test('the Edgegap simulator accepts every field that a deploy can contain', async () => {
  const { simulator, call } = await simulate({ maxTagLength: 40 });
  const { status, json } = await call(
    'POST',
    '/v2/deployments',
    order({
      users: [ip('203.0.113.9'), ip('::1'), near(-90, 180)],
      tags: ['x'.repeat(40)],
      environment_variables: [{ key: 'MODE', value: 'night', is_hidden: true }],
      require_cached_locations: null,
      resources: { cpu_units: 256, memory_mib: 512 },
      webhook_on_ready: { url: 'https://bot.example.com/ready' },
      is_extra: true,
    }),
  );
  expect([status, Object.keys(json)]).toEqual([202, ['request_id']]);
  expect(simulator.deployments.get(json.request_id)?.environment[0]?.value).toBe('night');
});

test('the Edgegap simulator refuses a deploy if the account is full, and does not count failed or ended deployments', async () => {
  const { simulator, call, deploy } = await simulate({ maxConcurrent: 1 });
  const id = await deploy();
  const second = await call('POST', '/v2/deployments', order());
  expect(second.status).toBe(422);
  expect(simulator.deployments.get(second.json.request_id)?.history.at(-1)?.phase).toBe('ERROR');
  simulator.terminate(id);
  expect((await call('POST', '/v2/deployments', order())).status).toBe(202);
});

test.each([
  ['without a token', '', 401],
  ['with a wrong token', 'token 00000000-0000-4000-8000-000000000000', 401],
])('the Edgegap simulator refuses a request %s', async (_, token, status) => {
  const { call } = await simulate();
  const reply = await call('GET', '/v1/apps', undefined, token);
  expect([reply.status, typeof reply.json.message]).toEqual([status, 'string']);
});

test('the Edgegap simulator answers 401 to a header without the word "token", and 403 to a deleted token', async () => {
  const { simulator, call } = await simulate({ token: 'mine' });
  expect((await call('GET', '/v1/apps', undefined, 'mine')).status).toBe(401);
  expect((await call('GET', '/v1/apps', undefined, 'token mine')).status).toBe(200);
  expect((await call('GET', '/v1/apps', undefined, `token ${simulator.deletedToken}`)).status).toBe(403);
});

test('for an unknown request_id, the Edgegap simulator answers 400 like the live API, or 404 like the specification', async () => {
  const live = await simulate();
  const file = await simulate({ unknownIdStatus: 404 });
  for (const [method, path] of [
    ['GET', '/v1/status/nobody'],
    ['DELETE', '/v1/stop/nobody'],
    ['GET', '/v1/deployment/nobody/container-logs'],
    ['GET', '/v1/deployments/nobody/tags'],
  ] as const) {
    expect((await live.call(method, path)).status).toBe(400);
    expect((await file.call(method, path)).status).toBe(404);
  }
  const id = await live.deploy();
  live.simulator.forget(id);
  expect((await live.call('GET', `/v1/status/${id}`)).status).toBe(400);
  expect(live.clock.pending).toBe(0);
});

test('the Edgegap simulator answers unknown paths with 404, and wrong methods with 405', async () => {
  const { call } = await simulate();
  expect((await call('GET', '/v3/anything')).status).toBe(404);
  expect((await call('GET', '/v1/status/%E0%A4%A')).status).toBe(404);
  expect((await call('PUT', '/v1/apps')).status).toBe(405);
});

test('the Edgegap simulator records every request', async () => {
  const { clock, simulator, call } = await simulate();
  await clock.advance(5);
  await call('GET', '/v1/apps?page=1&limit=2');
  await call('POST', '/v2/deployments', 'not json');
  expect(simulator.requests).toMatchObject([
    {
      at: clock.now(),
      method: 'GET',
      path: '/v1/apps',
      query: { page: '1', limit: '2' },
      endpoint: 'applications',
      status: 200,
    },
    { method: 'POST', path: '/v2/deployments', body: 'not json', endpoint: 'deploy', status: 400 },
  ]);
});

test('in the dialect "reference", the answers of the Edgegap simulator contain nulls and additional fields', async () => {
  const { call, deploy } = await simulate({ dialect: 'reference' });
  const id = await deploy({ tags: ['qa'] });
  const { json } = await call('GET', `/v1/status/${id}`);
  expect(json).toMatchObject({
    error_detail: null,
    removal_time: null,
    ports: null,
    whitelisting_active: false,
  });
  const tags = (await call('GET', `/v1/deployments/${id}/tags`)).json;
  expect([tags.count, tags.total_count]).toEqual([1, undefined]);
});
