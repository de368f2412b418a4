import type { Button, Card } from '../src/chat/card.ts';
import { type Context, type DeploymentActionContext, defineCommand } from '../src/command/define.ts';
import { theDeployment } from '../src/command/options.ts';
import { currentView } from '../src/command/status-view.ts';
import type { DeploymentTarget } from '../src/deployments/deployment.ts';
import type { StopOutcome } from '../src/deployments/deployments.ts';

const interrupted = 'Nothing was stopped; ask again.';

export default defineCommand({
  description: 'Stop a deployment (asks first)',
  example: '93924761ccde',
  permission: 'deployments.stop',
  ack: 'private',
  interrupted,
  options: { deployment: theDeployment },
  actions: {
    ask: {
      permission: 'deployments.stop',
      ack: 'private',
      interrupted,
      on: 'deployment',
      run: (context) => ask(context, context.target),
    },
    confirm: {
      permission: 'deployments.stop',
      ack: 'update',
      interrupted: 'The deployment may or may not have been stopped: look with status, and ask again if not.',
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
  // Asks Edgegap even if the bot's record says that the deployment has ended, because a server that runs on unnoticed
  // is billed.
  const view = await currentView(context, target);
  if (view.status === 'TERMINATED') return context.respond(alreadyStopped(request_id));
  if (view.status === 'TERMINATING') return context.respond(stopping(request_id));
  const fields = [
    { label: 'request_id', value: [{ code: request_id }] },
    ...(view.place ? [{ label: 'Location', value: [view.place] }] : []),
    ...(view.status === 'READY' && view.fqdn ? [{ label: 'Address', value: [{ code: view.fqdn }] }] : []),
  ];
  const button = (label: string, style: 'danger' | 'secondary', action: string): Button => ({
    label,
    style,
    action: { command: 'stop', action, arg: request_id },
  });
  const buttons = [button('Stop it', 'danger', 'confirm'), button('Keep it', 'secondary', 'cancel')];
  await context.respond({
    kind: 'card',
    tone: 'warning',
    title: [`Stop ${`${view.application} ${view.version}`.trim()}?`],
    nodes: [
      { kind: 'fields', fields },
      { kind: 'text', text: [consequence(view.status)] },
      { kind: 'buttons', buttons },
    ],
  });
}

function consequence(status: string): string {
  switch (status) {
    case 'READY':
      return 'Players on the server are disconnected. This cannot be undone.';
    case 'ERROR':
      return 'The deployment is removed, and its log too. This cannot be undone.';
    default:
      return 'The deployment is not ready yet: Edgegap stops it as soon as it is ready. This cannot be undone.';
  }
}

async function confirm(context: DeploymentActionContext): Promise<void> {
  const outcome = await context.deployments.stop(context.target.request_id, context.asker.name);
  await context.respond(stopCard(outcome, context.target));
}

function stopCard(outcome: StopOutcome, { request_id, seen, known }: DeploymentTarget): Card {
  const id = { code: request_id };
  switch (outcome) {
    case 'already-terminated':
      return alreadyStopped(request_id);
    case 'missing':
      return plain(['Edgegap knows ', id, ' no more: there is nothing left to stop'], 'success');
    case 'perhaps-stopped':
      return plain(
        ['Edgegap does not know ', id, ' now: it was probably stopped. Look with status'],
        'neutral',
      );
    case 'already-stopping':
      return stopping(request_id);
    case 'accepted':
      // Edgegap gives the same answer to a second stop as to a stop before the server is ready.
      return (seen?.current_status ?? known?.status) === 'TERMINATING'
        ? stopping(request_id)
        : plain(['Edgegap stops ', id, ' as soon as it is ready or has failed'], 'success');
    case 'stopping':
      return plain(['Stopping ', id], 'success');
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
