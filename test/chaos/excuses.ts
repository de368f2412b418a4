import { type CallbackEvent, phaseOf, type SimulatedDeployment } from '../../src/simulator/deployment.ts';
import { wordsOf } from './cards.ts';
import type { Look } from './chat.ts';
import { eventsOf, intentOf, type Ledgers, tagOf } from './ledgers.ts';
import type { StoreFacts } from './store-facts.ts';

/** Edgegap's one attempt to tell it failed, and by now its status says something else than what was never seen. */
export function isOvertaken(
  ledgers: Ledgers,
  deployment: SimulatedDeployment,
  event: CallbackEvent,
  store: StoreFacts | undefined,
): boolean {
  if (event !== 'ready' || phaseOf(deployment) === 'READY') return false;
  if (store?.untold.has(deployment.request_id)) return false;
  return !isTaken(ledgers, deployment, event);
}

/** It was over before anything told us its request_id, and the channel knows that it may have started. */
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

/** Whether Edgegap's word of it has reached the bot, which then tells of it. */
function isTaken(
  { simulator, door }: Ledgers,
  { request_id }: SimulatedDeployment,
  event: CallbackEvent,
): boolean {
  return simulator.callbacks.some(
    (one) =>
      one.request_id === request_id && one.event === event && door.taken.has(new URL(one.url).pathname),
  );
}
