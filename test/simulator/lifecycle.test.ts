import { expect, test } from 'vitest';
import { near, order, simulate, TO_READY } from './harness.ts';

const durations = {
  initializing: 100,
  seeking: 200,
  seeked: 300,
  scanning: 400,
  deploying: 500,
  terminating: 600,
};

test('in the Edgegap simulator, a deployment stays in each phase for the configured time', async () => {
  const { clock, call, deploy } = await simulate({ durations });
  const id = await deploy();
  const seen: string[] = [];
  for (const ms of [0, 100, 200, 300, 400, 499, 1]) {
    await clock.advance(ms);
    seen.push((await call('GET', `/v1/status/${id}`)).json.current_status);
  }
  expect(seen).toEqual(
    ['INITIALIZING', 'SEEKING', 'SEEKED', 'SCANNING', 'DEPLOYING', 'DEPLOYING', 'READY'].map(
      (phase) => `Status.${phase}`,
    ),
  );
});

test("a status answer of the Edgegap simulator contains the facts that are known so far, and a running server's address", async () => {
  const { clock, call, deploy } = await simulate({ durations });
  const id = await deploy({ tags: ['qa', 'qa', 'night'] });
  const early = (await call('GET', `/v1/status/${id}`)).json;
  expect(early).toMatchObject({ running: false, error: false, public_ip: '', elapsed_time: 0 });
  expect(early.ports).toBeUndefined();
  expect(early.start_time).toBe('2026-03-03 16:00:00.000000');

  await clock.advance(1500 + 42_500);
  const { json } = await call('GET', `/v1/status/${id}`);
  expect(json).toMatchObject({
    request_id: id,
    fqdn: `${id}.pr.edgegap.net`,
    app_name: 'kart-racing',
    app_version: 'v1.2',
    running: true,
    last_status: 'Status.DEPLOYING',
    start_time: '2026-03-03 16:00:01.500000',
    elapsed_time: 42,
    max_duration: 60,
    tags: ['qa', 'night'],
    location: { city: 'Montreal', country: 'Canada' },
  });
  const { gameport } = json.ports;
  expect(gameport).toMatchObject({ name: 'gameport', internal: 7777, protocol: 'UDP', tls_upgrade: false });
  expect(gameport.link).toBe(`${id}.pr.edgegap.net:${gameport.external}`);
  expect(Object.keys(json.ports)).toEqual(['gameport', 'http']);
});

test('request_ids of the simulator have 12 hex characters, differ in their first characters and are the same in every run', async () => {
  const first = await simulate({ limits: { deploy: 100 } });
  const second = await simulate({ limits: { deploy: 100 } });
  const ids: string[] = [];
  for (let i = 0; i < 30; i++) ids.push(await first.deploy());
  expect(ids.every((id) => /^[0-9a-f]{12}$/.test(id))).toBe(true);
  expect(new Set(ids.map((id) => id.slice(0, 4))).size).toBe(30);
  expect(await second.deploy()).toBe(ids[0]);
});

test('the Edgegap simulator puts a deployment near the players', async () => {
  const { simulator, deploy } = await simulate();
  const city = async (...users: object[]) => simulator.deployments.get(await deploy({ users }))?.city.city;
  expect(await city(near(35.6, 139.7))).toBe('Tokyo');
  expect(await city(near(48.8, 2.3), near(48.9, 2.4), near(51.5, -0.1))).toBe('Paris');
  const address = { user_type: 'ip_address', user_data: { ip_address: '2001:db8::7' } };
  expect(await city(address)).toBe(await city(address));
});

test('the simulator answers the first stop of a running deployment with 200, the second with 202 and the third with 410', async () => {
  const { clock, call, ready } = await simulate({ durations });
  const id = await ready();
  const stopped = await call('DELETE', `/v1/stop/${id}`);
  expect(stopped.status).toBe(200);
  expect(stopped.json.deployment_summary.current_status).toBe('Status.TERMINATING');
  expect((await call('DELETE', `/v1/stop/${id}`)).status).toBe(202);
  await clock.advance(600);
  expect((await call('DELETE', `/v1/stop/${id}`)).status).toBe(410);
  expect((await call('GET', `/v1/status/${id}`)).json).toMatchObject({
    current_status: 'Status.TERMINATED',
    running: false,
    removal_time: '2026-03-03 16:00:10.600000',
  });
});

test('in the Edgegap simulator, a stop of a starting deployment takes effect when the deployment is READY', async () => {
  const { clock, simulator, call, deploy } = await simulate({ durations });
  const id = await deploy();
  await clock.advance(700);
  expect((await call('DELETE', `/v1/stop/${id}`)).status).toBe(202);
  await clock.advance(TO_READY);
  const phases = simulator.deployments.get(id)?.history.map((entry) => entry.phase);
  expect(phases?.slice(-4)).toEqual(['DEPLOYING', 'READY', 'TERMINATING', 'TERMINATED']);
});

test('in the Edgegap simulator, a failed deployment can be stopped', async () => {
  const { clock, simulator, call, ready } = await simulate({ durations });
  const id = await ready();
  simulator.fail(id, 'The host went away');
  expect((await call('GET', `/v1/status/${id}`)).json).toMatchObject({
    current_status: 'Status.ERROR',
    running: false,
    error: true,
    error_detail: 'The host went away',
  });
  expect((await call('DELETE', `/v1/stop/${id}`)).status).toBe(200);
  await clock.advance(600);
  expect((await call('DELETE', `/v1/stop/${id}`)).status).toBe(410);
});

test('in the Edgegap simulator, a deployment ends after its time limit, or at once if a test requests the end', async () => {
  const { clock, simulator, call, ready } = await simulate({ durations });
  const status = async (id: string) => (await call('GET', `/v1/status/${id}`)).json.current_status;
  const told = await ready();
  const unlimited = await ready({ application: 'lobby-chat', version: 'stable' });
  const limited = await ready();
  simulator.terminate(told);
  expect(await status(told)).toBe('Status.TERMINATED');
  await clock.advance(60 * 60_000);
  expect(await status(limited)).toBe('Status.TERMINATED');
  expect(await status(unlimited)).toBe('Status.READY');
});

test('in the simulator, each version of the application "trouble" fails in the way that the version\'s name says', async () => {
  const { clock, call, deploy } = await simulate();
  const refused = await call(
    'POST',
    '/v2/deployments',
    order({ application: 'trouble', version: 'no-capacity' }),
  );
  expect(refused.status).toBe(422);
  expect((await call('GET', `/v1/status/${refused.json.request_id}`)).json.current_status).toBe(
    'Status.ERROR',
  );

  const noImage = await deploy({ application: 'trouble', version: 'no-image' });
  const crashes = await deploy({ application: 'trouble', version: 'crashes' });
  await clock.advance(TO_READY + 3000);
  expect((await call('GET', `/v1/status/${noImage}`)).json.error_detail).toContain('could not be pulled');
  expect((await call('GET', `/v1/status/${crashes}`)).json).toMatchObject({
    last_status: 'Status.READY',
    error: true,
  });
});

test('closing the Edgegap simulator cancels all its timers', async () => {
  const { clock, simulator, deploy } = await simulate();
  await deploy();
  await deploy();
  expect(clock.pending).toBeGreaterThan(0);
  await simulator.close();
  expect(clock.pending).toBe(0);
  await expect(deploy()).rejects.toThrow();
});
