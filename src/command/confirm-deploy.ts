import { randomUUID } from 'node:crypto';
import type { Button, Card } from '../chat/card.ts';
import { ageOf } from '../clock.ts';
import type { DeployPlan } from '../deployments/deployment.ts';
import { InputError } from '../errors.ts';
import { theyRun } from '../guard/refusals.ts';
import type { Asker, CheckContext } from './define.ts';
import { Question } from './question.ts';

/** A question is closed after this time, because by then the person may have forgotten which servers are running. */
const ANSWER_MS = 15 * 60_000;

/** An order of a person for which no intent exists yet. */
export interface Wanted {
  readonly application: string;
  readonly version: string;
  readonly plan: DeployPlan;
  /** The id of a lost deployment that the new deployment replaces. */
  readonly replaces?: string;
}

type Needed = Pick<CheckContext<unknown>, 'guard' | 'payloads' | 'clock' | 'asker'>;

/** Throws RefusedError if a limit is reached, and throws a Question if the person has to confirm the deploy first. */
export async function mayDeploy({ guard, payloads, clock, asker }: Needed, wanted: Wanted): Promise<void> {
  await guard.check(asker);
  const running = await guard.toConfirm();
  if (running === undefined) return;
  // Because of the nonce, a person who gives the same order twice gets two questions. Each question allows one deploy.
  const asked = { wanted, asker: whoIs(asker), askedAt: clock.now(), nonce: randomUUID() };
  const card = question(wanted, running, await payloads.keep(asked));
  throw new Question('confirm-deploy', 'A deploy has to be confirmed, and I could not ask. Try again.', card);
}

/** The order behind the button of a question. Throws InputError if the question is no longer open. */
export async function confirmedOrder({ payloads, clock, asker }: Needed, key: string): Promise<Wanted> {
  const asked = await payloads.get(key);
  if (asked?.asker !== whoIs(asker)) throw answered();
  if (ageOf(Number(asked.askedAt), clock.now()) > ANSWER_MS)
    throw new InputError('confirm-late', 'I asked you more than 15 minutes ago.', {
      hint: 'Nothing was deployed. Run deploy again.',
    });
  return asked.wanted as Wanted;
}

export function answered(): InputError {
  return new InputError('confirm-answered', 'That question was answered already.', {
    hint: 'Nothing more was deployed. Run deploy again for another one.',
  });
}

function whoIs({ id, at: { platform, workspace } }: Asker): string {
  return JSON.stringify([platform, workspace, id]);
}

function question({ application, version, plan }: Wanted, running: number, arg: string): Card {
  const button = (label: string, style: 'primary' | 'secondary', action: string): Button => ({
    label,
    style,
    action: { command: 'deploy', action, arg },
  });
  const fields = [
    { label: 'Location', value: [plan.place] },
    ...(plan.tags.length > 0 ? [{ label: 'Tags', value: [plan.tags.join(', ')] }] : []),
  ];
  return {
    kind: 'card',
    tone: 'warning',
    title: [`Deploy ${application} ${version}?`],
    nodes: [
      { kind: 'fields', fields },
      {
        kind: 'text',
        text: [
          running === 0 ? 'No deployment from chat runs now.' : `${theyRun(running, 'from chat ')} already.`,
        ],
      },
      {
        kind: 'buttons',
        buttons: [button('Deploy', 'primary', 'confirm'), button('Cancel', 'secondary', 'cancel')],
      },
    ],
  };
}
