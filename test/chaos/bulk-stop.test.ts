import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { phaseOf } from '../../src/simulator/deployment.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { createDiscordDriver, groupIds } from '../support/discord-driver.ts';
import { fastClock } from '../support/fast-clock.ts';
import { until } from '../support/test-clock.ts';
import { openFile, openPostgres } from './database.ts';
import { Fleet } from './fleet.ts';

/** A loaded machine takes its time for every start of a process. */
vi.setConfig({ testTimeout: 5 * 60_000 });
const LONG_MS = 90_000;
const FACTOR = 20;

const authorized = ({ token }: Simulator) => ({
  authorization: `token ${token}`,
  'content-type': 'application/json',
});

/** Makes servers without the bot. Resolves with their request_ids when they are ready. */
async function deploy(simulator: Simulator, count: number, tag: string): Promise<string[]> {
  const body = JSON.stringify({
    application: 'kart-racing',
    version: 'v1.2',
    tags: [tag],
    users: [{ user_type: 'geo_coordinates', user_data: { latitude: 45.5, longitude: -73.5 } }],
  });
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const url = `${simulator.url}/v2/deployments`;
    const answer = await fetch(url, { method: 'POST', headers: authorized(simulator), body });
    ids.push(((await answer.json()) as { request_id: string }).request_id);
  }
  await until(() => ids.every((id) => is(simulator, id, 'READY')), 'the servers', LONG_MS);
  return ids;
}

function is(simulator: Simulator, id: string, phase: string): boolean {
  const found = simulator.deployments.get(id);
  return found !== undefined && phaseOf(found) === phase;
}

test.each([
  { database: 'sqlite', replicas: 1 },
  { database: 'postgres', replicas: 2 },
] as const)(
  'two people stop the same servers while processes are killed, Edgegap fails and servers change ($database)',
  async ({ database: name, replicas }) => {
    const folder = mkdtempSync(join(tmpdir(), 'chatops-bulk-'));
    const start = Date.now();
    const clock = fastClock(FACTOR, start);
    const database =
      name === 'sqlite' ? openFile(folder) : await openPostgres(replicas, inject('postgres'), undefined);
    const simulator = await startSimulator({
      clock,
      listLagMs: 1_500,
      limits: { deploy: Number.POSITIVE_INFINITY },
    });
    const driver = await createDiscordDriver({ now: () => clock.now(), responseMs: 8_000 * FACTOR });
    const fleet = new Fleet({
      size: replicas,
      folder,
      environment: (place) => ({
        NODE_COMPILE_CACHE: join(folder, 'compiled'),
        CHAOS_CLOCK: `${FACTOR}:${start}`,
        EDGEGAP_API_TOKEN: simulator.token,
        EDGEGAP_API_URL: simulator.url,
        EDGEGAP_SHARE: '100',
        PORT: '0',
        DATABASE_URL: database.url(place),
        DISCORD_OPERATOR_ROLES: groupIds.operators,
        ...driver.environment,
      }),
    });
    onTestFinished(async () => {
      await fleet.close('SIGKILL');
      await Promise.all([driver.close(), simulator.close()]);
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    });
    await until(() => fleet.complete, 'the processes', LONG_MS);
    await driver.ready({ url: '' });
    await driver.regroup('reader', ['operators']);

    const frozen = await deploy(simulator, 330, 'night');
    const [beside = ''] = await deploy(simulator, 1, 'day');
    const label = 'Stop 330 deployments';
    for (const persona of ['operator', 'reader'] as const) {
      await driver.command(persona, 'bulk-stop', { tag: 'night' });
      const isShown = async () =>
        (await driver.privately(persona)).some(({ buttons }) => buttons.includes(label));
      await until(isShown, `the plan of ${persona}`, LONG_MS);
    }

    // Servers end, lose the tag and start between the plan and the confirmation.
    const ended = frozen.slice(0, 5);
    const untagged = frozen.slice(100, 105);
    for (const id of ended) simulator.terminate(id);
    for (const id of untagged)
      await fetch(`${simulator.url}/v1/deployments/${id}/tags/night`, {
        method: 'DELETE',
        headers: authorized(simulator),
      });
    const late = await deploy(simulator, 5, 'night');
    const { faults } = simulator;
    faults.next({ endpoint: 'stopMany' }, { kind: 'slow', when: 'before', ms: 6_000 });
    faults.next({ endpoint: 'stopMany' }, { kind: 'server-error', when: 'after' });
    faults.next({ endpoint: 'stopMany' }, { kind: 'slow', when: 'after', ms: 6_000 });
    faults.next({ endpoint: 'status' }, { kind: 'server-error', when: 'before' }, 2);
    faults.next({ endpoint: 'list' }, { kind: 'reset', when: 'after' }, 2);
    for (const persona of ['operator', 'reader'] as const) await driver.press(persona, label);

    const stops = () =>
      simulator.requests
        .filter(({ endpoint }) => endpoint === 'stopMany')
        .map(({ body }) => (body as { filters: [{ values: string[] }] }).filters[0].values);
    const strike = async (afterStops: number) => {
      await until(() => stops().length >= afterStops, `${afterStops} stops`, LONG_MS);
      // No process knows from outside which of them carries out the plans, so all of them die.
      const places = Array.from({ length: replicas }, (_, place) => place);
      await Promise.all(places.map((place) => fleet.strike(place, 'SIGKILL')));
      for (const place of places) fleet.start(place);
      await until(() => fleet.complete, 'the processes', LONG_MS);
    };
    await strike(1);
    await strike(3);
    const summaries = async () =>
      (await driver.channel()).flatMap(({ text }) => /Stopped (\d+) deployments?/.exec(text)?.[1] ?? []);
    await until(async () => (await summaries()).length === 2, 'both summaries', LONG_MS);

    const wanted = frozen.filter((id) => !ended.includes(id) && !untagged.includes(id));
    await until(() => wanted.every((id) => is(simulator, id, 'TERMINATED')), 'the ends', LONG_MS);
    for (const id of [...untagged, ...late, beside]) expect(is(simulator, id, 'READY'), id).toBe(true);
    expect([...new Set(stops().flat())].toSorted()).toEqual(wanted.toSorted());
    const counts = (await summaries()).map(Number);
    expect(counts.reduce((sum, count) => sum + count)).toBe(wanted.length);
    const text = (await driver.channel()).map((message) => message.text).join('\n');
    expect(text).not.toContain('Failed (');
    expect(fleet.faults).toEqual([]);
  },
);
