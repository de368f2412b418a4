import type { Button, Node, Rich } from '../src/chat/card.ts';
import { counted } from '../src/chat/facts.ts';
import { callButton } from '../src/command/call.ts';
import { type Context, defineCommand } from '../src/command/define.ts';
import { duration, roughly, statusFace } from '../src/deployments/card.ts';
import type { Deployment } from '../src/deployments/deployment.ts';
import { laterEnds } from '../src/deployments/lifetime.ts';
import { firstEnd, isRepeatable, viewOf } from '../src/deployments/view.ts';

/** The card shows at most `SERVERS` running servers, and at most `ROWS` rows with buttons in each section. */
const SERVERS = 15;
const ROWS = 3;
/** A server that ends within this time is listed under "Needs you". */
const SOON_MS = 30 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

export default defineCommand({
  description: 'Show your running servers, what needs you, and recent failures',
  topic: 'look',
  permission: 'deployments.read',
  ack: 'private',
  options: {},
  actions: { refresh: { permission: 'deployments.read', ack: 'update', run: show } },
  run: show,
});

async function show(context: Context<unknown>): Promise<void> {
  const { deployments, asker, settings, clock } = context;
  const now = clock.now();
  const applications = settings.applicationAllowlist;
  const ids = await deployments.askedBy(asker, SERVERS + 1, applications);
  const found = await Promise.all(ids.map((id) => deployments.byRequestId(id)));
  const running = found.flatMap((one) => one ?? []);
  const failed = await deployments.failuresOf(asker, now - DAY_MS, applications);
  const alive = running.filter((one) => viewOf(one).status !== 'ERROR');
  const needy = running.filter((one) => needOf(one, now) !== undefined).slice(0, ROWS);
  const ended = failed.filter((one) => !running.some(({ id }) => id === one.id)).slice(0, ROWS);
  const nodes: Node[] = [
    { kind: 'buttons', buttons: mainButtons(context) },
    ...section(
      'Needs you',
      needy.flatMap((one) => needRow(context, one, now)),
    ),
    ...section('Running', runningNodes(alive, now)),
    ...section(
      'Failed in the last day',
      ended.flatMap((one) => failedRow(context, one)),
    ),
    {
      kind: 'note',
      text: [
        { typed: 'help' },
        ' shows all commands. ',
        { typed: 'list' },
        ' shows the servers of everyone.',
      ],
    },
  ];
  const count = running.length > SERVERS ? `more than ${SERVERS} servers` : counted(alive.length, 'server');
  await context.respond({ kind: 'card', tone: 'neutral', title: [`You run ${count}`], nodes });
}

function mainButtons(context: Context<unknown>): Button[] {
  return [
    ...callButton(context, 'deploy', { label: 'Deploy a server', style: 'primary' }),
    ...callButton(context, 'list', { label: 'All servers' }),
    button('Refresh', 'home', 'refresh', ''),
  ];
}

function section(title: string, nodes: readonly Node[]): Node[] {
  return nodes.length === 0 ? [] : [{ kind: 'text', text: [{ bold: title }] }, ...nodes];
}

/** The reason why a running server is listed under "Needs you". Undefined if there is no reason. */
function needOf(deployment: Deployment, now: number): Rich | undefined {
  const view = viewOf(deployment);
  if (view.status === 'ERROR')
    return [' has failed', deployment.errorDetail ? `: ${deployment.errorDetail.split('\n', 1)[0]}` : ''];
  const end = firstEnd(deployment);
  if (!end || end.at - now > SOON_MS) return undefined;
  return [' ends ', { time: end.at, style: 'until' }];
}

function needRow({ settings, may }: Context<unknown>, deployment: Deployment, now: number): Node[] {
  const { requestId: id = '', plan, acceptedAt } = deployment;
  const why = needOf(deployment, now) ?? [];
  const { extended } = laterEnds(plan.lifetime, acceptedAt, settings.lifetime.most);
  const endsAt = plan.lifetime?.endsAt;
  const end = firstEnd(deployment);
  const canExtend = end?.by === 'lifetime' && extended !== undefined && endsAt !== undefined;
  const buttons = [
    ...(canExtend && may('deployments.deploy')
      ? [button(`Extend by ${duration(extended - endsAt)}`, 'deploy', 'extend', `${id}.${end.at}`)]
      : []),
    button('Logs', 'logs', 'show', id),
    ...(isRepeatable(deployment) && may('deployments.deploy')
      ? [button('Deploy again', 'deploy', 'again', deployment.id)]
      : []),
    ...(may('deployments.stop')
      ? [button('Stop', 'stop', 'ask', id, deployment.errorAt === undefined ? 'danger' : 'secondary')]
      : []),
  ];
  return [
    { kind: 'text', text: [{ bold: nameOf(deployment) }, ...why] },
    { kind: 'buttons', buttons },
  ];
}

function runningNodes(running: readonly Deployment[], now: number): Node[] {
  const shown = running.slice(0, SERVERS);
  if (shown.length === 0) return [{ kind: 'text', text: ['None of your servers is running.'] }];
  const lines = shown.map((one): Rich => {
    const view = viewOf(one);
    const end = firstEnd(one)?.at;
    const address = view.status === 'READY' ? (view.ports[0]?.link ?? view.fqdn) : undefined;
    const parts = [
      statusFace(view.status).words,
      roughly(now - one.createdAt),
      view.place ?? '',
      end === undefined ? 'no planned end' : `ends in ${roughly(Math.max(0, end - now))}`,
    ];
    return [
      { bold: nameOf(one) },
      ` · ${parts.filter(Boolean).join(' · ')}\n`,
      { code: address ?? view.request_id ?? '' },
    ];
  });
  const choices = shown.map((one) => ({
    label: nameOf(one),
    detail: [one.requestId, viewOf(one).place].filter(Boolean).join(' · '),
    value: one.requestId ?? '',
  }));
  return [
    ...lines.map((text): Node => ({ kind: 'text', text })),
    {
      kind: 'select',
      placeholder: 'Open a server',
      choices,
      action: { command: 'list', action: 'open', arg: '' },
    },
    ...(running.length > SERVERS
      ? [{ kind: 'note', text: ['More: ', { typed: 'list --mine' }] } as const]
      : []),
  ];
}

function failedRow({ may }: Context<unknown>, deployment: Deployment): Node[] {
  const { id, requestId = '', errorAt, errorDetail } = deployment;
  const when: Rich = errorAt === undefined ? [] : [' ', { time: errorAt, style: 'relative' }];
  const why = errorDetail === undefined ? '' : `: ${errorDetail.split('\n', 1)[0]}`;
  const canRepeat = isRepeatable(deployment) && may('deployments.deploy');
  const buttons = [
    button('Logs', 'logs', 'show', requestId),
    ...(canRepeat ? [button('Deploy again', 'deploy', 'again', id)] : []),
  ];
  return [
    { kind: 'text', text: [{ bold: nameOf(deployment) }, ...when, why] },
    { kind: 'buttons', buttons },
  ];
}

function button(
  label: string,
  command: string,
  action: string,
  arg: string,
  style: 'danger' | 'secondary' = 'secondary',
): Button {
  return { label, style, action: { command, action, arg } };
}

function nameOf({ application, version }: Deployment): string {
  return `${application} ${version}`;
}
