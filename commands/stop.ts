import type { Card, Rich } from '../src/chat/card.ts';
import {
  type ActionContext,
  type Context,
  type DeploymentActionContext,
  defineCommand,
} from '../src/command/define.ts';
import { logStorageOf, logStorageOption, theDeployment } from '../src/command/options.ts';
import { currentView } from '../src/command/status-view.ts';
import { answeredHow, askToStop, type HowToStop, questionAnswered } from '../src/command/stop-question.ts';
import { type DeploymentView, duration, ranFor } from '../src/deployments/card.ts';
import type { DeploymentTarget } from '../src/deployments/deployment.ts';
import type { StopOutcome } from '../src/deployments/deployments.ts';
import { unplannedCard, whenOf } from '../src/deployments/planned-stop.ts';
import { nameOfTarget, viewOf, viewOfStatus } from '../src/deployments/view.ts';
import type { DeploymentStatus } from '../src/edgegap/schema.ts';
import { InputError } from '../src/errors.ts';

const interrupted = 'Nothing was stopped; ask again.';
const permission = 'deployments.stop';

export default defineCommand({
  description: 'Stop a server, now or later (asks first)',
  topic: 'change',
  example: '93924761ccde --in 10m',
  permission,
  ack: 'private',
  interrupted,
  options: {
    deployment: theDeployment,
    in: {
      kind: 'duration',
      mostDays: 7,
      examples: ['5m', '10m', '30m', '1h'],
      label: 'When',
      placeholder: 'At once, or for example 10m',
      hint: 'At most 7 days',
      description: 'Stop the server after this time, for example 10m (at most 7 days)',
    },
    'log-storage': logStorageOption,
  },
  actions: {
    ask: {
      permission,
      ack: 'private',
      interrupted,
      on: 'deployment',
      onCard: 'Stop',
      run: (context) => ask(context, context.target, {}),
    },
    confirm: {
      permission,
      ack: 'update',
      once: true,
      interrupted:
        'The server may or may not have been stopped, or its stop planned: look with `status`, and ask again if not.',
      on: 'deployment',
      run: confirm,
    },
    cancel: {
      permission,
      ack: 'update',
      interrupted: 'Nothing was stopped.',
      async run(context) {
        const { key } = await answeredHow(context);
        if (key !== '' && !(await context.payloads.take(key))) throw questionAnswered();
        await context.respond(plain(['Nothing was stopped'], 'neutral'));
      },
    },
    revoke: {
      permission,
      ack: 'private',
      interrupted:
        'The planned stop may or may not have been cancelled: see its card, and press Cancel again.',
      run: revoke,
    },
  },
  run(context) {
    const { deployment, in: inMs, 'log-storage': storage } = context.options;
    return ask(context, deployment, { inMs, logStorage: logStorageOf(storage) });
  },
});

async function ask(context: Context<unknown>, target: DeploymentTarget, how: HowToStop): Promise<void> {
  const { request_id } = target;
  if (request_id === context.ownDeployment?.id)
    throw new InputError('stop-self', 'That is the server in which I run.', {
      hint: `Nothing was stopped. To stop me, use \`self-stop\`.`,
    });
  // Asks Edgegap for the status even if the bot's database says that the deployment has ended. The database may be
  // wrong, and Edgegap bills a server that still runs.
  const view = await currentView(context, target);
  if (view.status === 'TERMINATED') return context.respond(alreadyStopped(target, view));
  if (view.status === 'TERMINATING') return context.respond(stopping(target));
  await askToStop(context, view, how);
}

async function confirm(context: DeploymentActionContext): Promise<void> {
  const { deployments, target, asker, payloads } = context;
  const { inMs, ...asked } = await answeredHow(context);
  if (inMs !== undefined) return await plan(context, { inMs, ...asked });
  let told: DeploymentStatus | undefined;
  const outcome = await deployments.stop(target.request_id, asker.name, {
    logStorage: asked.logStorage,
    summary: (status) => {
      told = status;
    },
  });
  // The stored question is deleted only after the stop has succeeded. After a failed stop, the person can press the
  // button again.
  await payloads.take(asked.key);
  await context.respond(stopCard(outcome, target, told && viewOfStatus(told)));
}

