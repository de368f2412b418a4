import { counted } from '../src/chat/facts.ts';
import {
  answered,
  askToRepeat,
  confirmedOrder,
  mayDeploy,
  type Wanted,
} from '../src/command/confirm-deploy.ts';
import {
  type Context,
  type DeploymentActionContext,
  defineCommand,
  type RunResult,
  type Services,
} from '../src/command/define.ts';
import { orderOf } from '../src/command/deploy-order.ts';
import { cityMenu, planNear } from '../src/command/elsewhere.ts';
import { suggestHosts } from '../src/command/hosts.ts';
import type { RawValue } from '../src/command/kinds/kind.ts';
import { itemsIn } from '../src/command/kinds/list.ts';
import { findDeployable } from '../src/command/kinds/version.ts';
import { offeringLast, offerTags } from '../src/command/offers.ts';
import { deploymentCard } from '../src/deployments/card.ts';
import type { Deployment, OrderedVariable } from '../src/deployments/deployment.ts';
import type { Deployments } from '../src/deployments/deployments.ts';
import { lifetimeAgain } from '../src/deployments/lifetime.ts';
import { endText } from '../src/deployments/lifetime-cards.ts';
import { isRepeatable, requestingView } from '../src/deployments/view.ts';
import { InputError } from '../src/errors.ts';

/**
 * Shown if the process ended before it stored the intent (the stored order to deploy). Nothing was deployed, because
 * the bot sends the request to Edgegap only after the intent is stored.
 */
const interrupted = 'Nothing was deployed; ask again.';

const prolonging = {
  permission: 'deployments.deploy',
  ack: 'private',
  on: 'deployment',
  interrupted:
    'The server may or may not have been given more time: see its card, and press the button again.',
} as const;
/** Shown in place of a container's command or arguments, because they may contain a secret such as a password. */
const hidden = () => 'set (the bot does not show the value)';

const options = {
  application: {
    kind: 'application',
    required: 'or-preset',
    positional: true,
    placeholder: 'Choose the application',
    description: 'The application to deploy',
  },
  version: {
    kind: 'version',
    positional: true,
    placeholder: 'The newest active version',
    description: 'The version; if left out, the newest active version',
  },
  near: {
    kind: 'places',
    label: 'City',
    placeholder: 'Montreal, or 45.50,-73.57',
    description: 'Cities or coordinates to deploy near, e.g. Montreal; 45.50,-73.57',
  },
  ip: {
    kind: 'list',
    of: 'ip',
    label: 'Addresses of players',
    placeholder: '203.0.113.9',
    hint: 'The server starts near these IP addresses',
    description: 'IP addresses of players to deploy near, separated by commas',
    shown: (given: RawValue) => counted(itemsIn(given, 'ip').length, 'player'),
  },
  tag: {
    kind: 'list',
    of: 'tag',
    label: 'Tags',
    placeholder: 'For example qa',
    suggest: offeringLast(',，', offerTags),
    description: 'Tags for the server, separated by commas',
  },
  env: {
    kind: 'variables',
    label: 'Variables',
    placeholder: 'MODE=race',
    hint: 'Environment variables, one on each line',
    description:
      'Variables such as MODE=race; on Discord all pairs in one box, elsewhere one option for each pair',
  },
  hidden: {
    kind: 'hidden-variables',
    label: 'Hidden variables',
    placeholder: 'API_KEY=…',
    hint: 'Like the variables, but nobody can read these values again',
    description: 'Variables whose values stay hidden; only the form asks for them',
  },
  cpu: {
    kind: 'integer',
    min: 100,
    max: 262_144,
    label: 'CPU units',
    placeholder: 'As the version says',
    hint: '1024 units are one vCPU. Enter the memory as well.',
    description: 'CPU units, 1024 for each vCPU (needs memory)',
  },
  memory: {
    kind: 'integer',
    min: 100,
    max: 524_288,
    label: 'Memory in MiB',
    placeholder: 'As the version says',
    hint: 'At most twice the CPU units. Enter the CPU units as well.',
    description: 'MiB of memory, at most twice cpu (needs cpu)',
  },
  cached: {
    kind: 'boolean',
    label: 'Cached locations only',
    description: 'Use only locations that have the image in their cache',
  },
  fleet: { kind: 'fleet', placeholder: 'No private fleet', description: 'A private fleet to deploy to' },
  host: {
    kind: 'list',
    of: 'host',
    label: 'Hosts',
    placeholder: 'Any host of the fleet',
    hint: 'In the order in which you want them',
    description: 'Hosts of the fleet in order of preference, separated by commas',
    suggest: suggestHosts,
  },
  command: {
    kind: 'string',
    maxLength: 1000,
    placeholder: 'The container’s own',
    hint: 'Needs addresses of players.',
    description: 'A command in place of the container’s own (needs ip)',
    shown: hidden,
  },
  arguments: {
    kind: 'string',
    maxLength: 1000,
    placeholder: 'The container’s own',
    hint: 'Needs addresses of players.',
    description: 'Arguments for the container’s command (needs ip)',
    shown: hidden,
  },
  'log-storage': {
    kind: 'string',
    maxLength: 100,
    placeholder: 'As the version says',
    hint: 'The endpoint storage that keeps the log. Needs addresses of players.',
    description: 'The endpoint storage that keeps the log after the server ends (needs ip)',
  },
  for: {
    kind: 'duration',
    mostDays: 365,
    examples: ['1h', '2h', '8h', '24h'],
    label: 'Lifetime',
    placeholder: 'For example 2h',
    hint: 'The server then stops. I ask you before.',
    description: 'Stop the server after this time, for example 2h (asks before)',
  },
  preset: {
    kind: 'preset',
    placeholder: 'No preset',
    hint: 'What you enter in this form replaces the options of the preset.',
    description: 'Take options from this preset; options given here replace the preset’s',
  },
} as const;

