/* Plans to change many deployments: the question for a new plan, and the buttons of a plan. */
import { planQuestion, planUnbegun } from '../bulk/cards.ts';
import { type Found, findTargets, type Wanted } from '../bulk/find.ts';
import type { Change } from '../bulk/plan.ts';
import { settled } from '../bulk/recheck.ts';
import type { Card } from '../chat/card.ts';
import { counted } from '../chat/facts.ts';
import { filterWords } from '../deployments/list-filter.ts';
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
  /** The request_id of the bot's own deployment, if the plan must not contain this deployment. */
  readonly spared?: string | undefined;
}

/**
 * Finds the deployments that match the filter, and describes the filter in words. `place` describes the wanted city.
 * Throws InputError if there is no deployment to change.
 */
export async function matching(
  context: Finding,
  { spared, ...wanted }: Wanted & Spared,
  place = '',
): Promise<Found & Spared & { readonly words: string }> {
  const tell = async (foreign: number) => {
    const text = `I look at ${foreign} servers that were not deployed from chat, to find those that match. This may take a minute.`;
    await context.respond?.({ kind: 'line', tone: 'progress', text: [text] });
  };
  const found = await findTargets(context, wanted, tell);
  const person = found.by ? `deployed by ${found.by.name}` : '';
  const words = [filterWords(wanted.filter), place, person].filter(Boolean).join(', ');
  const targets = found.targets.filter(({ request_id }) => request_id !== spared);
  if (targets.length > 0)
    return { ...found, words, targets, spared: targets.length < found.targets.length ? spared : undefined };
  if (found.targets.length > 0)
    throw new InputError('filter-self', 'Only the server in which I run matches.', {
      hint: `Nothing was changed. To stop me, use \`self-stop\`.`,
    });
  const { status } = wanted.filter;
  const failed = status || wanted.without ? '' : ' Failed servers are found only with `--status error`.';
  const problem = nothingToChange(found, wanted);
  throw new InputError('filter-empty', `${problem}${words && `: ${words}`}.`, {
    hint: `Nothing was changed.${failed} \`list\` shows the servers that run.`,
  });
}

function nothingToChange({ matched, tagged }: Found, { filter, without }: Wanted): string {
  const why = [
    ...(tagged > 0 ? [`has the tag ${without}`] : []),
    ...(matched > 0 ? ['is being stopped'] : []),
  ].join(' or ');
  if (why) return `Every server that matches (${matched + tagged}) ${why} already`;
  return `No ${filter.status ? '' : 'running '}server matches`;
}

/** Stores a plan that contains exactly these deployments. Returns the question which only the person sees. */
export async function propose(
  { plans, asker }: Pick<CheckContext<unknown>, 'plans' | 'asker'>,
  command: string,
  { change, filter, words }: Asked,
  { targets, unplaced = 0, spared }: Pick<Found, 'targets'> & Partial<Found> & Spared,
): Promise<Card> {
  const order = { command, change, filter, words, asker };
  const id = await plans.create(order, targets);
  const unknown = `${counted(unplaced, 'running server')} whose city is not known`;
  const notes = [
    ...(unplaced > 0 ? [`The plan leaves out ${unknown}.`] : []),
    ...(spared ? [`The plan leaves out the server in which I run, ${spared}: use self-stop.`] : []),
  ];
  return planQuestion(id, order, targets, notes);
}

/** The buttons on the plans of a command. `nothing` is a sentence such as `Nothing was stopped.` */
export function planActions(command: string, permission: Permission, nothing: string) {
  return {
    confirm: {
      permission,
      ack: 'update',
      once: true,
      interrupted: `${nothing} Ask again.`,
      check: async ({ plans, action, asker }) => void (await plans.asked(action.arg, asker)),
      async run({ plans, action, asker, invocationId, postCard, respond }) {
        const order = await plans.asked(action.arg, asker);
        await plans.confirm(action.arg, invocationId, await postCard(planUnbegun(order, order.count)));
        const nodes = [{ kind: 'text', text: ['The card in the channel shows the progress.'] }] as const;
        await respond({ kind: 'card', tone: 'success', title: ['Confirmed'], nodes });
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
      once: true,
      interrupted: `${nothing} Ask again.`,
      async run(context) {
        const { plans, action, edgegap: api, deployments, clock } = context;
        const { plan, ids } = (await plans.failed(action.arg)) ?? { ids: [] };
        if (!plan || ids.length === 0)
          throw new InputError('plan-old', 'I no longer know which servers failed.', {
            hint: `${nothing} Use \`${command}\` again.`,
          });
        const over = await settled({ api, deployments, plans, clock }, plan, ids);
        if (over.length > 0) await plans.record(plan, 'failed', over);
        const only = new Set(ids).difference(new Set(over.map(({ request_id }) => request_id)));
        const found = only.size > 0 && (await findTargets(context, { filter: plan.filter, only }));
        if (found && found.targets.length > 0)
          return await context.respond(await propose(context, command, plan, found));
        const reasons = [...new Set(over.map(({ reason }) => reason))].join('; ');
        throw new InputError('plan-over', 'No server is left to try again.', {
          hint: `${nothing} ${reasons && `The reason: ${reasons}.`}`.trim(),
        });
      },
    },
  } as const satisfies Readonly<Record<string, Action>>;
}
