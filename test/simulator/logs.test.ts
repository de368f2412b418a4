import { expect, test } from 'vitest';
import { simulate, TO_READY } from './harness.ts';

const lines = (text: string) => text.split('\n').slice(0, -1);

test('the log of a simulated server begins with boot lines, grows and never loses earlier lines', async () => {
  const { clock, call, deploy } = await simulate();
  const id = await deploy({ environment_variables: [{ key: 'MODE', value: 'night', is_hidden: false }] });
  const log = async (): Promise<string[]> =>
    lines((await call('GET', `/v1/deployment/${id}/container-logs`)).json.logs);
  expect(await log()).toEqual([]);
  await clock.advance(3200 + 500);
  const boot = await log();
  expect(boot.length).toBe(6);
  await clock.advance(TO_READY);
  const later = await log();
  expect(later.slice(0, boot.length)).toEqual(boot);
  expect(later.some((line) => / ARBITRIUM_DELETE_TOKEN=[0-9a-f]{32}$/.test(line))).toBe(true);
  expect(later.some((line) => line.endsWith('MODE=night'))).toBe(true);
  await clock.advance(60_000);
  const last = await log();
  expect(last.length).toBe(later.length + 30);
  const times = last.map((line) => Date.parse(line.split(' ')[0] ?? ''));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times.at(-1)).toBeLessThanOrEqual(clock.now());
});

test('reading the log of a simulated server repeatedly does not change the log', async () => {
  const often = await simulate();
  const late = await simulate();
  const id = await often.deploy();
  await late.deploy();
  const logs = async ({ call }: typeof often) =>
    (await call('GET', `/v1/deployment/${id}/container-logs`)).json.logs;
  for (let i = 0; i < 40; i++) {
    await often.clock.advance(750);
    await logs(often);
  }
  await late.clock.advance(40 * 750);
  expect(await logs(late)).toBe(await logs(often));
});

test('a test can print a line into the log of a simulated server', async () => {
  const { clock, simulator, call, ready } = await simulate();
  const id = await ready();
  simulator.print(id, 'hello <!channel>');
  await clock.advance(2000);
  const { logs } = (await call('GET', `/v1/deployment/${id}/container-logs`)).json;
  expect(lines(logs).at(-2)).toMatch(/Z hello <!channel>$/);
});

test('the Edgegap simulator can send a log in base64', async () => {
  const { simulator, call, ready } = await simulate({ logEncoding: 'base64' });
  const id = await ready();
  simulator.print(id, 'größe');
  simulator.crash(id, { exit_code: 1, message: 'out of memory' });
  const { json } = await call('GET', `/v1/deployment/${id}/container-logs`);
  expect(json.encoding).toBe('base64');
  expect(Buffer.from(json.logs, 'base64').toString()).toContain('größe');
  expect(Buffer.from(json.crash_logs, 'base64').toString()).toContain('out of memory');
});

test('the crash of a simulated server leaves logs, an exit code and a message, and the log stops growing', async () => {
  const { clock, simulator, call, ready } = await simulate();
  const id = await ready();
  const get = async () => (await call('GET', `/v1/deployment/${id}/container-logs`)).json;
  expect(await get()).toMatchObject({ encoding: 'utf-8', crash_logs: null, crash_data: null });
  simulator.crash(id, { exit_code: 139, message: 'segmentation fault' });
  const crashed = await get();
  expect(crashed.crash_data).toEqual({ exit_code: 139, message: 'segmentation fault', restart_count: 0 });
  expect(crashed.crash_logs).toContain('segmentation fault');
  await clock.advance(60_000);
  expect(await get()).toEqual(crashed);
  expect((await call('GET', `/v1/status/${id}`)).json.error_detail).toContain('139');
});

test('if the container of a simulated deployment is restarted, the deployment stays READY, and the restarts are counted', async () => {
  const { simulator, call, ready } = await simulate();
  const id = await ready();
  simulator.crash(id, { exit_code: 2, message: 'assertion', restarts: true });
  simulator.crash(id, { exit_code: 3, message: 'assertion', restarts: true });
  const { json } = await call('GET', `/v1/deployment/${id}/container-logs`);
  expect(json.crash_data).toEqual({ exit_code: 3, message: 'assertion', restart_count: 2 });
  expect((await call('GET', `/v1/status/${id}`)).json.running).toBe(true);
});

test('the log of a simulated server disappears with its container, unless the deploy named a storage', async () => {
  const { clock, call, ready } = await simulate();
  const [gone, kept] = [await ready(), await ready()];
  await call('DELETE', `/v1/stop/${gone}?container_log_storage=true`);
  await call('DELETE', `/v1/stop/${kept}?container_log_storage=match-logs`);
  await clock.advance(TO_READY);
  expect((await call('GET', `/v1/deployment/${gone}/container-logs`)).status).toBe(404);
  const { status, json } = await call('GET', `/v1/deployment/${kept}/container-logs`);
  expect([status, json.logs_link]).toEqual([200, expect.stringContaining('match-logs')]);
});
