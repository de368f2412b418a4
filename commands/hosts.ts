import type { Card, Field, Node, Rich } from '../src/chat/card.ts';
import { quoted } from '../src/command/argv.ts';
import { type Context, defineCommand } from '../src/command/define.ts';
import { knownFleets, rememberFleet } from '../src/command/fleets.ts';
import { placeName } from '../src/command/kinds/location.ts';
import { suggestion } from '../src/command/kinds/text.ts';
import { checkHasApplication } from '../src/command/kinds/version.ts';
import { pageButtons, pageNote, pageOf, pageOption, rowText, turnedPage } from '../src/command/pages.ts';
import { namesakes } from '../src/command/same-name.ts';
import {
  cpuOf,
  fitting,
  memory,
  memoryLeft,
  memoryOf,
  type Needs,
  type Room,
  vcpu,
  vcpuLeft,
} from '../src/deployments/resources.ts';
import { EdgegapError } from '../src/edgegap/errors.ts';
import { type FleetHost, parseEdgegapTime } from '../src/edgegap/schema.ts';
import { InputError } from '../src/errors.ts';

const ROWS = 10;
/** How old the hosts may be where a page is turned: hundreds of hosts take seconds to read. */
const TURN_MS = 60_000;

interface Asked {
  readonly fleet: string;
  readonly application?: string | undefined;
  readonly version?: string | undefined;
}

/** The version that the hosts are measured by. */
interface Measure extends Needs {
  /** `arena v3` */
  readonly name: string;
}

export default defineCommand({
  description: 'List the hosts of a private fleet, and how many deployments fit on each',
  example: 'tournament --application kart-racing --version v1.2',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    fleet: { kind: 'fleet', required: true, positional: true, description: 'The private fleet, by its name' },
    host: { kind: 'string', maxLength: 100, description: 'Show this host alone, in full' },
    application: { kind: 'application', description: 'With a version: how many deployments of it fit' },
    version: { kind: 'version', description: 'With an application: how many deployments of it fit' },
    page: pageOption,
  },
  actions: {
    page: {
      permission: 'deployments.read',
      ack: 'update',
      check: async (context) => void (await turnedPage<Asked>(context, 'fleet')),
      async run(context) {
        const { page, state } = await turnedPage<Asked>(context, 'fleet');
        const [hosts, measure] = await read(context, state, TURN_MS);
        await context.respond(await listCard(context, state, hosts, measure, page));
      },
    },
  },
  check({ options }) {
    checkHasApplication(options);
    if (options.application !== undefined && options.version === undefined)
      throw new InputError('version-missing', 'An application alone does not say how much it needs.', {
        hint: 'Add the option version (typed: --version v1.2).',
      });
  },
  async run(context) {
    const { host, page = 1, ...asked } = context.options;
    const [hosts, measure] = await read(context, asked, 0);
    await rememberFleet(context, asked.fleet);
    await context.respond(
      host === undefined
        ? await listCard(context, asked, hosts, measure, page)
        : hostCard(asked.fleet, findHost(asked.fleet, hosts, host), measure),
    );
  },
});

/** The hosts, and what the version needs. */
async function read(
  context: Context<unknown>,
  { fleet, application, version }: Asked,
  atMostOldMs: number,
): Promise<[hosts: readonly FleetHost[], measure: Measure | undefined]> {
  const hosts = await context.catalog
    .hosts(fleet, atMostOldMs)
    .catch((cause: unknown) => unknownFleet(context, fleet, cause));
  if (application === undefined) return [hosts, undefined];
  const found = (await context.catalog.versions(application)).find(({ name }) => name === version);
  return [hosts, { ...found, name: `${application} ${version}` }];
}

/** The vendor's files declare 400 where the fleet does not exist; its other calls answer 404. */
async function unknownFleet(context: Context<unknown>, fleet: string, cause: unknown): Promise<never> {
  if (!(cause instanceof EdgegapError) || ![400, 404].includes(cause.status ?? 0)) throw cause;
  const known = (await knownFleets(context)).filter((one) => one !== fleet);
  throw new InputError('fleet-unknown', `Edgegap has no private fleet ${quoted(fleet)} in this account.`, {
    hint: `${known.length > 0 ? suggestion(fleet, known) : 'Check the name, capital letters included.'} The Edgegap dashboard shows all fleets.`,
    cause,
  });
}

function findHost(fleet: string, hosts: readonly FleetHost[], wanted: string): FleetHost {
  const [found] = namesakes(wanted, hosts, ({ host_id }) => host_id);
  if (found) return found;
  const ids = hosts.map(({ host_id }) => host_id);
  throw new InputError('host-unknown', `${fleet} has no host ${quoted(wanted)}.`, {
    hint: ids.length > 0 ? suggestion(wanted, ids) : 'The fleet has no hosts.',
  });
}

async function listCard(
  context: Context<unknown>,
  asked: Asked,
  hosts: readonly FleetHost[],
  measure: Measure | undefined,
  wanted: number,
): Promise<Card> {
  const { rows, ...at } = pageOf(bestFirst(hosts, measure), wanted, ROWS);
  const buttons = { page: at.page, more: at.page < at.pages };
  const nodes: Node[] = [
    { kind: 'text', text: summary(hosts, measure) },
    ...rows.map((host) => row(host, measure)),
    ...pageNote(at),
    ...(await pageButtons(context, 'hosts', asked, buttons)),
  ];
  const title = [`${asked.fleet}: ${counted(hosts.length, 'host')}`];
  return { kind: 'card', tone: 'neutral', title, nodes };
}

