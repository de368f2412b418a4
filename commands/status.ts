import { type Context, type DeploymentActionContext, defineCommand } from '../src/command/define.ts';
import { theDeployment } from '../src/command/options.ts';
import { answerNow, currentView } from '../src/command/status-view.ts';
import { answerCard, asksForDetails } from '../src/deployments/answer-card.ts';
import { isLive } from '../src/deployments/card.ts';
import { type DeploymentTarget, isCardOf } from '../src/deployments/deployment.ts';
import { stopsIn } from '../src/deployments/planned-stop.ts';

export default defineCommand({
  description: 'Show a server: status, address, ports, location',
  topic: 'look',
  example: '93924761ccde',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    deployment: theDeployment,
    details: {
      kind: 'boolean',
      description: 'Show everything that Edgegap reports: region, local time, command',
    },
  },
  actions: {
    refresh: { permission: 'deployments.read', ack: 'update', on: 'deployment', run: refresh },
  },
  run: (context) => show(context, context.options.deployment, { details: context.options.details }),
});

/**
 * Refreshes an answer or a live card. Only the outbox edits a live card, because the outbox keeps the edits in order. A
 * direct edit could arrive late, and replace a newer state by an older state.
 */
async function refresh(context: DeploymentActionContext): Promise<void> {
  const { source, target, deployments, action } = context;
  const { known } = target;
  if (!known || !isCardOf(known, source))
    return await show(context, target, { details: asksForDetails(action.arg), isRefresh: true });
  await currentView(context, target);
  await deployments.redraw(known);
}

async function show(
  context: Context<unknown>,
  target: DeploymentTarget,
  how: { readonly details?: boolean | undefined; readonly isRefresh?: boolean },
): Promise<void> {
  const answer = answerNow(context);
  const view = await currentView(context, target);
  const planned = isLive(view) ? await context.plannedStops.of(target.request_id) : undefined;
  const note = [view.note, planned && stopsIn(planned, answer.now)].filter(Boolean).join(' ') || undefined;
  await context.respond(answerCard({ ...view, note }, { ...answer, ...how }));
}
