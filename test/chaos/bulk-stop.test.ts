import { expect, test, vi } from 'vitest';
import { phaseOf } from '../../src/simulator/deployment.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { until } from '../support/test-clock.ts';
import { LONG_MS, openProcesses } from './processes.ts';

/** On a busy machine, each start of a process takes long. */
vi.setConfig({ testTimeout: 5 * 60_000 });

const authorized = ({ token }: Simulator) => ({
  authorization: `token ${token}`,
  'content-type': 'application/json',
});

/** Deploys servers without the bot. Resolves with their request_ids when the servers are ready. */
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
  'several people can "bulk-stop" the same servers while processes are killed, Edgegap fails and servers change ($database)',
  async ({ database: name, replicas }) => {
    const { simulator, driver, fleet, strike: strikeAt } = await openProcesses(name, replicas);
    await driver.regroup('reader', ['operators']);

    const frozen = await deploy(simulator, 330, 'night');
    const [beside = ''] = await deploy(simulator, 1, 'day');
    const label = 'Stop 330 servers';
    for (const persona of ['operator', 'reader'] as const) {
      await driver.command(persona, 'bulk-stop', { tag: 'night' });
      const isShown = async () =>
        (await driver.privately(persona)).some(({ buttons }) => buttons.includes(label));
      await until(isShown, `the plan of ${persona}`, LONG_MS);
    }

    // Between the plan and the confirmation, servers end, lose the tag and start.
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
      // The test does not know which process carries out the plans, so all processes are killed.
      await strikeAt(Array.from({ length: replicas }, (_, place) => place));
    };
    await strike(1);
    await strike(3);
    const summaries = async () =>
      (await driver.channel()).flatMap(
        ({ text }) => /Stopped (\d+) (?:of \d+ )?servers?/.exec(text)?.[1] ?? [],
      );
    await until(async () => (await summaries()).length === 2, 'both summaries', LONG_MS);

    const wanted = frozen.filter((id) => !ended.includes(id) && !untagged.includes(id));
    await until(() => wanted.every((id) => is(simulator, id, 'TERMINATED')), 'the ends', LONG_MS);
    for (const id of [...untagged, ...late, beside]) expect(is(simulator, id, 'READY'), id).toBe(true);
    expect([...new Set(stops().flat())].toSorted()).toEqual(wanted.toSorted());
    const counts = (await summaries()).map(Number);
    expect(counts.reduce((sum, count) => sum + count)).toBe(wanted.length);
    const text = (await driver.channel()).map((message) => message.text).join('\n');
    expect(text).not.toContain('Not stopped (');
    expect(fleet.faults).toEqual([]);
  },
);