/**
 * Plans a stop. The bot posts the card first. If the card cannot be posted, the stop is not planned. As soon as the
 * stop is stored, the card says that the stop is planned.
 */
async function plan(
  context: DeploymentActionContext,
  { inMs, logStorage, name, key }: HowToStop & { readonly inMs: number; name: string; key: string },
): Promise<void> {
  const { target, asker, plannedStops, payloads, invocationId, clock, postCard, respond } = context;
  const { request_id, known } = target;
  if (known?.endedAt !== undefined) return respond(alreadyStopped(target, viewOf(known)));
  const card = await postCard(unplannedCard({ request_id, name, asker }));
  const { id, name: by, at: place } = asker;
  const at = clock.now() + inMs;
  const wanted = { request_id, name, at, asker: { id, name: by }, place, card, logStorage };
  const { replaced } = await plannedStops.plan(wanted, invocationId, async (tx) => {
    if (!(await payloads.take(key, tx))) throw questionAnswered();
  });
  const instead = replaced ? [`, in place of the stop that ${replaced.asker.name} planned`] : [];
  const text: Rich = ['The stop is planned: ', whenOf(at), ...instead, '. Its card is in the channel.'];
  await respond({
    ...plain([`${name} stops in ${duration(inMs)}`], 'success'),
    nodes: [{ kind: 'text', text }],
  });
}

async function revoke({ action, plannedStops, asker, respond }: ActionContext): Promise<void> {
  const [request_id = '', id = ''] = action.arg.split('.');
  const { name } = await plannedStops.cancel(request_id, id, asker.name);
  await respond(plain([`Cancelled: ${name} is not stopped`], 'success'));
}

function stopCard(outcome: StopOutcome, target: DeploymentTarget, view: DeploymentView | undefined): Card {
  const { seen, known } = target;
  const name = nameOf(target);
  switch (outcome) {
    case 'already-terminated':
      return alreadyStopped(target, known && viewOf(known));
    case 'missing':
      return about(target, [`${name} is gone: there is nothing left to stop`], 'success');
    case 'perhaps-stopped':
      return about(target, [`${name} was probably stopped`], 'neutral', [
        'Edgegap does not know the server now. Look with ',
        { typed: 'status' },
        '.',
      ]);
    case 'already-stopping':
      return stopping(target);
    case 'accepted':
      // Edgegap gives the same answer to a second stop and to a stop before the server is ready. The status
      // distinguishes the two cases.
      return (seen?.current_status ?? known?.status) === 'TERMINATING'
        ? stopping(target)
        : about(target, [`${name} stops soon`], 'success', [
            'Edgegap stops the server as soon as it is ready or has failed.',
          ]);
    case 'stopping':
      return about(target, [`Stopping ${name}`], 'progress', ran(view));
  }
}

function stopping(target: DeploymentTarget): Card {
  return about(target, [`${nameOf(target)} is stopping already`], 'progress');
}

function alreadyStopped(target: DeploymentTarget, view: DeploymentView | undefined): Card {
  return about(target, [`${nameOf(target)} has already stopped`], 'neutral', ran(view));
}

function nameOf(target: DeploymentTarget): string {
  return nameOfTarget(target) || 'The server';
}

/** Says how long the server ran and when the server ended. */
function ran(view: DeploymentView | undefined): Rich {
  const ms = view && ranFor(view);
  if (!view || ms === undefined) return [];
  const when: Rich =
    view.endedAt === undefined ? [] : [', and ended ', { time: view.endedAt, style: 'relative' }];
  return [`The server ran for ${duration(ms)}`, ...when, '.'];
}

/** A card about a server. Small print at the end shows the request_id. */
function about(
  { request_id }: DeploymentTarget,
  title: Card['title'],
  tone: Card['tone'],
  text: Rich = [],
): Card {
  const nodes: Card['nodes'] = [
    ...(text.length > 0 ? [{ kind: 'text', text } as const] : []),
    { kind: 'note', text: ['request_id ', { code: request_id }] },
  ];
  return { kind: 'card', tone, title, nodes };
}

function plain(title: Card['title'], tone: Card['tone']): Card {
  return { kind: 'card', tone, title, nodes: [] };
}
