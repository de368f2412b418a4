import { expect, test } from 'vitest';
import { simulate } from './harness.ts';

const HOUR = 3_600_000;

async function running(hours: number) {
  const it = await simulate();
  const id = await it.ready();
  await it.clock.advance(hours * HOUR);
  const metrics = (query = '') => it.call('GET', `/v1/metrics/deployment/${id}${query}`);
  return { ...it, id, metrics };
}

test('a running simulated server has a measurement for each minute since READY', async () => {
  const { metrics } = await running(0.5);
  const { status, json } = await metrics();
  expect(status).toBe(200);
  expect(json.cpu.datasets.length).toBe(30);
  expect(json.cpu.timestamps.length).toBe(30);
  expect(json.cpu.timestamps[0]).toMatch(/^2026-03-03 16:01:00\.000$/);
  expect(Math.max(...json.cpu.datasets)).toBeLessThanOrEqual(512);
  expect(json.network.receive.datasets.every((value: number) => value > 0)).toBe(true);
});

test('a metrics request to the simulator can choose the step and the time window of the measurements', async () => {
  const { metrics } = await running(0.5);
  const window = 'start_time=2026-03-03%2016:05:00.00&end_time=2026-03-03%2016:25:00.00';
  const { json } = await metrics(`?${window}&steps=5m`);
  expect(json.mem.labels).toEqual(['16:05:00', '16:10:00', '16:15:00', '16:20:00', '16:25:00']);
});

test("if nothing was measured for some time, the simulator's answer to a metrics request leaves this time out", async () => {
  const { metrics, simulator, id } = await running(0.5);
  const from = Date.UTC(2026, 2, 3, 16, 10);
  simulator.deployments.get(id)?.unmeasured.push({ from, to: from + 10 * 60_000 });
  const { json } = await metrics();
  expect(json.cpu.labels).toContain('16:09:00');
  expect(json.cpu.labels).not.toContain('16:15:00');
  expect(json.cpu.labels).toContain('16:20:00');
});

test.each(['?steps=2m', '?start_time=yesterday', '?end_time=2026-03-03T16:05:00Z'])(
  'the simulator answers a metrics request with the query "%s" with 400',
  async (query) => {
    const { metrics } = await running(0);
    expect((await metrics(query)).status).toBe(400);
  },
);

test('the simulator answers a metrics request with 422 if the time window ends before it starts', async () => {
  const { metrics } = await running(0);
  const window = 'start_time=2026-03-03%2017:00:00.00&end_time=2026-03-03%2016:00:00.00';
  expect((await metrics(`?${window}`)).status).toBe(422);
});

test('the simulator lists the hosts of a fleet with total and used resources, and refuses an unknown fleet', async () => {
  const { call } = await simulate();
  const { status, json } = await call('GET', '/v2/private-fleets/tournament/hosts?limit=2&page=2');
  expect(status).toBe(200);
  expect(json.total_count).toBe(5);
  expect(json.data[0]).toMatchObject({
    status: 'ACTIVE',
    allocated_cpu_units: 12_928,
    allocatable_cpu_units: 12_928,
  });
  expect(json.data[1]).toMatchObject({ status: 'PENDING', ip_address: null, allocatable_cpu_units: null });
  expect((await call('GET', '/v2/private-fleets/nothing/hosts')).status).toBe(400);
});
