import type { Card, Node, Rich } from '../src/chat/card.ts';
import { counted, fieldsOf, rowText } from '../src/chat/facts.ts';
import { type Context, defineCommand } from '../src/command/define.ts';
import { hostNamed, readHosts, suggestHosts } from '../src/command/hosts.ts';
import { placeName } from '../src/command/kinds/location.ts';
import { checkHasApplication } from '../src/command/kinds/version.ts';
import { pageAction, pageFoot, pageOf, pageOption } from '../src/command/pages.ts';
import {
  emptiestFirst,
  fitting,
  freeOn,
  memory,
  type Needs,
  resources,
  vcpu,
} from '../src/deployments/resources.ts';
import type { FleetHost } from '../src/edgegap/catalogue.ts';
import { parseEdgegapTime } from '../src/edgegap/schema.ts';
import { InputError } from '../src/errors.ts';

const ROWS = 10;
/**
 * The maximum age of the cached hosts, in milliseconds, when a person turns to the next or previous page. Reading
 * hundreds of hosts again for each page would take seconds.
 */
const TURN_MS = 60_000;

interface Asked {
  readonly fleet: string;
  readonly application?: string | undefined;
  readonly version?: string | undefined;
}

/** A version and the resources that it needs. The answer says how many deployments of the version fit on the hosts. */
interface Measure extends Needs {
  /** The application and the version, for example `arena v3`. */
  readonly name: string;
  /** The resources of one deployment as text, for example `0.5 vCPU, 1 GB`. Empty if Edgegap does not report them. */
  readonly each: string;
}

export default defineCommand({
  description: 'List the hosts of a private fleet, and how many servers fit on each',
  topic: 'catalogue',
  example: 'tournament --application kart-racing --version v1.2',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    fleet: { kind: 'fleet', required: true, positional: true, description: 'The private fleet, by its name' },
    host: {
      kind: 'string',
      maxLength: 100,
      description: 'Show this host alone, in full',
      suggest: suggestHosts,
    },
    application: {
      kind: 'application',
      description: 'Show how many more servers of this application fit (needs version)',
    },
    version: {
      kind: 'version',
      description: 'Show how many more servers of this version fit (needs application)',
    },
    page: pageOption,
  },
  actions: {
    page: pageAction<Asked>((context, asked, page) => show(context, asked, page, TURN_MS), 'fleet'),
  },
  check({ options }) {
    checkHasApplication(options);
    if (options.application !== undefined && options.version === undefined)
      throw new InputError('version-missing', 'An application alone does not say how much it needs.', {
        hint: 'Add the version, for example `--version v1.2`.',
      });
  },
  async run(context) {
    const { host: wanted, page = 1, ...asked } = context.options;
    if (wanted === undefined) return await show(context, asked, page, 0);
    const { hosts, measure } = await read(context, asked, 0);
    await context.respond(hostCard(asked.fleet, hostNamed(wanted, hosts, asked.fleet), measure));
  },
});

async function show(
  context: Context<unknown>,
  asked: Asked,
  wanted: number,
  atMostOldMs: number,
): Promise<void> {
  const { hosts, measure } = await read(context, asked, atMostOldMs);
  const fits = (host: FleetHost) => (measure ? fitting(host, measure) : 0);
  const bestFirst = emptiestFirst(hosts).toSorted((a, b) => fits(b) - fits(a));
  const { rows, ...at } = pageOf(bestFirst, wanted, ROWS);
  const nodes: Node[] = [
    { kind: 'text', text: summary(hosts, measure) },
    ...rows.map((host) => row(host, measure)),
    ...(await pageFoot(context, 'hosts', asked, at)),
  ];
  const title = [`${asked.fleet}: ${counted(hosts.length, 'host')}`];
  await context.respond({ kind: 'card', tone: 'neutral', title, nodes });
}

