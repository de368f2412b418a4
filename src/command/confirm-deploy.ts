import { randomUUID } from 'node:crypto';
import type { Button, Card } from '../chat/card.ts';
import { fieldsOf } from '../chat/facts.ts';
import { ageOf } from '../clock.ts';
import type { OrderDetails } from '../deployments/deployment.ts';
import { orderFields } from '../deployments/order-fields.ts';
import { InputError } from '../errors.ts';
import { theyRun } from '../guard/refusals.ts';
import type { CheckContext } from './define.ts';
import { Question } from './question.ts';
import { whoIs } from './who-is.ts';

/**
 * How long the person can answer the question, in milliseconds. Later, the person may have forgotten which servers are
 * running.
 */
const ANSWER_MS = 15 * 60_000;

/** A deploy that a person wants. The bot has not stored an intent for the deploy yet. */
export interface Wanted {
  readonly application: string;
  readonly version: string;
  readonly plan: OrderDetails;
  /** The id of a lost deployment that the new deployment replaces. */
  readonly replaces?: string;
}

type Needed = Pick<CheckContext<unknown>, 'guard' | 'payloads' | 'clock' | 'asker'>;

/**
 * Checks whether the person may deploy now. Throws RefusedError if a limit is reached. Throws a Question if the person
 * has to confirm the deploy first.
 */
export async function mayDeploy(needed: Needed, wanted: Wanted): Promise<void> {
  await needed.guard.check(needed.asker);
  const running = await needed.guard.toConfirm();
  if (running !== undefined) await askFirst(needed, wanted, runningText(running));
}

/**
 * Asks the person to confirm that an earlier order is deployed again. Throws a Question, or RefusedError if a limit is
 * reached. The question says which parts of the earlier order are left out: variables whose values the bot did not
 * keep, and a private fleet.
 */
export async function askToRepeat(
  needed: Needed,
  wanted: Wanted,
  { lost, fleet }: { readonly lost: readonly string[]; readonly fleet?: string | undefined },
): Promise<never> {
  await needed.guard.check(needed.asker);
  const running = await needed.guard.toConfirm();
  const missing = `The values of variables are not kept, so these variables are left out: ${lost.join(', ')}. To set them, use the command deploy.`;
  const texts = [
    ...(lost.length > 0 ? [missing] : []),
    ...(fleet ? [`The private fleet ${fleet} is left out, because its hosts stay in their city.`] : []),
    ...(running === undefined ? [] : [runningText(running)]),
  ];
  return await askFirst(needed, wanted, texts.join(' '));
}

async function askFirst({ payloads, clock, asker }: Needed, wanted: Wanted, text: string): Promise<never> {
  // The nonce makes each question unique. If a person gives the same order twice, each of the two questions allows a
  // deploy.
  const asked = { wanted, asker: whoIs(asker), askedAt: clock.now(), nonce: randomUUID() };
  const card = question(wanted, text, await payloads.keepFor(ANSWER_MS, asked));
  throw new Question('confirm-deploy', 'A deploy has to be confirmed, and I could not ask. Try again.', card);
}

/**
 * The order that belongs to the question with this key. Throws InputError if the question can no longer be answered.
 */
export async function confirmedOrder({ payloads, clock, asker }: Needed, key: string): Promise<Wanted> {
  const asked = await payloads.get(key);
  if (asked?.asker !== whoIs(asker) || ageOf(Number(asked.askedAt), clock.now()) > ANSWER_MS)
    throw answered();
  return asked.wanted as Wanted;
}

export function answered(): InputError {
  return new InputError(
    'confirm-closed',
    'That question was answered already, or I asked you more than 15 minutes ago.',
    { hint: 'Nothing more was deployed. Use `deploy` for another server.' },
  );
}

function runningText(running: number): string {
  return running === 0 ? 'No server from chat runs now.' : `${theyRun(running, 'from chat ')} already.`;
}

function question({ application, version, plan }: Wanted, text: string, arg: string): Card {
  const button = (label: string, style: 'primary' | 'secondary', action: string): Button => ({
    label,
    style,
    action: { command: 'deploy', action, arg },
  });
  const { fields } = fieldsOf({ Location: plan.place, Tags: plan.tags.join(', ') });
  const buttons = [button('Deploy', 'primary', 'confirm'), button('Cancel', 'secondary', 'cancel')];
  return {
    kind: 'card',
    tone: 'warning',
    title: [`Deploy ${application} ${version}?`],
    nodes: [
      { kind: 'fields', fields: [...fields, ...orderFields(plan, version)] },
      ...(text === '' ? [] : [{ kind: 'text', text: [text] } as const]),
      { kind: 'buttons', buttons },
    ],
  };
}
