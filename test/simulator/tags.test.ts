import { expect, test } from 'vitest';
import { simulate } from './harness.ts';

test('in the Edgegap simulator, a tag can be added, read, renamed, removed and listed', async () => {
  const { clock, call, deploy } = await simulate();
  const at = `/v1/deployments/${await deploy({ tags: ['qa'] })}/tags`;
  await clock.advance(1000);
  expect((await call('POST', at, { name: 'a b/ü' })).json).toEqual({
    name: 'a b/ü',
    create_time: '2026-03-03 16:00:01.000000',
    last_updated: '2026-03-03 16:00:01.000000',
  });
  const one = `${at}/${encodeURIComponent('a b/ü')}`;
  expect((await call('GET', one)).json.name).toBe('a b/ü');
  await clock.advance(1000);
  expect((await call('PATCH', one, { name: 'night' })).json).toMatchObject({
    name: 'night',
    create_time: '2026-03-03 16:00:01.000000',
    last_updated: '2026-03-03 16:00:02.000000',
  });
  expect((await call('GET', one)).status).toBe(404);
  const removed = await call('DELETE', `${at}/qa`);
  expect([removed.status, removed.text]).toEqual([204, '']);
  const { json } = await call('GET', at);
  expect([json.tags.map((tag: { name: string }) => tag.name), json.total_count]).toEqual([['night'], 1]);
});

test('in the Edgegap simulator, a new tag appears in the status and in the list', async () => {
  const { call, deploy } = await simulate();
  const id = await deploy();
  await call('POST', `/v1/deployments/${id}/tags`, { name: 'late' });
  expect((await call('GET', `/v1/status/${id}`)).json.tags).toEqual(['late']);
  expect((await call('GET', '/v1/deployments')).json.data[0].tags).toEqual(['late']);
});

test('the Edgegap simulator refuses a tag name that already exists, is missing, is unknown or is too long', async () => {
  const { call, deploy } = await simulate();
  const at = `/v1/deployments/${await deploy({ tags: ['qa', 'night'] })}/tags`;
  const status = async (method: string, path: string, body?: unknown) =>
    (await call(method, at + path, body)).status;
  expect(await status('POST', '', { name: 'qa' })).toBe(409);
  expect(await status('PATCH', '/night', { name: 'qa' })).toBe(409);
  expect(await status('PATCH', '/night', { name: 'night' })).toBe(200);
  expect(await status('POST', '', { name: '' })).toBe(400);
  expect(await status('POST', '', {})).toBe(400);
  expect(await status('POST', '', 'name=x')).toBe(400);
  expect(await status('POST', '', { name: 'x'.repeat(20) })).toBe(200);
  expect(await status('POST', '', { name: 'x'.repeat(21) })).toBe(400);
  expect(await status('GET', '/nobody')).toBe(404);
  expect(await status('PATCH', '/nobody', { name: 'y' })).toBe(404);
  expect(await status('DELETE', '/nobody')).toBe(404);
});

test('a setting of the Edgegap simulator can raise the maximum length of a tag', async () => {
  const { call, deploy } = await simulate({ maxTagLength: 40 });
  const at = `/v1/deployments/${await deploy()}/tags`;
  expect((await call('POST', at, { name: 'x'.repeat(40) })).status).toBe(200);
  expect((await call('POST', at, { name: 'x'.repeat(41) })).status).toBe(400);
});

test('the Edgegap simulator lists the tags of a deployment page by page', async () => {
  const { call, deploy } = await simulate();
  const id = await deploy({ tags: Array.from({ length: 12 }, (_, n) => `tag-${n}`) });
  const { json } = await call('GET', `/v1/deployments/${id}/tags?page=2`);
  expect([json.tags.length, json.total_count, json.pagination.has_next]).toEqual([2, 12, false]);
});
