import { expect, test } from 'vitest';
import { legacyOrder, order, simulate } from './harness.ts';

async function burst(count: number, one: () => Promise<{ status: number }>): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) statuses.push((await one()).status);
  return statuses;
}

const passed = (statuses: number[]) => statuses.filter((status) => status !== 429).length;

test('the Edgegap simulator allows 40 deploys, 20 status calls and 10 list calls per second', async () => {
  const { call } = await simulate();
  expect(passed(await burst(45, () => call('POST', '/v2/deployments', order())))).toBe(40);
  expect(passed(await burst(25, () => call('GET', '/v1/status/nobody')))).toBe(20);
  expect(passed(await burst(15, () => call('GET', '/v1/deployments')))).toBe(10);
  expect(passed(await burst(60, () => call('GET', '/v1/apps')))).toBe(60);
});

test('in the Edgegap simulator, each deploy endpoint has a separate rate limit', async () => {
  const { call } = await simulate({ limits: { deploy: 2 } });
  const hosts = { private_host_ids: ['nothing'] };
  for (const [path, body] of [
    ['/v2/deployments', order()],
    ['/v2/private-fleets/deployments', order(hosts)],
    ['/v1/deploy', legacyOrder()],
  ] as const)
    expect(passed(await burst(3, () => call('POST', path, body)))).toBe(2);
});

test("the simulator's rate limit applies to any period of one second, and refused requests do not count", async () => {
  const { clock, call } = await simulate({ limits: { list: 3 } });
  const list = () => call('GET', '/v1/deployments');
  expect(await burst(1, list)).toEqual([200]);
  await clock.advance(600);
  expect(await burst(4, list)).toEqual([200, 200, 429, 429]);
  await clock.advance(399);
  expect(await burst(1, list)).toEqual([429]);
  await clock.advance(1);
  expect(await burst(2, list)).toEqual([200, 429]);
  await clock.advance(600);
  expect(await burst(3, list)).toEqual([200, 200, 429]);
});

test('a 429 of the Edgegap simulator says how long to wait, and the refused request has no effect', async () => {
  const { simulator, call } = await simulate({ limits: { deploy: 1 } });
  await call('POST', '/v2/deployments', order());
  const { status, headers, json } = await call('POST', '/v2/deployments', order());
  expect([status, headers['retry-after'], typeof json.message]).toEqual([429, '1', 'string']);
  expect(simulator.deployments.size).toBe(1);
});
