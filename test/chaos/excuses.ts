import { phaseOf, type SimulatedDeployment, type SimulatedEvent } from '../../src/simulator/deployment.ts';
import { wordsOf } from './cards.ts';
import type { Look } from './chat.ts';
import { eventsOf, intentOf, type Ledgers, tagOf } from './ledgers.ts';
import type { StoreFacts } from './store-facts.ts';

/** Whether Edgegap's only callback for the event failed, and the deployment has reached a later status since. */
export function isOvertaken(
  ledgers: Ledgers,
  deployment: SimulatedDeployment,
  event: SimulatedEvent,
  store: StoreFacts | undefined,
): boolean {
  if (event !== 'ready' || phaseOf(deployment) === 'READY') return false;
  if (store?.untold.has(deployment.request_id)) return false;
  return !isTaken(ledgers, deployment, event);
}

/**
 * Whether the deployment ended before the bot learned the request_id, and a message in the channel says that the
 * deployment may have started.
 */
export function isUnfound(
  ledgers: Ledgers,
  deployment: SimulatedDeployment,
  looks: readonly Look[],
  store: StoreFacts | undefined,
): boolean {
  const intent = store?.intents.get(intentOf(deployment));
  if (phaseOf(deployment) !== 'TERMINATED' || (store && intent?.phase !== 'lost')) return false;
  if (eventsOf(deployment).some((event) => isTaken(ledgers, deployment, event))) return false;
  const ask = tagOf(deployment, 'ask-');
  return looks.some(({ text }) => text.includes(wordsOf('LOST')) && text.includes(ask ?? wordsOf('LOST')));
}

/** Whether Edgegap's callback has reached the bot, so that the bot must report the event. */
function isTaken(
  { simulator, door }: Ledgers,
  { request_id }: SimulatedDeployment,
  event: SimulatedEvent,
): boolean {
  return simulator.callbacks.some(
    (one) =>
      one.request_id === request_id && one.event === event && door.taken.has(new URL(one.url).pathname),
  );
}
