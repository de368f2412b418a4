import type { Card, Field, Node, Rich } from '../src/chat/card.ts';
import { type Context, defineCommand } from '../src/command/define.ts';
import { pageButtons, pageNote, pageOf, pageOption, rowText, turnedPage } from '../src/command/pages.ts';
import { duration } from '../src/deployments/card.ts';
import { findFresh, newestFirst } from '../src/deployments/catalog.ts';
import { memory, vcpu } from '../src/deployments/resources.ts';
import { type AppVersion, parseEdgegapTime } from '../src/edgegap/schema.ts';

const ROWS = 10;
/** A build that was pushed a moment ago is asked for by the person who pushed the build. */
const FRESH_MS = 5_000;
/** Of more ports than these a row says how many there are. */
const PORTS = 4;
/** Above that share the vendor calls the caching good (its reference of versions). */
const WELL_CACHED = 0.8;

interface Asked {
  readonly application: string;
}

export default defineCommand({
  description: 'List the versions of an application, or show one in full',
  example: 'kart-racing v1.2',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    application: {
      kind: 'application',
      orInactive: true,
      required: true,
      positional: true,
      description: 'The application whose versions to show',
    },
    version: {
      kind: 'version',
      orInactive: true,
      positional: true,
      description: 'Show this version alone, in full',
    },
    page: pageOption,
  },
  actions: {
    page: {
      permission: 'deployments.read',
      ack: 'update',
      check: async (context) => void (await turnedPage<Asked>(context, 'application')),
      async run(context) {
        const { page, state } = await turnedPage<Asked>(context, 'application');
        await context.respond(await listCard(context, state, page));
      },
    },
  },
  async run(context) {
    const { application, version, page = 1 } = context.options;
    const all = await context.catalog.versions(application, FRESH_MS);
    const one = all.find(({ name }) => name === version);
    await context.respond(
      one ? versionCard(application, one) : await listCard(context, { application }, page),
    );
  },
});

async function listCard(
  context: Pick<Context<unknown>, 'catalog' | 'kept'>,
  asked: Asked,
  wanted: number,
): Promise<Card> {
  const { application } = asked;
  const { all } = await findFresh(
    (age) => context.catalog.versions(application, age),
    (some) => (some.length > 0 ? some : undefined),
  );
  if (all.length === 0) return emptyCard(application);
  const { rows, ...at } = pageOf(newestFirst(all), wanted, ROWS);
  const off = all.filter((one) => !one.is_active).length;
  const nodes: Node[] = [
    ...rows.map(row),
    ...pageNote(at),
    ...(await pageButtons(context, 'versions', asked, { page: at.page, more: at.page < at.pages })),
  ];
  const title = `${application}: ${all.length} ${all.length === 1 ? 'version' : 'versions'}`;
  return {
    kind: 'card',
    tone: 'neutral',
    title: [off > 0 ? `${title}, ${off} of them switched off` : title],
    nodes,
  };
}

function emptyCard(application: string): Card {
  const text: Rich = [
    'Nothing of it can be deployed. Make a version in the Edgegap dashboard, then ask again.',
  ];
  const title = [`${application} has no version yet`];
  return { kind: 'card', tone: 'warning', title, nodes: [{ kind: 'text', text }] };
}

function row(version: AppVersion): Node {
  const { name, is_active, max_duration, time_to_deploy, termination_grace_period_seconds: grace } = version;
  const ports = version.ports?.map(portText) ?? [];
  const more = ports.length > PORTS ? [`${ports.length - PORTS} more`] : [];
  return rowText(
    [{ bold: name }, is_active ? '' : ' · switched off'],
    [resources(version), [...ports.slice(0, PORTS), ...more].join(', '), cachingText(version)],
    [
      max_duration === undefined
        ? undefined
        : max_duration < 0
          ? 'no time limit'
          : `at most ${limit(max_duration)}`,
      time_to_deploy === undefined ? undefined : `download within ${seconds(time_to_deploy)}`,
      version.restart_policy && `restarts ${restartWords(version.restart_policy)}`,
      grace === undefined ? undefined : `${seconds(grace)} grace`,
    ],
  );
}

function versionCard(application: string, version: AppVersion): Card {
  const { is_active, max_duration, time_to_deploy, termination_grace_period_seconds: grace } = version;
  const time = (value: string | undefined): Rich => {
    const at = parseEdgegapTime(value);
    return at === undefined ? [] : [{ time: at, style: 'clock' }];
  };
  const text = (value: string | undefined): Rich => (value ? [value] : []);
  const fields: Field[] = [
    {
      label: 'Active',
      value: is_active ? ['yes'] : [{ bold: 'no' }, ': activate it in the Edgegap dashboard to deploy it'],
    },
    { label: 'Resources', value: text(resources(version)) },
    {
      label: 'Ports',
      value: text(
        version.ports?.map((port) => [port.name, portText(port)].filter((part) => part).join(' ')).join(', '),
      ),
    },
    { label: 'Image', value: text(cachingText(version)) },
    {
      label: 'Time to deploy',
      value: text(
        time_to_deploy === undefined
          ? undefined
          : `the image must be downloaded within ${seconds(time_to_deploy)}`,
      ),
    },
    { label: 'Max duration', value: text(max_duration === undefined ? undefined : limit(max_duration)) },
    { label: 'Restarts', value: text(version.restart_policy && restartWords(version.restart_policy)) },
    {
      label: 'Grace period',
      value: text(grace === undefined ? undefined : `${seconds(grace)} from the stop signal to the end`),
    },
    { label: 'Made', value: time(version.create_time) },
    { label: 'Changed', value: time(version.last_updated) },
  ];
  return {
    kind: 'card',
    tone: is_active ? 'neutral' : 'warning',
    title: [`${application} ${version.name}`],
    nodes: [{ kind: 'fields', fields: fields.filter(({ value }) => value.length > 0) }],
  };
}

function resources({ req_cpu, req_memory, req_video }: AppVersion): string {
  return [
    ...(req_cpu === undefined ? [] : [vcpu(req_cpu)]),
    ...(req_memory === undefined ? [] : [memory(req_memory)]),
    ...(req_video ? [vcpu(req_video).replace('vCPU', 'GPU')] : []),
  ].join(', ');
}

/** `7777 UDP`, `9000 WS TLS`. */
function portText({ port, protocol, tls_upgrade }: NonNullable<AppVersion['ports']>[number]): string {
  return [port, protocol, tls_upgrade ? 'TLS' : undefined].filter((part) => part !== undefined).join(' ');
}

function cachingText({ caching_percent: share }: AppVersion): string | undefined {
  if (share === undefined) return undefined;
  return `${Math.round(share * 100)} % cached${share > WELL_CACHED ? ' (good)' : ''}`;
}

function limit(minutes: number): string {
  return minutes < 0 ? 'no limit' : duration(minutes * 60_000);
}

function seconds(count: number): string {
  return duration(count * 1_000);
}

function restartWords(policy: string): string {
  return policy.toLowerCase().replaceAll('_', ' ');
}
