import type { Card, Node, Rich } from '../src/chat/card.ts';
import { counted, fieldsOf, rowText } from '../src/chat/facts.ts';
import { type Context, defineCommand } from '../src/command/define.ts';
import { pageAction, pageFoot, pageOf, pageOption } from '../src/command/pages.ts';
import { duration } from '../src/deployments/card.ts';
import { resources } from '../src/deployments/resources.ts';
import type { AppVersion } from '../src/edgegap/catalogue.ts';
import { parseEdgegapTime } from '../src/edgegap/schema.ts';

const ROWS = 10;
/**
 * The maximum age of the cached versions, in milliseconds. The maximum is low, because the person may have pushed a
 * build a moment ago.
 */
const FRESH_MS = 5_000;
/** How many ports a row shows. If the version has more ports, the row says how many are left out. */
const PORTS = 4;
/** Edgegap's API reference calls the caching of an image good if the cached share is above this value. */
const WELL_CACHED = 0.8;

interface Asked {
  readonly application: string;
}

export default defineCommand({
  description: 'List the versions of an application, or show a version in full',
  topic: 'catalogue',
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
  actions: { page: pageAction<Asked>(show, 'application') },
  async run(context) {
    const { application, version, page = 1 } = context.options;
    const all = await context.catalog.versions(application, FRESH_MS);
    const found = all.find(({ name }) => name === version);
    if (found) await context.respond(versionCard(application, found));
    else await show(context, { application }, page);
  },
});

async function show(context: Context<unknown>, asked: Asked, wanted: number): Promise<void> {
  const { application } = asked;
  const { catalog, respond } = context;
  const all = await catalog.versions(application);
  const { rows, ...at } = pageOf(all, wanted, ROWS);
  const off = all.filter((one) => !one.is_active).length;
  const isOff = (await catalog.applications()).some((one) => one.name === application && !one.is_active);
  const text = [
    ...(isOff ? ['The application is switched off, so no version of it can be deployed.'] : []),
    ...(all.length === 0 ? ['Make a version in the Edgegap dashboard, then ask again.'] : []),
  ].join(' ');
  // If all versions on the page have the same limits, the limits are shown only once, below the rows.
  const [one, ...others] = rows;
  const same = one && others.length > 0 && others.every((other) => limitText(other) === limitText(one));
  const nodes: Node[] = [
    ...(text ? [{ kind: 'text', text: [text] } as const] : []),
    ...rows.map((version) => row(version, same ? '' : limitText(version))),
    ...(same ? [{ kind: 'note', text: [`Each version on this page: ${limitText(one)}`] } as const] : []),
    ...(await pageFoot(context, 'versions', asked, at)),
  ];
  const count = all.length === 0 ? 'no version yet' : counted(all.length, 'version');
  const title = [`${application}: ${count}${off > 0 ? `, ${off} of them switched off` : ''}`];
  await respond({ kind: 'card', tone: all.length > 0 && !isOff ? 'neutral' : 'warning', title, nodes });
}

function row(version: AppVersion, limitText: string): Node {
  const ports = version.ports?.map(portText) ?? [];
  const more = ports.length > PORTS ? [`${ports.length - PORTS} more`] : [];
  return rowText(
    [{ bold: version.name }, version.is_active ? '' : ' · switched off'],
    [resources(version), [...ports.slice(0, PORTS), ...more].join(', '), cachingText(version)],
    [limitText],
  );
}

function limitText(version: AppVersion): string {
  const known = Object.entries(limits(version)).filter(([, value]) => value !== undefined);
  return known.map(([label, value]) => `${label}: ${value}`).join(' · ');
}

function versionCard(application: string, version: AppVersion): Card {
  const { is_active, ports = [] } = version;
  const time = (value: string | undefined): Rich => {
    const at = parseEdgegapTime(value);
    return at === undefined ? [] : [{ time: at, style: 'clock' }];
  };
  const fields = fieldsOf({
    Active: is_active ? 'yes' : [{ bold: 'no' }, ': activate it in the Edgegap dashboard to deploy it'],
    Resources: resources(version),
    Ports: ports.map((port) => `${port.name ?? ''} ${portText(port)}`.trim()).join(', '),
    Image: cachingText(version),
    ...limits(version),
    Made: time(version.create_time),
    Changed: time(version.last_updated),
  });
  const note =
    'Time to deploy: how long the download of the image may take. Grace period: from the stop signal to the end.';
  return {
    kind: 'card',
    tone: is_active ? 'neutral' : 'warning',
    title: [`${application} ${version.name}`],
    nodes: [fields, { kind: 'note', text: [note] }],
  };
}

/** The time limits and the restart policy of a version, with the labels that the card shows. */
function limits(version: AppVersion): Record<string, string | undefined> {
  const { max_duration, time_to_deploy, termination_grace_period_seconds: grace, restart_policy } = version;
  const max = max_duration !== undefined && max_duration < 0 ? 'no limit' : inWords(max_duration, 60_000);
  const deploy = inWords(time_to_deploy, 1_000);
  return {
    'Max duration': max,
    'Time to deploy': deploy && `at most ${deploy}`,
    Restarts: restart_policy?.toLowerCase().replaceAll('_', ' '),
    'Grace period': inWords(grace, 1_000),
  };
}

function inWords(count: number | undefined, unitMs: number): string | undefined {
  return count === undefined ? undefined : duration(count * unitMs);
}

/** Returns for example `7777 UDP` or `9000 WS TLS`. */
function portText({ port, protocol, tls_upgrade }: NonNullable<AppVersion['ports']>[number]): string {
  return [port, protocol, tls_upgrade ? 'TLS' : undefined].filter((part) => part !== undefined).join(' ');
}

function cachingText({ caching_percent: share }: AppVersion): string | undefined {
  if (share === undefined) return undefined;
  return `${Math.round(share * 100)} % cached${share > WELL_CACHED ? ' (good)' : ''}`;
}
