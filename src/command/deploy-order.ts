import type { LegacyDetails, OrderDetails } from '../deployments/deployment.ts';
import { lifetimeFor } from '../deployments/lifetime.ts';
import type { FleetHost } from '../edgegap/catalogue.ts';
import { InputError } from '../errors.ts';
import type { Wanted } from './confirm-deploy.ts';
import type { Services } from './define.ts';
import { hostsWithRoom, namedHosts } from './deploy-hosts.ts';
import { type GivenPlaces, placement } from './deploy-place.ts';
import { hostNamed, readHosts } from './hosts.ts';
import type { Variable } from './kinds/variables.ts';
import { noActiveVersion, versionsOf } from './kinds/version.ts';

/** The maximum age of the list of versions, in milliseconds, from which the bot chooses the newest version. */
const FRESH_MS = 5_000;

/** The options of `deploy`. */
export interface Given extends GivenPlaces {
  readonly application: string;
  readonly version?: string | undefined;
  readonly tag?: readonly string[] | undefined;
  readonly env?: readonly Variable[] | undefined;
  readonly hidden?: readonly Variable[] | undefined;
  readonly cpu?: number | undefined;
  readonly memory?: number | undefined;
  readonly cached?: boolean | undefined;
  readonly fleet?: string | undefined;
  readonly host?: readonly string[] | undefined;
  readonly command?: string | undefined;
  readonly arguments?: string | undefined;
  readonly 'log-storage'?: string | undefined;
  /** The lifetime in milliseconds. */
  readonly for?: number | undefined;
  readonly preset?: string | undefined;
}

/** The order that the options describe. Throws InputError if Edgegap cannot carry out this order. */
export async function orderOf(services: Services, given: Given): Promise<Wanted> {
  const { application, tag = [], cached, fleet, host } = given;
  const lifetime = lifetimeFor(services.settings.lifetime, given.for);
  const { legacy, resources } = together(given);
  if (legacy && !given.ip) throw placeNotLegacy(given);
  const version = given.version ?? (await newestVersion(services, application));
  const named =
    fleet && host ? await namedHosts(services, { application, version, fleet, resources }, host) : undefined;
  // Without a location, the server is deployed near the first named host whose position Edgegap reports.
  const isMapped = ({ latitude, longitude }: FleetHost) => latitude !== undefined && longitude !== undefined;
  const mapped = given.ip ? undefined : named?.find(isMapped);
  const near = given.near ?? (mapped && [mapped]);
  const place = await placement(services, { ...given, near });
  const hosts = fleet
    ? (named ?? (await hostsWithRoom(services, { application, version, fleet, resources }, place.users)))
    : [];
  const plan: OrderDetails = {
    ...place,
    tags: tag,
    preset: given.preset,
    env: variablesOf(services, given),
    resources,
    cached: cached || undefined,
    fleet: fleet ? { name: fleet, hosts: hosts.map(({ host_id }) => host_id) } : undefined,
    legacy,
    newest: given.version === undefined || undefined,
    lifetime,
  };
  return { application, version, plan };
}

/**
 * Checks the options of a preset, which may be only a part of the options of a deploy. Throws InputError if the options
 * exclude each other, or if the fleet does not have the named host.
 */
export async function checkPart(services: Services, given: Partial<Given>): Promise<void> {
  together(given);
  const { fleet, host = [] } = given;
  if (fleet === undefined || host.length === 0) return;
  const hosts = await readHosts(services, fleet);
  for (const name of host) hostNamed(name, hosts, fleet);
}

/**
 * Returns the parts of the order that depend on several options. Throws InputError if these options exclude each other.
 */
function together(given: Partial<Given>): Pick<OrderDetails, 'legacy' | 'resources'> {
  if (given.host && given.fleet === undefined)
    throw new InputError('host-alone', 'A host alone does not say of which fleet.', {
      hint: 'Add the fleet, for example `--fleet tournament`.',
      option: 'host',
    });
  return { legacy: legacyOf(given), resources: resourcesOf(given) };
}

/** The variables of the order. The values of hidden variables are encrypted. */
function variablesOf({ vault }: Services, { env, hidden }: Given): OrderDetails['env'] {
  const twice = hidden?.find(({ key }) => env?.some((other) => other.key === key));
  if (twice)
    throw new InputError('env-twice', `The variable ${twice.key} is set twice: openly and hidden.`, {
      hint: 'Give each variable once.',
      option: 'hidden',
    });
  const sealed = hidden?.map(({ key, value }) => ({ key, sealed: vault.seal(value) }));
  return env || sealed ? [...(env ?? []), ...(sealed ?? [])] : undefined;
}

async function newestVersion({ catalog }: Services, application: string): Promise<string> {
  const versions = await versionsOf(catalog, application, FRESH_MS);
  const newest = versions.find(({ is_active }) => is_active);
  if (newest) return newest.name;
  throw noActiveVersion(application);
}

function resourcesOf({ cpu, memory }: Partial<Given>): OrderDetails['resources'] {
  if (cpu === undefined && memory === undefined) return undefined;
  if (cpu === undefined || memory === undefined)
    throw new InputError('resources-half', 'cpu and memory belong together: only one of them is given.', {
      hint: 'Give both, or leave both out. Without them, the server gets the resources of its version.',
      option: cpu === undefined ? 'cpu' : 'memory',
    });
  if (memory > 2 * cpu)
    throw new InputError('memory-too-large', `memory may be at most twice cpu, which is ${2 * cpu} MiB.`, {
      hint: `Lower memory, or raise cpu to at least ${Math.ceil(memory / 2)}.`,
      option: 'memory',
    });
  return { cpu_units: cpu, memory_mib: memory };
}

/**
 * `LEGACY` holds the options that only Edgegap's older API accepts. `NOT_LEGACY` holds the options that the older API
 * does not accept.
 */
const LEGACY = ['command', 'arguments', 'log-storage'] as const;
const NOT_LEGACY = ['cpu', 'memory', 'cached', 'fleet', 'host', 'near'] as const;

function legacyOf(given: Partial<Given>): LegacyDetails | undefined {
  const [legacy] = LEGACY.filter((name) => given[name] !== undefined);
  if (legacy === undefined) return undefined;
  const [other] = NOT_LEGACY.filter((name) => given[name] !== undefined && given[name] !== false);
  if (other !== undefined && other !== 'near')
    throw new InputError('legacy-combination', `${legacy} and ${other} cannot be combined.`, {
      hint: `Only Edgegap’s older API takes ${legacy}, and that API takes no ${other}. Leave out one of them.`,
    });
  if (other === 'near') throw placeNotLegacy(given);
  const { command, arguments: args, 'log-storage': logStorage } = given;
  if (/^(?:yes|no|true|false|on|off)$/i.test(logStorage ?? ''))
    throw new InputError(
      'log-storage-name',
      'For a deploy, log-storage needs the name of an endpoint storage.',
      {
        hint: 'The Edgegap dashboard shows the names. Without log-storage, the version decides about the log.',
      },
    );
  return { command, arguments: args, logStorage };
}

function placeNotLegacy(given: Partial<Given>): InputError {
  const [legacy] = LEGACY.filter((name) => given[name] !== undefined);
  return new InputError('legacy-place', `With ${legacy}, Edgegap takes only the addresses of players.`, {
    hint: `Give addresses, for example \`--ip 203.0.113.7\`${given.near ? ' in place of near' : ''}, or leave out ${legacy}.`,
  });
}
