/* Plans to change many deployments: the question, and the buttons of a plan. */
import { planBegun, planQuestion } from '../bulk/cards.ts';
import { type Found, findTargets, type Wanted } from '../bulk/find.ts';
import type { Change } from '../bulk/plan.ts';
import type { Card } from '../chat/card.ts';
import { counted } from '../chat/facts.ts';
import { InputError } from '../errors.ts';
import type { Action, CheckContext, Context } from './define.ts';
import type { Permission } from './permissions.ts';

interface Asked extends Pick<Wanted, 'filter'> {
  readonly change: Change;
  /** The whole filter in words. */
  readonly words: string;
}

type Finding = CheckContext<unknown> & Partial<Pick<Context<unknown>, 'respond'>>;

interface Spared {
  /** The request_id of the bot's own deployment, if the plan is to leave out this deployment. */
  readonly spared?: string | undefined;
}

/** Finds the deployments that match. Throws InputError if no deployment matches. */
export async function matching(
  context: Finding,
  { spared, ...wanted }: Wanted & Spared,
): Promise<Found & Spared> {
  const tell = async (asked: number, total: number) => {
    const text = `I ask Edgegap about each server that was not deployed from chat: ${asked} of ${total} deployments are done. This may take a minute.`;
    await context.respond?.({ kind: 'line', tone: 'progress', text: [text] });
  };
  const found = await findTargets(context, wanted, tell);
  const targets = found.targets.filter(({ request_id }) => request_id !== spared);
  if (found.targets.length === 0)
    throw new InputError('filter-empty', 'No running deployment matches.', {
      hint: `Nothing was changed. ${context.prompt}list shows the deployments that run.`,
    });
  if (targets.length === 0)
    throw new InputError('filter-self', 'Only the deployment in which I run matches.', {
      hint: `Nothing was changed. To stop me, use ${context.prompt}self-stop.`,
    });
  return { ...found, targets, spared: targets.length < found.targets.length ? spared : undefined };
}

/** Freezes the plan. Returns the question for the person alone. */
export async function propose(
  { plans, asker }: Pick<CheckContext<unknown>, 'plans' | 'asker'>,
  command: string,
  { change, filter, words }: Asked,
  { targets, unplaced = 0, spared }: Pick<Found, 'targets'> & Partial<Found> & Spared,
): Promise<Card> {
  const order = { command, change, filter, words, asker };
  const id = await plans.create(order, targets);
  const unknown = `${counted(unplaced, 'running deployment')} whose city is not known`;
  const notes = [
    ...(unplaced > 0 ? [`The plan leaves out ${unknown}.`] : []),
    ...(spared ? [`The plan leaves out the deployment in which I run, ${spared}: use self-stop.`] : []),
  ];
  return planQuestion(id, order, targets, notes);
}

/** The buttons of the plans of a command. `nothing`: the sentence that nothing was changed. */
export function planActions(command: string, permission: Permission, nothing: string) {
  return {
    confirm: {
      permission,
      ack: 'public',
      interrupted: `${nothing} Ask again.`,
      check: async ({ plans, action, asker }) => void (await plans.asked(action.arg, asker)),
      async run({ plans, action, asker, invocationId, postCard }) {
        const order = await plans.asked(action.arg, asker);
        await plans.confirm(action.arg, invocationId, await postCard(planBegun(order, order.count)));
      },
    },
    cancel: {
      permission,
      ack: 'update',
      interrupted: nothing,
      check: async ({ plans, action, asker }) => void (await plans.asked(action.arg, asker)),
      async run({ plans, action, respond }) {
        await plans.cancel(action.arg);
        await respond({ kind: 'card', tone: 'neutral', title: [nothing.slice(0, -1)], nodes: [] });
      },
    },
    again: {
      permission,
      ack: 'private',
      interrupted: `${nothing} Ask again.`,
      async run(context) {
        const before = await context.plans.failed(context.action.arg);
        if (!before || before.targets.length === 0)
          throw new InputError('plan-old', 'I no longer know which deployments failed.', {
            hint: `${nothing} Use ${command} again.`,
          });
        await context.respond(await propose(context, command, before.order, before));
      },
    },
  } as const satisfies Readonly<Record<string, Action>>;
}
