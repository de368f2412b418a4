import { expect, test } from 'vitest';
import { simulate, TO_READY } from './harness.ts';

const limits = { deploy: 1000, list: 1000 };

test('the list of the Edgegap simulator contains only active deployments, newest first', async () => {
  const { simulator, call, deploy, ready } = await simulate();
  const first = await ready({ tags: ['a'] });
  const second = await deploy();
  const gone = await deploy();
  simulator.terminate(gone);
  const { json } = await call('GET', '/v1/deployments');
  expect(json.data.map((row: { request_id: string; ready: boolean }) => [row.request_id, row.ready])).toEqual(
    [
      [second, false],
      [first, true],
    ],
  );
  expect(json.total_count).toBe(2);
  expect(json.data[1]).toMatchObject({ fqdn: `${first}.pr.edgegap.net`, tags: ['a'] });
  expect(Object.keys(json.data[1].ports)).toEqual(['gameport', 'http']);
  expect(json.data[1]).not.toHaveProperty('app_name');
});

test("the simulator's list can be delayed, and then shows an earlier state of the deployments", async () => {
  const { clock, simulator, call, deploy } = await simulate({ listLagMs: 5000 });
  const rows = async () =>
    (await call('GET', '/v1/deployments')).json.data.map((row: { ready: boolean }) => row.ready);
  const id = await deploy();
  expect(await rows()).toEqual([]);
  await clock.advance(TO_READY);
  expect(await rows()).toEqual([false]);
  await clock.advance(5000);
  expect(await rows()).toEqual([true]);
  simulator.terminate(id);
  await clock.advance(4999);
  expect(await rows()).toEqual([true]);
  await clock.advance(1);
  expect(await rows()).toEqual([]);
});

test("a page of the simulator's list has ten rows by default, and the count includes all pages", async () => {
  const { call, deploy } = await simulate({ limits });
  const ids: string[] = [];
  for (let i = 0; i < 23; i++) ids.unshift(await deploy());
  const page = async (query: string) => {
    const { json } = await call('GET', `/v1/deployments${query}`);
    return {
      ids: json.data.map((row: { request_id: string }) => row.request_id),
      total: json.total_count,
      ...json.pagination,
    };
  };
  expect(await page('')).toEqual({
    ids: ids.slice(0, 10),
    total: 23,
    number: 1,
    next_page_number: 2,
    previous_page_number: null,
    paginator: { num_pages: 3 },
    has_next: true,
    has_previous: false,
  });
  expect(await page('?page=3')).toMatchObject({
    ids: ids.slice(20),
    next_page_number: null,
    previous_page_number: 2,
    has_next: false,
    has_previous: true,
  });
  expect(await page('?limit=20&page=2')).toMatchObject({ ids: ids.slice(20), paginator: { num_pages: 2 } });
  expect(await page('?page=9')).toMatchObject({ ids: [], total: 23, has_next: false });
  for (const query of ['?page=0', '?limit=0', '?limit=-1', '?page=two', '?limit=1.5']) {
    expect((await call('GET', `/v1/deployments${query}`)).status).toBe(400);
  }
});

/**
 * Four deployments, one second apart: kart v1.2 (tags a, b; READY), kart v1.3 (b), arena (no tags), lobby (c; ERROR).
 */
async function four() {
  const { clock, simulator, call, deploy, ready } = await simulate({ limits });
  const kart = await ready({ tags: ['a', 'b'] });
  const newer = await deploy({ version: 'v1.3', tags: ['b'] });
  await clock.advance(50);
  const arena = await deploy({ application: 'arena-shooter', version: '2026.2' });
  const lobby = await deploy({ application: 'lobby-chat', version: 'stable', tags: ['c'] });
  simulator.fail(lobby, 'x');
  const names: Record<string, string> = {
    [kart]: 'kart',
    [newer]: 'newer',
    [arena]: 'arena',
    [lobby]: 'lobby',
  };
  const find = async (query: unknown) => {
    const text = typeof query === 'string' ? query : JSON.stringify(query);
    const { status, json } = await call('GET', `/v1/deployments?query=${encodeURIComponent(text)}`);
    return status === 200 ? json.data.map((row: { request_id: string }) => names[row.request_id]) : status;
  };
  return { find, kart, newer };
}

const where = (field: string, operator: string, value: unknown) => ({
  filters: [{ field, operator, value }],
});

