import type { Card } from '../src/chat/card.ts';
import { type Context, type DeploymentActionContext, defineCommand } from '../src/command/define.ts';
import { look } from '../src/command/look.ts';
import { theDeployment } from '../src/command/options.ts';
import type { DeploymentTarget } from '../src/deployments/deployment.ts';

export default defineCommand({
  description: 'Stop a deployment (asks first)',
  example: '93924761ccde',
  permission: 'deployments.stop',
  ack: 'private',
  interrupted: 'Nothing was stopped by it; ask again.',
  options: {
    deployment: theDeployment,
  },
  actions: {
    ask: {
      permission: 'deployments.stop',
      ack: 'private',
      interrupted: 'Nothing was stopped by it; ask again.',
      on: 'deployment',
      run: (context) => ask(context, context.target),
    },
    confirm: {
      permission: 'deployments.stop',
      ack: 'update',
      interrupted: 'It may or may not have been stopped: look with status, and ask again if not.',
      on: 'deployment',
      run: confirm,
    },
    cancel: {
      permission: 'deployments.stop',
      ack: 'update',
      interrupted: 'Nothing was stopped.',
      run: (context) => context.respond(plain(['Nothing was stopped'], 'neutral')),
    },
  },
  run: (context) => ask(context, context.options.deployment),
});

async function ask(context: Context<unknown>, target: DeploymentTarget): Promise<void> {
  const { request_id } = target;
  // Asked even where we take it to have ended: what runs on unseen is billed.
  const view = await look(context, target);
  if (view.status === 'TERMINATED') return context.respond(alreadyStopped(request_id));
  if (view.status === 'TERMINATING') return context.respond(stopping(request_id));
  await context.respond({
    kind: 'card',
    tone: 'warning',
    title: [`Stop ${`${view.application} ${view.version}`.trim()}?`],
    nodes: [
      {
        kind: 'fields',
        fields: [
          { label: 'request_id', value: [{ code: request_id }] },
          ...(view.place ? [{ label: 'Location', value: [view.place] }] : []),
          ...(view.status === 'READY' && view.fqdn
            ? [{ label: 'Address', value: [{ code: view.fqdn }] }]
            : []),
        ],
      },
      { kind: 'text', text: [consequence(view.status)] },
      {
        kind: 'buttons',
        buttons: [
          {
            label: 'Stop it',
            style: 'danger',
            action: { command: 'stop', action: 'confirm', arg: request_id },
          },
          {
            label: 'Keep it',
            style: 'secondary',
            action: { command: 'stop', action: 'cancel', arg: request_id },
          },
        ],
      },
    ],
  });
}

function consequence(status: string): string {
  switch (status) {
    case 'READY':
      return 'Players on it are disconnected. This cannot be undone.';
    case 'ERROR':
      return 'It is removed, and its log with it. This cannot be undone.';
    default:
      return 'It is not ready yet: Edgegap stops it as soon as it is. This cannot be undone.';
  }
}

async function confirm(context: DeploymentActionContext): Promise<void> {
  const { request_id } = context.target;
  const outcome = await context.deployments.stop(request_id, context.asker.name);
  switch (outcome) {
    case 'already-terminated':
      return context.respond(alreadyStopped(request_id));
    case 'missing':
      return context.respond(
        plain(['Edgegap knows ', { code: request_id }, ' no more: there is nothing left to stop'], 'success'),
      );
    case 'perhaps-stopped':
      return context.respond(
        plain(
          ['Edgegap does not know ', { code: request_id }, ' now: it was probably stopped. Look with status'],
          'neutral',
        ),
      );
    case 'already-stopping':
      return context.respond(stopping(request_id));
    case 'accepted':
      return context.respond(
        // Edgegap answers a second stop as it answers one that comes before the server is ready.
        (context.target.seen?.current_status ?? context.target.known?.status) === 'TERMINATING'
          ? stopping(request_id)
          : plain(
              ['Edgegap stops ', { code: request_id }, ' as soon as it is ready or has failed'],
              'success',
            ),
      );
    case 'stopping':
      return context.respond(plain(['Stopping ', { code: request_id }], 'success'));
  }
}

function stopping(request_id: string): Card {
  return plain([{ code: request_id }, ' is stopping already'], 'success');
}

function alreadyStopped(request_id: string): Card {
  return plain([{ code: request_id }, ' has already stopped'], 'success');
}

function plain(title: Card['title'], tone: Card['tone']): Card {
  return { kind: 'card', tone, title, nodes: [] };
}
