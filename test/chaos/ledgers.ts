import { enteredAt, type SimulatedDeployment, type SimulatedEvent } from '../../src/simulator/deployment.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { Chat } from './chat.ts';
import type { Door } from './door.ts';

const OWN_TAG = 'chatops-';

/** The records of a run on the side of Edgegap and of the chat. */
export interface Ledgers {
  readonly simulator: Pick<Simulator, 'deployments' | 'callbacks'>;
  readonly chat: Pick<Chat, 'looks' | 'asked' | 'privately'>;
  readonly door: Pick<Door, 'taken'>;
}

export function eventsOf(deployment: SimulatedDeployment): SimulatedEvent[] {
  const phases = { ready: 'READY', error: 'ERROR', terminated: 'TERMINATED' } as const;
  return (['ready', 'error', 'terminated'] as const).filter(
    (event) => enteredAt(deployment, phases[event]) !== undefined,
  );
}

export function tagOf({ tags }: SimulatedDeployment, prefix: string): string | undefined {
  return tags.find(({ name }) => name.startsWith(prefix))?.name;
}

/** The id of the intent of a deployment, read from the deployment's tag. */
export function intentOf(deployment: SimulatedDeployment): string {
  return tagOf(deployment, OWN_TAG)?.slice(OWN_TAG.length) ?? '';
}

export function describe({ request_id, application, version, tags, history }: SimulatedDeployment): string {
  const names = tags.map(({ name }) => name).join(',');
  return `${request_id} (${application} ${version}, ${names}; ${history.map(({ phase }) => phase).join('>')})`;
}