export default defineCommand({
  description: 'Deploy a dedicated server',
  topic: 'start',
  example: 'kart-racing v1.2 --near Montreal --tag qa',
  shortcut: 'Deploy a server',
  permission: 'deployments.deploy',
  ack: 'public',
  interrupted,
  options,
  layout: {
    title: 'Deploy a server',
    submit: 'Deploy',
    pick: 'application',
    first: ['application', 'version', 'near', 'tag', 'for'],
    more: {
      Variables: ['env', 'hidden'],
      Resources: ['cpu', 'memory', 'cached', 'fleet', 'host'],
      'Players and container': ['ip', 'command', 'arguments', 'log-storage', 'preset'],
    },
  },
  actions: {
    again: {
      permission: 'deployments.deploy',
      ack: 'public',
      on: 'order',
      onCard: 'Deploy again',
      interrupted,
      async check(context) {
        const { action, chosen } = context;
        const before = await knownDeployment(context, action.arg);
        if (!isRepeatable(before)) return await mayDeploy(context, await lostDeployment(context, before.id));
        const { env = [], newest: _, adopted: _adopted, lifetime: old, ...plan } = before.plan;
        const lifetime = lifetimeAgain(context.settings.lifetime, old);
        const isKnown = ({ value, sealed }: OrderedVariable) =>
          value !== undefined || (sealed !== undefined && context.vault.open(sealed) !== undefined);
        const known = env.filter(isKnown);
        const lost = env.filter((one) => !isKnown(one)).map(({ key }) => key);
        const names = await findDeployable(context.catalog, before);
        const [city] = chosen;
        const fleet = city === undefined ? undefined : plan.fleet?.name;
        const placed = city === undefined ? plan : await planNear(context, plan, city);
        const again = { ...placed, lifetime, env: known };
        await askToRepeat(context, { ...names, plan: again }, { lost, fleet });
      },
      run: async (context) => await launch(context, await lostDeployment(context, context.action.arg)),
    },
    elsewhere: {
      permission: 'deployments.deploy',
      ack: 'private',
      on: 'order',
      interrupted,
      async run(context) {
        const before = await knownDeployment(context, context.action.arg);
        await context.respond(await cityMenu(context, before));
      },
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
    extend: { ...prolonging, run: (context: DeploymentActionContext) => prolong(context, 'extend') },
    keep: { ...prolonging, run: (context: DeploymentActionContext) => prolong(context, 'keep') },
  },
  check: async (context) => await mayDeploy(context, await orderOf(context, context.options)),
  run: async (context) => await launch(context, await orderOf(context, context.options)),
});

/**
 * Extends the lifetime of a server, after a person pressed a button such as "Extend" or "Keep". The bot offers these
 * buttons before the lifetime ends.
 */
async function prolong(context: DeploymentActionContext, how: 'extend' | 'keep'): Promise<void> {
  const { target, action, settings, asker, source: question } = context;
  const known = await knownDeployment(context, target.known?.id ?? '');
  const [, endsAt] = action.arg.split('.');
  const answer = { how, endsAt: Number(endsAt), most: settings.lifetime.most, by: asker.name, question };
  const after = (await context.deployments.prolong(known, answer)) ?? known;
  const text = [`${after.application} ${after.version}: `, ...endText(after)];
  await context.respond({ kind: 'line', tone: 'success', text });
}

/** Posts the live card first, and then deploys. If the card cannot be posted, nothing is deployed or billed. */
async function launch(
  context: Pick<Context<unknown>, 'postCard' | 'deployments' | 'asker' | 'invocationId' | 'clock'>,
  { replaces, ...ordered }: Wanted,
  claim?: Parameters<Deployments['deploy']>[2],
): Promise<RunResult> {
  const { asker, invocationId, deployments, clock } = context;
  const usualMs = await deployments.usualMs(ordered);
  const wanted = { ...ordered, plan: { ...ordered.plan, usualMs } };
  const view = requestingView({ ...wanted, askedBy: asker, createdAt: clock.now() });
  const card = await context.postCard(deploymentCard(view));
  const order = { invocationId, ...wanted, asker, at: asker.at, card };
  const { phase, requestId: deployment, problem: code } = await deployments.deploy(order, replaces, claim);
  if (phase === 'unknown') return { outcome: 'unknown', code };
  return code === undefined ? { deployment } : { outcome: 'failed', code, deployment };
}

async function knownDeployment({ deployments }: Services, id: string): Promise<Deployment> {
  const known = await deployments.byId(id);
  if (known) return known;
  throw new InputError('again-unknown', 'I no longer know that server.', { hint: 'Use `deploy`.' });
}

/**
 * Returns the order of the lost deployment with this id, so that the bot can deploy it again. A deployment is lost if
 * the outcome of the request to Edgegap was unknown, and the bot then found no server. Throws InputError for any other
 * deployment.
 */
async function lostDeployment(services: Services, id: string): Promise<Wanted> {
  const before = await knownDeployment(services, id);
  if (before.replacedBy !== undefined)
    throw new InputError('again-done', 'Someone has deployed this server again already.', {
      hint: 'Nothing more was deployed. See the card of the new server.',
    });
  // The message menu offers "Deploy again" on every card, even if the deployment was refused.
  if (before.phase === 'refused')
    throw new InputError('again-done', 'Nothing to deploy again: this server was refused.', {
      hint: 'Nothing was deployed. The card says why. To try again, use `deploy`.',
    });
  if (before.phase !== 'lost')
    throw new InputError('again-done', 'Nothing to deploy again: this server started, and has not ended.', {
      hint: 'Nothing more was deployed. For another server, use `deploy`.',
    });
  await findDeployable(services.catalog, before);
  const { application, version } = before;
  // `newest` says that the version was the newest at the first attempt. By now, a newer version may exist.
  const plan = { ...before.plan, newest: undefined };
  return { application, version, plan, replaces: id };
}
