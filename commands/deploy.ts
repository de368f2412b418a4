import { counted } from '../src/chat/facts.ts';
import { quoted } from '../src/command/argv.ts';
import { answered, confirmedOrder, mayDeploy, type Wanted } from '../src/command/confirm-deploy.ts';
import {
  type CheckContext,
  type Context,
  defineCommand,
  type RunResult,
  type Services,
} from '../src/command/define.ts';
import { findLocation, placeName } from '../src/command/kinds/location.ts';
import { findDeployable } from '../src/command/kinds/version.ts';
import type { OptionsOf } from '../src/command/options.ts';
import { deploymentCard } from '../src/deployments/card.ts';
import type { Deployments } from '../src/deployments/deployments.ts';
import { requestingView } from '../src/deployments/view.ts';
import type { Location } from '../src/edgegap/schema.ts';
import { InputError } from '../src/errors.ts';

/**
 * Shown if the process died before it stored the intent. Nothing was deployed in this case, because the request to
 * Edgegap leaves only after the intent is stored.
 */
const interrupted = 'Nothing was deployed; ask again.';

const first = { required: true, positional: true } as const;

const options = {
  application: { ...first, kind: 'application', description: 'The application to deploy' },
  version: { ...first, kind: 'version', description: 'The version of the application' },
  near: { kind: 'location', description: 'A city to deploy near, e.g. Montreal' },
  ip: {
    kind: 'list',
    of: 'ip',
    description: 'IP addresses of players to deploy near, separated by commas',
  },
  tag: { kind: 'list', of: 'tag', description: 'Tags for the deployment, separated by commas' },
} as const;

export default defineCommand({
  description: 'Deploy a dedicated server',
  example: 'kart-racing v1.2 --near Montreal --tag qa',
  permission: 'deployments.deploy',
  ack: 'public',
  interrupted,
  options,
  actions: {
    again: {
      permission: 'deployments.deploy',
      ack: 'public',
      interrupted,
      check: async (context) => await mayDeploy(context, await lostDeployment(context, context.action.arg)),
      run: async (context) => await launch(context, await lostDeployment(context, context.action.arg)),
    },
    confirm: {
      permission: 'deployments.deploy',
      ack: 'public',
      interrupted,
      check: async (context) => {
        const wanted = await confirmedOrder(context, context.action.arg);
        await context.guard.check(context.asker);
        await (wanted.replaces
          ? lostDeployment(context, wanted.replaces)
          : findDeployable(context.catalog, wanted));
      },
      run: async (context) => {
        const { action, payloads } = context;
        return await launch(context, await confirmedOrder(context, action.arg), async (tx) => {
          if (!(await payloads.take(action.arg, tx))) throw answered();
        });
      },
    },
    cancel: {
      permission: 'deployments.deploy',
      ack: 'update',
      interrupted: 'Nothing was deployed.',
      async run({ payloads, action, respond }) {
        if (!(await payloads.take(action.arg))) throw answered();
        await respond({ kind: 'card', tone: 'neutral', title: ['Nothing was deployed'], nodes: [] });
      },
    },
  },
  check: async (context) => await mayDeploy(context, await ordered(context)),
  run: async (context) => await launch(context, await ordered(context)),
});

async function ordered(context: CheckContext<OptionsOf<typeof options>>): Promise<Wanted> {
  const { application, version, near, ip, tag = [] } = context.options;
  return { application, version, plan: { ...(await placement(context, near, ip)), tags: tag } };
}

/** Where to deploy: near the given city and players, or, if neither is given, at the default place of the settings. */
async function placement(services: Services, near: Location | undefined, ips: readonly string[] = []) {
  const location = near ?? (ips.length === 0 ? await defaultLocation(services) : undefined);
  const { latitude, longitude } = location ?? {};
  const point = latitude !== undefined && longitude !== undefined ? [{ latitude, longitude }] : [];
  const users = [...point, ...ips.map((ip_address) => ({ ip_address }))];
  if (location && users.length === 0)
    throw new InputError('place-unmapped', `Edgegap does not say where ${placeName(location)} is.`, {
      hint: 'Choose another city, or give players’ addresses (ip).',
    });
  if (users.length === 0)
    throw new InputError('place-missing', 'I do not know where to deploy.', {
      hint: 'Add the option near with a city (typed: --near Montreal), or ip with addresses of players. Whoever runs me can set DEFAULT_NEAR.',
    });
  // The card shows only the number of players, because the channel must not read their addresses.
  const players = ips.length > 0 ? [counted(ips.length, 'player')] : [];
  const places = [...(location ? [placeName(location)] : []), ...players];
  return { users, place: `near ${places.join(' and ')}` };
}

async function defaultLocation({ settings, catalog }: Services): Promise<Location | undefined> {
  const { defaultNear } = settings;
  if (defaultNear === undefined) return undefined;
  try {
    return await findLocation(catalog, defaultNear);
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause;
    throw new InputError('default-near', `My default place, ${quoted(defaultNear)}, cannot be used.`, {
      hint: `Add the option near with a city (typed: --near Montreal). Whoever runs me can correct DEFAULT_NEAR: ${cause.userMessage} ${cause.hint ?? ''}`.trim(),
      cause,
    });
  }
}

/** Posts the card before deploying. If the card cannot be posted, nothing is deployed or billed. */
async function launch(
  context: Pick<Context<unknown>, 'postCard' | 'deployments' | 'asker' | 'invocationId' | 'clock'>,
  { replaces, ...wanted }: Wanted,
  claim?: Parameters<Deployments['deploy']>[2],
): Promise<RunResult> {
  const { asker, invocationId, deployments, clock } = context;
  const view = requestingView({ ...wanted, askedBy: asker.name, createdAt: clock.now() });
  const card = await context.postCard(deploymentCard(view));
  const order = { invocationId, ...wanted, asker, at: asker.at, card };
  const { phase, requestId: deployment, problem: code } = await deployments.deploy(order, replaces, claim);
  if (phase === 'unknown') return { outcome: 'unknown', code };
  return code === undefined ? { deployment } : { outcome: 'failed', code, deployment };
}

/**
 * The order of the lost deployment with this id, to be deployed again. The outcome of its request was unknown, and no
 * server was found.
 */
async function lostDeployment({ deployments, catalog }: Services, id: string): Promise<Wanted> {
  const before = await deployments.byId(id);
  if (!before)
    throw new InputError('again-unknown', 'I no longer know that deployment.', { hint: 'Use deploy.' });
  if (before.replacedBy !== undefined)
    throw new InputError('again-done', 'Someone has deployed this server again already.', {
      hint: 'Nothing more was deployed. See the card of the new deployment.',
    });
  if (before.phase !== 'lost')
    throw new InputError('again-done', 'Nothing to deploy again: the deployment did start after all.', {
      hint: 'Nothing more was deployed. See the card of the deployment.',
    });
  await findDeployable(catalog, before);
  const { application, version, plan } = before;
  return { application, version, plan, replaces: id };
}
