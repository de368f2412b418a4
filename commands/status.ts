import { deploymentCard } from '../src/cards/deployment-card.ts';
import { type Context, defineCommand } from '../src/command/define.ts';
import { viewOf, viewOfStatus } from '../src/deployments/view.ts';
import { EdgegapError } from '../src/edgegap/errors.ts';

export default defineCommand({
  description: 'Show a deployment: status, address, ports, location',
  example: '93924761ccde',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    deployment: {
      kind: 'deployment',
      required: true,
      positional: true,
      description: 'Its request_id, or the beginning of it',
    },
  },
  actions: {
    refresh: {
      permission: 'deployments.read',
      ack: 'update',
      run: (context) => show(context, context.action.arg),
    },
  },
  run: (context) => show(context, context.options.deployment.request_id),
});

async function show(context: Context<unknown>, request_id: string): Promise<void> {
  const { edgegap, deployments } = context;
  try {
    const status = await edgegap.status(request_id);
    const known = await deployments.observe(status);
    await context.respond(deploymentCard(known ? viewOf(known) : viewOfStatus(status)));
  } catch (error) {
    // Edgegap forgets a deployment some time after it ended; we still know how it went.
    const known = await deployments.byRequestId(request_id);
    const forgotten = error instanceof EdgegapError && error.code === 'edgegap-no-such-deployment';
    if (!known || !forgotten) throw error;
    await context.respond(deploymentCard(viewOf(known)));
  }
}
