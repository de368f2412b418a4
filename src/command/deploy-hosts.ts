import type { OrderDetails } from '../deployments/deployment.ts';
import { distance, emptiestFirst, fitting } from '../deployments/resources.ts';
import type { FleetHost } from '../edgegap/catalogue.ts';
import type { DeployUser } from '../edgegap/requests.ts';
import { InputError } from '../errors.ts';
import { quoted } from './argv.ts';
import type { Services } from './define.ts';
import { hostNamed, readHosts } from './hosts.ts';

/**
 * The maximum age of the list of hosts, in milliseconds. The list becomes outdated because each deployment takes room
 * on a host.
 */
const FRESH_MS = 5_000;
/** If the person names no hosts, the bot offers Edgegap at most this many hosts for a deploy. */
const MOST = 25;

interface Wanted {
  readonly application: string;
  readonly version: string;
  readonly fleet: string;
  readonly resources: OrderDetails['resources'];
}

/**
 * The hosts with these names, without duplicates. Throws InputError if a host does not exist or accepts no deployments,
 * or if all hosts are full.
 */
export async function namedHosts(
  services: Services,
  wanted: Wanted,
  names: readonly string[],
): Promise<readonly FleetHost[]> {
  const { application, version, fleet } = wanted;
  const hosts = await readHosts(services, fleet, FRESH_MS);
  const named = [...new Set(names.map((name) => activeHost(name, hosts, fleet)))];
  if (named.some(await roomFor(services, wanted))) return named;
  const ids = named.map(({ host_id }) => host_id).join(', ');
  throw new InputError('host-full', `No room for ${application} ${version} now on ${ids}.`, {
    hint: `Nothing was deployed. Leave host out to use another host of the fleet, or fleet to deploy in the cloud.`,
  });
}

/** Returns a function that says whether the deployment fits on a host. */
async function roomFor(
  { catalog }: Services,
  { application, version, resources }: Wanted,
): Promise<(host: FleetHost) => boolean> {
  const own = (await catalog.versions(application)).find(({ name }) => name === version);
  const needs = resources ? { req_cpu: resources.cpu_units, req_memory: resources.memory_mib } : (own ?? {});
  // If Edgegap does not report the resources that the version needs, the bot assumes that each active host has room.
  const measured = needs.req_cpu || needs.req_memory;
  return (host) => (measured ? fitting(host, needs) > 0 : host.status === 'ACTIVE');
}

function activeHost(name: string, hosts: readonly FleetHost[], fleet: string): FleetHost {
  const host = hostNamed(name, hosts, fleet);
  if (host.status === 'ACTIVE') return host;
  throw new InputError('host-pending', `The host ${quoted(host.host_id)} takes no servers yet.`, {
    hint: `The host is being prepared (status ${host.status}). Nothing was deployed. Name another host, or try again later.`,
  });
}

/**
 * The hosts of the fleet that have room for the deployment. The nearest host comes first. Throws InputError if all
 * hosts are full.
 */
export async function hostsWithRoom(
  services: Services,
  wanted: Wanted,
  users: readonly DeployUser[],
): Promise<readonly FleetHost[]> {
  const { application, version, fleet } = wanted;
  const hosts = await readHosts(services, fleet, FRESH_MS);
  const found = emptiestFirst(hosts).filter(await roomFor(services, wanted));
  if (found.length === 0)
    throw new InputError('fleet-full', `No host of ${fleet} has room for ${application} ${version} now.`, {
      hint: `Nothing was deployed. \`hosts\` shows how much is free. Without the fleet, Edgegap deploys in the cloud.`,
    });
  const points = users.filter((user) => 'latitude' in user);
  const away = (host: FleetHost) =>
    points.reduce((sum, point) => sum + (distance(host, point) ?? Number.MAX_SAFE_INTEGER), 0);
  return found.toSorted((a, b) => away(a) - away(b)).slice(0, MOST);
}
