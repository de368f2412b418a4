import { expect, test } from 'vitest';
import { order, simulate, TO_READY } from './harness.ts';

const EMPTY = 'tournament-montreal-0';

async function fleet() {
  const it = await simulate({ limits: { deploy: 1000, list: 1000, hosts: 1000 } });
  const hosts = async (): Promise<{ host_id: string; [field: string]: unknown }[]> =>
    (await it.call('GET', '/v2/private-fleets/tournament/hosts')).json.data;
  const ids = (await hosts()).map(({ host_id }) => host_id);
  const deploy = (private_host_ids: unknown, other: Record<string, unknown> = {}) =>
    it.call('POST', '/v2/private-fleets/deployments', order({ private_host_ids, ...other }));
  const hostOf = (id: string) => it.simulator.deployments.get(id)?.extras.host_name;
  return { ...it, hosts, ids, deploy, hostOf };
}

test.each([
  ['without a list of hosts', undefined],
  ['with an empty list of hosts', []],
  ['with the same host twice', [EMPTY, EMPTY]],
])('the Edgegap simulator refuses a fleet deploy %s and creates no deployment', async (_, hosts) => {
  const { simulator, deploy } = await fleet();
  const { status, json } = await deploy(hosts);
  expect([status, typeof json.message]).toEqual([400, 'string']);
  expect(simulator.deployments.size).toBe(0);
});

test('in the Edgegap simulator, a fleet deploy uses the first host with room and runs in the city of this host', async () => {
  const { deploy, ids, hosts, hostOf, clock, call } = await fleet();
  const [empty = '', half = '', full = '', pending = ''] = ids;
  const { status, json } = await deploy([pending, full, half, empty]);
  expect([status, Object.keys(json), hostOf(json.request_id)]).toEqual([202, ['request_id'], half]);
  await clock.advance(TO_READY);
  const host = (await hosts()).find(({ host_id }) => host_id === half);
  const shown = (await call('GET', `/v1/status/${json.request_id}`)).json;
  expect([shown.location.city, shown.public_ip]).toEqual([host?.city, host?.ip_address]);
});

test('in the Edgegap simulator, if a host is full, a fleet deploy uses the next host, and finally the cloud', async () => {
  const { deploy, ids, hosts, hostOf, simulator } = await fleet();
  const [empty = '', half = ''] = ids;
  const resources = { cpu_units: 6000, memory_mib: 6000 };
  const made: string[] = [];
  for (let i = 0; i < 5; i++) made.push((await deploy([empty, half], { resources })).json.request_id);
  expect(made.map(hostOf)).toEqual([empty, empty, half, undefined, undefined]);
  const before = (await hosts()).find(({ host_id }) => host_id === empty);
  expect([before?.allocated_cpu_units, before?.allocated_memory_mb]).toEqual([12_000, 12_000]);
  simulator.terminate(made[0] ?? '');
  expect(hostOf((await deploy([empty], { resources })).json.request_id)).toBe(empty);
});

test('in the Edgegap simulator, a fleet deploy that names only unknown hosts runs in the cloud', async () => {
  const { deploy, hostOf } = await fleet();
  const { status, json } = await deploy(['nothing']);
  expect([status, hostOf(json.request_id)]).toEqual([202, undefined]);
});

test('the Edgegap simulator can list the deployments of a fleet and of a host', async () => {
  const { deploy, call } = await fleet();
  const { request_id } = (await deploy([EMPTY])).json;
  await call('POST', '/v2/deployments', order());
  for (const [field, operator, value] of [
    ['fleet_name', 'eq', 'tournament'],
    ['host_name', 'ilike', 'TOURNAMENT-MON%'],
  ]) {
    const query = JSON.stringify({ filters: [{ field, operator, value }] });
    const { json } = await call('GET', `/v1/deployments?query=${encodeURIComponent(query)}`);
    expect(json.data.map((row: { request_id: string }) => row.request_id)).toEqual([request_id]);
  }
});

test('in the Edgegap simulator, a fleet deploy without room is refused and leaves a deployment in ERROR', async () => {
  const { deploy, simulator } = await fleet();
  simulator.faults.next({ endpoint: 'deployToFleet' }, { kind: 'cannot-allocate' });
  const { status, json } = await deploy([EMPTY]);
  expect(status).toBe(422);
  expect(simulator.deployments.get(json.request_id)?.history.at(-1)?.phase).toBe('ERROR');
});