function bestFirst(hosts: readonly FleetHost[], measure: Measure | undefined): FleetHost[] {
  const fits = (host: FleetHost) => (measure ? fitting(host, measure) : 0);
  const isActive = ({ status }: FleetHost) => Number(status === 'ACTIVE');
  const free = (host: FleetHost) => cpuOf(host)?.free ?? 0;
  return hosts.toSorted(
    (a, b) =>
      fits(b) - fits(a) ||
      isActive(b) - isActive(a) ||
      free(b) - free(a) ||
      a.host_id.localeCompare(b.host_id, 'en', { numeric: true }),
  );
}

/** What a person wants to know first: how many fit, or else how much is free. */
function summary(hosts: readonly FleetHost[], measure: Measure | undefined): Rich {
  if (hosts.length === 0) return ['The fleet has no hosts yet: the Edgegap dashboard starts them.'];
  const active = hosts.filter(({ status }) => status === 'ACTIVE');
  const waiting = hosts.length - active.length;
  const others = waiting > 0 ? ` ${counted(waiting, 'host')} not active yet.` : '';
  if (!measure) {
    const sum = (rooms: readonly (Room | undefined)[]): Room => ({
      free: rooms.reduce((total, room) => total + (room?.free ?? 0), 0),
      total: rooms.reduce((total, room) => total + (room?.total ?? 0), 0),
    });
    const free = `${vcpuLeft(sum(active.map(cpuOf)))} and ${memoryLeft(sum(active.map(memoryOf)))}`;
    return [{ bold: `${free} free` }, ` on ${counted(active.length, 'active host')}.${others}`];
  }
  const each = needsText(measure);
  if (each === '') return [`Edgegap does not say how much ${measure.name} needs.${others}`];
  const all = active.map((host) => fitting(host, measure));
  const fit = all.reduce((total, count) => total + count, 0);
  const on = counted(all.filter((count) => count > 0).length, 'host');
  return [{ bold: `${fit} more of ${measure.name} fit` }, ` on ${on} (${each} each).${others}`];
}

function row(host: FleetHost, measure: Measure | undefined): Node {
  const { status } = host;
  const fits = measure && needsText(measure) !== '' ? `fits ${fitting(host, measure)}` : undefined;
  const [deleted] = deletion(host);
  return rowText(
    [{ code: host.host_id }, ...(deleted ? [' · will be deleted ', deleted] : [])],
    [...(status === 'ACTIVE' ? [fits, ...roomText(host)] : [statusText(host)]), placeName(host)],
  );
}

function hostCard(fleet: string, host: FleetHost, measure: Measure | undefined): Card {
  const { fleet_host_specifications: has, ip_address, centroid } = host;
  const created = parseEdgegapTime(host.created_at);
  const [cpu, ram] = roomText(host);
  const speed = has?.base_clock_speed_mhz;
  const specifications = [
    has?.cpu_units === undefined ? undefined : vcpu(has.cpu_units),
    has?.memory_mb === undefined ? undefined : memory(has.memory_mb),
    speed === undefined ? undefined : `${Number((speed / 1000).toFixed(2))} GHz`,
  ].filter((part) => part !== undefined);
  const fields: (Field | false)[] = [
    { label: 'Status', value: [{ bold: statusText(host) }] },
    {
      label: 'Place',
      value: [[placeName(host), host.continent].filter((part) => part).join(', ') || 'not known yet'],
    },
    { label: 'CPU', value: [cpu] },
    { label: 'Memory', value: [ram] },
    measure !== undefined &&
      needsText(measure) !== '' && {
        label: 'Fits',
        value: [
          { bold: `${fitting(host, measure)} more of ${measure.name}` },
          ` (${needsText(measure)} each)`,
        ],
      },
    deletion(host).length > 0 && { label: 'Deletion', value: deletion(host) },
    specifications.length > 0 && { label: 'Specifications', value: [specifications.join(', ')] },
    ip_address !== undefined && { label: 'IP', value: [{ code: ip_address }] },
    centroid?.label !== undefined && { label: 'Centroid', value: [centroid.label] },
    created !== undefined && { label: 'Created', value: [{ time: created, style: 'clock' }] },
    { label: 'Fleet', value: [fleet] },
  ];
  return {
    kind: 'card',
    tone: host.status === 'ACTIVE' ? 'success' : 'progress',
    title: [{ code: host.host_id }],
    nodes: [{ kind: 'fields', fields: fields.filter((field) => field !== false) }],
  };
}

function statusText({ status }: FleetHost): string {
  if (status === 'ACTIVE') return 'Active: takes deployments';
  return status === 'PENDING' ? 'Pending: being prepared, takes no deployments yet' : status;
}

function deletion({ delete_schedule }: FleetHost): Rich {
  const at = parseEdgegapTime(delete_schedule?.scheduled_at);
  return at === undefined ? [] : [{ time: at, style: 'relative' }];
}

function needsText({ req_cpu, req_memory }: Needs): string {
  return [...(req_cpu ? [vcpu(req_cpu)] : []), ...(req_memory ? [memory(req_memory)] : [])].join(', ');
}

function roomText(host: FleetHost): [cpu: string, memory: string] {
  const [cpu, ram] = [cpuOf(host), memoryOf(host)];
  return [cpu ? `${vcpuLeft(cpu)} free` : 'not known yet', ram ? `${memoryLeft(ram)} free` : 'not known yet'];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
