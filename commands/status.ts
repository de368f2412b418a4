import { deploymentCard } from '../src/cards/deployment-card.ts';
import { type Context, defineCommand } from '../src/command/define.ts';
import { look } from '../src/command/look.ts';
import { theDeployment } from '../src/command/options.ts';
import type { DeploymentTarget } from '../src/command/services.ts';

export default defineCommand({
  description: 'Show a deployment: status, address, ports, location',
  example: '93924761ccde',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    deployment: theDeployment,
  },
  actions: {
    refresh: {
      permission: 'deployments.read',
      ack: 'update',
      on: 'deployment',
      run: (context) => show(context, context.target),
    },
  },
  run: (context) => show(context, context.options.deployment),
});

async function show(context: Context<unknown>, target: DeploymentTarget): Promise<void> {
  await context.respond(deploymentCard(await look(context, target)));
}
