import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { defaultCatalog } from '../../src/simulator/catalog.ts';
import { effectOf, type Stage, stageOn, typeLine } from '../command/harness.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await stageOn('console');
});
afterAll(() => stage?.close());

/** The body of the last request to this endpoint. */
function sentTo(wanted: string): Record<string, unknown> {
  const { body = {} } = stage.simulator.requests.findLast(({ endpoint }) => endpoint === wanted) ?? {};
  return body as Record<string, unknown>;
}

/** Deploys, and returns the hosts in the request to Edgegap. */
async function hostsOf(options: string): Promise<unknown> {
  const line = `deploy kart-racing v1.2 --fleet tournament ${options}`;
  const { publicly } = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line));
  expect(publicly[0]?.text).toContain('tournament, ');
  return sentTo('deployToFleet').private_host_ids;
}

test('without a named host, a deploy to a fleet uses the active hosts with room, the nearest first', async () => {
  expect(await hostsOf('--near Toronto')).toEqual([
    'tournament-toronto-1',
    'tournament-montreal-0',
    'tournament-ashburn-4',
  ]);
  expect(await hostsOf('--near 38.9,-77.4')).toEqual([
    'tournament-ashburn-4',
    'tournament-toronto-1',
    'tournament-montreal-0',
  ]);
});

test('if a deploy to a fleet gives only addresses of players, the host with the most room comes first', async () => {
  expect(await hostsOf('--ip 203.0.113.7')).toEqual([
    'tournament-montreal-0',
    'tournament-ashburn-4',
    'tournament-toronto-1',
  ]);
});

test('if a deploy to a fleet names a host but no location, the server is deployed near the first host', async () => {
  expect(await hostsOf('--host tournament-toronto-1 --host tournament-montreal-0')).toEqual([
    'tournament-toronto-1',
    'tournament-montreal-0',
  ]);
  expect(sentTo('deployToFleet').users).toEqual([
    { user_type: 'geo_coordinates', user_data: { latitude: 43.6532, longitude: -79.3832 } },
  ]);
});

test('if Edgegap gives no location for the host that a deploy names, the default location is used', async () => {
  const [fleet, ...fleets] = defaultCatalog.fleets ?? [];
  const hosts = fleet?.hosts.map((host) => ({ ...host, city: {} }));
  const catalog = { ...defaultCatalog, fleets: [{ ...fleet, hosts }, ...fleets] } as typeof defaultCatalog;
  const environment = { DEFAULT_NEAR: 'Tokyo' };
  const unmapped = await stageOn('console', { environment, simulator: { catalog } });
  onTestFinished(() => unmapped.close());
  const line = 'deploy kart-racing v1.2 --fleet tournament --host tournament-toronto-1';
  const { publicly } = await effectOf(unmapped, 'operator', () => typeLine(unmapped, 'operator', line));
  expect(publicly[0]?.text).toContain('near Tokyo');
});

test('a deploy to a fleet uses only hosts with room for the resources of the deployment', async () => {
  expect(await hostsOf('--near Toronto --cpu 10000 --memory 10000')).toEqual(['tournament-montreal-0']);
});

test('"deploy" accepts several cities if the option --near is repeated, and a repeated city counts once', async () => {
  const line = 'deploy kart-racing v1.2 --near Montreal --near "Paris; montréal" --near -33.87,151.21';
  await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line));
  expect(sentTo('deploy').users).toEqual([
    {
      user_type: 'geo_coordinates',
      user_data: expect.objectContaining({ latitude: expect.closeTo(45.5, 0) }),
    },
    {
      user_type: 'geo_coordinates',
      user_data: expect.objectContaining({ latitude: expect.closeTo(48.9, 0) }),
    },
    { user_type: 'geo_coordinates', user_data: { latitude: -33.87, longitude: 151.21 } },
  ]);
});
