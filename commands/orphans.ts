import type { Node, Select } from '../src/chat/card.ts';
import { counted } from '../src/chat/facts.ts';
import { lengthIn } from '../src/clock.ts';
import { type Context, type DeploymentActionContext, defineCommand } from '../src/command/define.ts';
import { pageAction, pageFoot, pageOf, pageOption } from '../src/command/pages.ts';
import { answerNow } from '../src/command/status-view.ts';
import { adoptedAlready, adoptionCard } from '../src/deployments/adoption.ts';
import { answerCard, asksForDetails } from '../src/deployments/answer-card.ts';
import { duration } from '../src/deployments/card.ts';
import type { Deployment } from '../src/deployments/deployment.ts';
import { isOfOwnDeploy, orphanRow, orphansOf } from '../src/deployments/orphans.ts';
import { viewOf, viewOfStatus } from '../src/deployments/view.ts';
import type { DeploymentStatus } from '../src/edgegap/schema.ts';
import { InputError } from '../src/errors.ts';

const ROWS = 10;
const LIFETIMES = ['1h', '2h', '8h', '24h'];

export default defineCommand({
  description: 'List the servers without a person and without a planned end',
  topic: 'look',
  permission: 'deployments.read',
  ack: 'private',
  options: { page: pageOption },
  actions: {
    page: pageAction<object>((context, _, page) => list(context, page)),
    open: { permission: 'deployments.read', ack: 'private', on: 'deployment', run: open },
    refresh: { permission: 'deployments.read', ack: 'update', on: 'deployment', run: open },
    adopt: {
      permission: 'deployments.deploy',
      ack: 'update',
      on: 'deployment',
      interrupted: 'The server may or may not have been adopted: look with `status`.',
      run: adopt,
    },
  },
  run: (context) => list(context, context.options.page ?? 1),
});

async function list(context: Context<unknown>, wanted: number): Promise<void> {
  const all = await orphansOf(context);
  const { rows, ...page } = pageOf(all, wanted, ROWS);
  const now = context.clock.now();
  const shown = await Promise.all(rows.map((row) => orphanRow(context.deployments, row, now)));
  const columns = ['request_id', 'application', 'person', 'since (UTC)', 'hours', 'ends (UTC)', 'city'];
  const nodes: Node[] =
    shown.length === 0
      ? [
          {
            kind: 'text',
            text: ['Every server has a person in this workspace, a lifetime or a planned stop.'],
          },
        ]
      : [
          { kind: 'table', columns, rows: shown.map(({ cells }) => cells) },
          {
            kind: 'select',
            placeholder: 'Open a server',
            choices: shown.map(({ choice }) => choice),
            action: { command: 'orphans', action: 'open', arg: '' },
          },
        ];
  const foot = await pageFoot(context, 'orphans', {}, page, { refresh: true });
  const title = `${counted(all.length, 'server')} without a person`;
  await context.respond({ kind: 'card', tone: 'neutral', title: [title], nodes: [...nodes, ...foot] });
}

/**
 * Shows a server as a card with the usual buttons and a menu. From the menu, a person can adopt the server, and so
 * become responsible for the server. After a press of "Refresh", the card still has the menu.
 */
async function open(context: DeploymentActionContext): Promise<void> {
  const { action } = context;
  const { status, known } = await orphaned(context);
  const card = answerCard(known ? viewOf(known) : viewOfStatus(status), {
    ...answerNow(context),
    details: asksForDetails(action.arg),
    isRefresh: action.action === 'refresh',
    refreshedBy: 'orphans',
  });
  const menu = context.may('deployments.deploy') ? [adoptMenu(context, status.request_id)] : [];
  await context.respond({ ...card, nodes: [...card.nodes, ...menu] });
}

function adoptMenu({ settings }: Pick<Context<unknown>, 'settings'>, request_id: string): Select {
  const { most = Number.POSITIVE_INFINITY } = settings.lifetime;
  const allowed = LIFETIMES.flatMap((text) => lengthIn(text) ?? []).filter((ms) => ms <= most);
  return {
    kind: 'select',
    placeholder: 'Adopt: the server ends after this time',
    choices: (allowed.length > 0 ? allowed : [most]).map((ms) => ({
      label: `Adopt for ${duration(ms)}`,
      value: `${request_id}.${ms}`,
    })),
    action: { command: 'orphans', action: 'adopt', arg: '' },
  };
}

/**
 * Makes the person who used the menu responsible for the server, and gives the server a lifetime. If the bot did not
 * deploy the server, the bot first posts a live card in this channel. If the card cannot be posted, the server is not
 * adopted.
 */
async function adopt(context: DeploymentActionContext): Promise<void> {
  const { chosen, deployments, invocationId, asker, postCard, respond } = context;
  const [, ms] = (chosen[0] ?? '').split('.');
  const { status, known } = await orphaned(context);
  const { id, name, at } = asker;
  const order = { invocationId, asker: { id, name }, ms: Number(ms) };
  const { application, version } = known
    ? await deployments.takeOver(order, known)
    : await deployments.adopt({ ...order, at, card: await postCard(adoptionCard(status)) }, status);
  const title = `You adopted ${application} ${version}, which ends in ${duration(Number(ms))}`;
  await respond({ kind: 'card', tone: 'success', title: [title], nodes: [] });
}

/**
 * Returns the server if no person is responsible for the server. Throws InputError if a person is responsible, or if
 * the server has a lifetime or has ended.
 */
async function orphaned({ target, deployments, hasLeft }: DeploymentActionContext): Promise<{
  readonly status: DeploymentStatus;
  readonly known: Deployment | undefined;
}> {
  const { known } = target;
  const status = target.seen ?? known?.snapshot;
  if (!status) throw adoptedAlready();
  const isCared = known
    ? known.plan.lifetime !== undefined || !(await hasLeft(known.asker, known.at))
    : await isOfOwnDeploy(deployments, status);
  if (isCared) throw adoptedAlready();
  const isOver = status.current_status === 'TERMINATED' || status.current_status === 'TERMINATING';
  if (!isOver && known?.phase !== 'ended') return { status, known };
  throw new InputError('orphan-ended', 'That server has ended.', { hint: 'Nothing was changed.' });
}
