import { deploymentCard } from '../src/cards/deployment-card.ts';
import { type ActionContext, type Context, defineCommand } from '../src/command/define.ts';
import { findLocation, placeName } from '../src/command/resolve.ts';
import type { DeployPlan } from '../src/deployments/deployment.ts';
import { requestingView } from '../src/deployments/view.ts';
import type { Location } from '../src/edgegap/schema.ts';
import { InputError } from '../src/errors.ts';

export default defineCommand({
  description: 'Deploy a dedicated server',
  example: 'kart-racing v1.2 --near Montreal --tag qa',
  permission: 'deployments.deploy',
  ack: 'public',
  options: {
    application: {
      kind: 'application',
      required: true,
      positional: true,
      description: 'The application to deploy',
    },
    version: {
      kind: 'version',
      required: true,
      positional: true,
      description: 'The version of the application',
    },
    near: { kind: 'location', description: 'A city to deploy near, e.g. Montreal' },
    ip: {
      kind: 'list',
      of: 'ip',
      description: 'IP addresses of players to deploy near, separated by commas',
    },
    tag: { kind: 'list', of: 'tag', description: 'Tags to put on it, separated by commas' },
  },
  actions: {
    again: { permission: 'deployments.deploy', ack: 'public', run: deployAgain },
  },
  async run(context) {
    const { application, version, near, ip, tag } = context.options;
    const plan = { ...(await placement(context, near, ip)), tags: tag ?? [] };
    await launch(context, application, version, plan);
  },
});

/** Where to deploy: near the city and the players given; else where the settings say. */
async function placement(
  { settings, catalog }: Pick<Context<unknown>, 'settings' | 'catalog'>,
  near: Location | undefined,
  ips: readonly string[] | undefined,
): Promise<Pick<DeployPlan, 'users' | 'place'>> {
  const given = ips ?? [];
  const location =
    near ??
    (given.length === 0 && settings.defaultNear
      ? await findLocation(catalog, settings.defaultNear)
      : undefined);
  if (!location && given.length === 0)
    throw new InputError('place-missing', 'I do not know where to deploy.', {
      hint: 'Add a city with --near (e.g. near: Montreal), or players’ addresses with --ip; or set DEFAULT_NEAR for me.',
    });
  const point =
    location?.latitude !== undefined && location.longitude !== undefined
      ? [{ latitude: location.latitude, longitude: location.longitude }]
      : [];
  return {
    users: [...point, ...given.map((ip_address) => ({ ip_address }))],
    place: [
      ...(location ? [`near ${placeName(location)}`] : []),
      ...(given.length > 0 ? [`near ${given.join(', ')}`] : []),
    ].join('; '),
  };
}

/** The card goes first: where it cannot be posted, nothing is deployed and nothing billed. */
async function launch(
  context: Pick<Context<unknown>, 'postCard' | 'deployments' | 'asker' | 'invocationId' | 'clock'>,
  application: string,
  version: string,
  plan: DeployPlan,
  replaces?: string,
): Promise<void> {
  const { asker, invocationId, deployments, clock } = context;
  const view = requestingView({ application, version, plan, askedBy: asker.name, createdAt: clock.now() });
  const card = await context.postCard(deploymentCard(view));
  await deployments.deploy({ invocationId, application, version, plan, asker, at: asker.at, card }, replaces);
}

async function deployAgain(context: ActionContext): Promise<void> {
  const before = await context.deployments.byId(context.action.arg);
  if (!before)
    throw new InputError('again-unknown', 'I no longer know that deployment.', { hint: 'Use deploy.' });
  if (before.phase !== 'lost' || before.replacedBy !== undefined)
    throw new InputError('again-done', 'There is nothing to deploy again.', {
      hint: before.replacedBy ? 'Someone did it already.' : 'It did start after all: see its card.',
    });
  await launch(context, before.application, before.version, before.plan, before.id);
}