test('the list of the Edgegap simulator can be filtered by each field and by several fields at once', async () => {
  const { find, kart, newer } = await four();
  expect(await find({})).toEqual(['lobby', 'arena', 'newer', 'kart']);
  expect(await find(where('application', 'eq', 'kart-racing'))).toEqual(['newer', 'kart']);
  expect(await find(where('application', 'neq', 'kart-racing'))).toEqual(['lobby', 'arena']);
  expect(await find(where('application', 'in', ['lobby-chat', 'arena-shooter']))).toEqual(['lobby', 'arena']);
  expect(await find(where('version', 'nin', ['v1.2', 'stable']))).toEqual(['arena', 'newer']);
  expect(await find(where('tags', 'eq', 'b'))).toEqual(['newer', 'kart']);
  expect(await find(where('tags', 'in', ['a', 'c']))).toEqual(['lobby', 'kart']);
  expect(await find(where('tags', 'neq', 'b'))).toEqual(['lobby', 'arena']);
  expect(await find(where('request_id', 'eq', kart))).toEqual(['kart']);
  expect(await find(where('request_id', 'in', [kart, newer, 'nobody']))).toEqual(['newer', 'kart']);
  for (const ready of ['READY', 'ready', 'Status.READY']) {
    expect(await find(where('status', 'eq', ready))).toEqual(['kart']);
  }
  expect(await find(where('status', 'neq', 'error'))).toEqual(['arena', 'newer', 'kart']);
  expect(await find(where('created_at', 'gte', '2026-03-03 16:00:10.050000'))).toEqual(['lobby', 'arena']);
  expect(await find(where('created_at', 'lte', '2026-03-03T16:00:10Z'))).toEqual(['newer', 'kart']);
  expect(await find(where('created_at', 'eq', '2026-03-03'))).toEqual([]);
  expect(await find(where('host_name', 'ilike', 'alpha%'))).toEqual([]);
  expect(
    await find({
      filters: [
        { field: 'application', operator: 'eq', value: 'kart-racing' },
        { field: 'tags', operator: 'eq', value: 'a' },
      ],
    }),
  ).toEqual(['kart']);
});

test('the list of the Edgegap simulator can be ordered by several fields', async () => {
  const { find } = await four();
  expect(await find({ order_by: [{ field: 'created_at', order: 'asc' }] })).toEqual([
    'kart',
    'newer',
    'lobby',
    'arena',
  ]);
  expect(
    await find({
      order_by: [
        { field: 'application', order: 'desc' },
        { field: 'version', order: 'asc' },
      ],
    }),
  ).toEqual(['lobby', 'kart', 'newer', 'arena']);
});

test('the Edgegap simulator refuses a list query with invalid parameters', async () => {
  const { find } = await four();
  const bad: unknown[] = [
    '{"filters":',
    '[]',
    { filter: [] },
    where('colour', 'eq', 'red'),
    where('status', 'in', ['READY']),
    where('application', 'ilike', 'kart%'),
    where('created_at', 'neq', '2026-03-03'),
    where('created_at', 'gte', 'yesterday'),
    where('tags', 'in', 'a'),
    where('tags', 'eq', ['a']),
    where('tags', 'eq', 5),
    { filters: [...where('tags', 'eq', 'a').filters, ...where('tags', 'neq', 'b').filters] },
    { order_by: [{ field: 'created_at', order: 'up' }] },
    { order_by: [{ field: 'colour', order: 'asc' }] },
  ];
  for (const query of bad) expect([query, await find(query)]).toEqual([query, 400]);
});

test('the Edgegap simulator lists applications and versions page by page', async () => {
  const { call } = await simulate();
  const apps = (await call('GET', '/v1/apps')).json;
  expect(apps.applications.map((app: { name: string }) => app.name)).toContain('kart-racing');
  const first = (await call('GET', '/v1/app/arena-shooter/versions')).json;
  const second = (await call('GET', '/v1/app/arena-shooter/versions?page=2')).json;
  expect([first.versions.length, second.versions.length, first.total_count]).toEqual([10, 5, 15]);
  const kart = (await call('GET', '/v1/app/kart-racing/versions')).json.versions;
  expect(
    kart.map((version: { name: string; is_active: boolean }) => [version.name, version.is_active]),
  ).toEqual([
    ['v1.1', false],
    ['v1.2', true],
    ['v1.3', true],
  ]);
  expect((await call('GET', '/v1/app/nothing/versions')).status).toBe(404);
});

test('the simulator lists locations on six continents, and refuses a list of locations for an unknown application', async () => {
  const { call } = await simulate();
  const { json } = await call('GET', '/v1/locations?app=kart-racing&version=v1.2&limit=100');
  expect(json.locations.length).toBe(json.total_count);
  expect(json.total_count).toBeGreaterThanOrEqual(40);
  const continents = new Set(json.locations.map((place: { continent: string }) => place.continent));
  expect(continents.size).toBe(6);
  expect((await call('GET', '/v1/locations?app=nothing')).status).toBe(400);
  expect((await call('GET', '/v1/locations?app=kart-racing&version=nothing')).status).toBe(400);
});
