import { expect } from 'vitest';
import { openStage, type Process, type Stage } from '../answers/harness.ts';
import { phase } from '../command/harness.ts';
import type { Persona, Values, VisibleMessage } from '../support/chat-driver.ts';
import { until } from '../support/test-clock.ts';

/** A stage on which many servers run that were not deployed from chat. */
export interface Studio extends Stage {
  /** Creates ready servers with this tag. Resolves with their request_ids, oldest first. */
  servers(count: number, tag: string): Promise<string[]>;
  /** Types the command. Resolves with the plan that the person gets. */
  plan(name: string, values: Values, persona?: Persona): Promise<VisibleMessage>;
  press(label: string, persona?: Persona): Promise<void>;
  /** Resolves with the newest message in the channel that has this text, when there is such a message. */
  shown(text: string | RegExp): Promise<VisibleMessage>;
  /** The request_ids in each request to stop many deployments. */
  sent(): string[][];
  process: Process;
}

export async function openStudio(name: Stage['name'] = 'slack-http'): Promise<Studio> {
  const stage = await openStage(name);
  const { driver, simulator } = stage;
  const privately = async (persona: Persona) => await driver.privately(persona);
  const studio: Studio = {
    ...stage,
    process: await stage.start(),
    async servers(count, tag) {
      const had = new Set(simulator.deployments.keys());
      for (let n = 0; n < count; n++) await deploy(stage, tag);
      const ids = [...simulator.deployments.keys()].filter((id) => !had.has(id));
      await until(() => ids.every((id) => phase(simulator, id) === 'READY'), 'the servers to be ready');
      return ids;
    },
    async plan(command, values, persona = 'operator') {
      const before = (await privately(persona)).length;
      await driver.command(persona, command, values);
      return await until(
        async () =>
          (await privately(persona)).slice(before).find(({ buttons }) => buttons.includes('Cancel')),
        `the plan of ${command}`,
      );
    },
    press: (label, persona = 'operator') => driver.press(persona, label),
    shown: (text) =>
      until(
        async () => (await driver.channel()).findLast((message) => message.text.match(text)),
        `a message with ${text}`,
      ),
    sent: () =>
      simulator.requests
        .filter(({ endpoint }) => endpoint === 'stopMany')
        .map(({ body }) => (body as { filters: [{ values: string[] }] }).filters[0].values),
  };
  return studio;
}

async function deploy({ simulator }: Stage, tag: string): Promise<void> {
  const response = await fetch(`${simulator.url}/v2/deployments`, {
    method: 'POST',
    headers: headers(simulator),
    body: JSON.stringify({
      application: 'kart-racing',
      version: 'v1.2',
      tags: [tag],
      users: [{ user_type: 'geo_coordinates', user_data: { latitude: 45.5, longitude: -73.5 } }],
    }),
  });
  expect(response.status).toBe(202);
}

/** Makes a change at Edgegap without the bot, as a person can do in the dashboard. */
export async function elsewhere({ simulator }: Stage, method: string, path: string): Promise<void> {
  await fetch(`${simulator.url}${path}`, { method, headers: headers(simulator) });
}

function headers({ token }: Stage['simulator']): Record<string, string> {
  return { authorization: `token ${token}`, 'content-type': 'application/json' };
}

/** How many of the requests contain each request_id. */
export function timesSent(sent: readonly string[][]): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const id of sent.flat()) times.set(id, (times.get(id) ?? 0) + 1);
  return times;
}