/** Reads the hosts of the fleet. If a version is given, also reads the resources that the version needs. */
async function read(context: Context<unknown>, { fleet, application, version }: Asked, atMostOldMs: number) {
  const { catalog } = context;
  const hosts = await readHosts(context, fleet, atMostOldMs);
  if (application === undefined) return { hosts, measure: undefined };
  const needs = (await catalog.versions(application)).find(({ name }) => name === version) ?? {};
  const measure: Measure = { ...needs, name: `${application} ${version}`, each: resources(needs) };
  return { hosts, measure };
}

/**
 * The first line of the answer. If a version is given, the line says how many deployments of the version fit.
 * Otherwise, the line says how much CPU and memory is free.
 */
function summary(hosts: readonly FleetHost[], measure: Measure | undefined): Rich {
  if (hosts.length === 0) return ['The fleet has no hosts yet: start them in the Edgegap dashboard.'];
  const active = hosts.filter(({ status }) => status === 'ACTIVE');
  const waiting = hosts.length - active.length;
  const pending = waiting > 0 ? ` ${counted(waiting, 'host')} not active yet.` : '';
  if (measure?.each === '') return [`Edgegap does not say how much ${measure.name} needs.${pending}`];
  if (!measure) {
    const free = Object.values(freeOn(active)).filter((part) => part !== undefined);
    return [
      { bold: free.join(' · ') || 'Nothing free' },
      ` on ${counted(active.length, 'active host')}.${pending}`,
    ];
  }
  const fits = active.map((host) => fitting(host, measure));
  const fit = fits.reduce((total, count) => total + count, 0);
  const on = counted(fits.filter((count) => count > 0).length, 'host');
  const gpu = measure.req_video ? ' Hosts tell nothing of GPUs: GPUs are not counted.' : '';
  return [
    { bold: `${fit} more of ${measure.name} fit` },
    ` on ${on} (${measure.each} each).${gpu}${pending}`,
  ];
}

function row(host: FleetHost, measure: Measure | undefined): Node {
  const fits = measure?.each ? `fits ${fitting(host, measure)}` : undefined;
  const [deleted] = deletion(host);
  const free = freeOn([host]);
  return rowText(
    [{ code: host.host_id }, ...(deleted ? [' · will be deleted ', deleted] : [])],
    [...(host.status === 'ACTIVE' ? [fits, free.cpu, free.memory] : [statusText(host)]), placeName(host)],
  );
}

function hostCard(fleet: string, host: FleetHost, measure: Measure | undefined): Card {
  const { fleet_host_specifications: has, ip_address, centroid } = host;
  const created = parseEdgegapTime(host.created_at);
  const speed = has?.base_clock_speed_mhz;
  const parts = [has?.cpu_units && vcpu(has.cpu_units), has?.memory_mb && memory(has.memory_mb)];
  const free = freeOn([host]);
  const fields = fieldsOf({
    Status: [{ bold: statusText(host) }],
    Place: [placeName(host), host.continent].filter((part) => part).join(', ') || 'not known yet',
    Fits: measure?.each
      ? `${fitting(host, measure)} more of ${measure.name} (${measure.each} each)`
      : undefined,
    CPU: free.cpu ?? 'not known yet',
    Memory: free.memory ?? 'not known yet',
    Deletion: deletion(host),
    Specifications: [...parts, speed && `${Number((speed / 1000).toFixed(2))} GHz`]
      .filter((part) => part)
      .join(', '),
    IP: ip_address ? [{ code: ip_address }] : undefined,
    Centroid: centroid?.label,
    Created: created === undefined ? undefined : [{ time: created, style: 'clock' }],
    Fleet: fleet,
  });
  const tone = host.status === 'ACTIVE' ? 'success' : 'progress';
  return { kind: 'card', tone, title: [{ code: host.host_id }], nodes: [fields] };
}

function statusText({ status }: FleetHost): string {
  if (status === 'ACTIVE') return 'Active, takes servers';
  return status === 'PENDING' ? 'Pending, being prepared: takes no servers yet' : status;
}

function deletion({ delete_schedule }: FleetHost): Rich {
  const at = parseEdgegapTime(delete_schedule?.scheduled_at);
  return at === undefined ? [] : [{ time: at, style: 'relative' }];
}
