/* Finds and suggests the hosts of private fleets by their names. */
import type { FleetHost } from '../edgegap/catalogue.ts';
import { EdgegapError } from '../edgegap/errors.ts';
import { InputError } from '../errors.ts';
import { quoted } from './argv.ts';
import { bestNames } from './best-matches.ts';
import type { Services } from './define.ts';
import { knownFleets, rememberFleet } from './fleets.ts';
import { suggestion } from './kinds/checked-text.ts';
import { offeringLast } from './offers.ts';
import { namesakes } from './same-name.ts';

type Needed = Pick<Services, 'catalog' | 'payloads' | 'settings'>;

/**
 * Reads the hosts of the fleet, and stores the fleet's name for suggestions. Throws InputError if the fleet does not
 * exist.
 */
export async function readHosts(
  services: Needed,
  fleet: string,
  atMostOldMs?: number,
): Promise<readonly FleetHost[]> {
  const failed = (cause: unknown) => unknownFleet(services, fleet, cause);
  const hosts = await services.catalog.hosts(fleet, atMostOldMs).catch(failed);
  await rememberFleet(services, fleet);
  return hosts;
}

/**
 * Throws InputError if `cause` means that the fleet does not exist. Edgegap's OpenAPI files declare status 400 for a
 * missing fleet, but Edgegap's other endpoints answer 404, so each of these statuses counts.
 */
async function unknownFleet(services: Needed, fleet: string, cause: unknown): Promise<never> {
  if (!(cause instanceof EdgegapError) || ![400, 404].includes(cause.status ?? 0)) throw cause;
  const known = (await knownFleets(services)).filter((one) => one !== fleet);
  const there = known.length > 0 ? suggestion(fleet, known) : 'Check the name, capital letters included.';
  throw new InputError('fleet-unknown', `Edgegap has no private fleet ${quoted(fleet)} in this account.`, {
    hint: `${there} The Edgegap dashboard shows all fleets.`,
    cause,
  });
}

/** Returns the host with this name. Throws InputError if the fleet has no such host. */
export function hostNamed(wanted: string, hosts: readonly FleetHost[], fleet: string): FleetHost {
  const [host] = namesakes(wanted, hosts, ({ host_id }) => host_id);
  if (host) return host;
  throw new InputError('host-unknown', `${fleet} has no host ${quoted(wanted)}.`, {
    hint: suggestion(wanted, idsOf(hosts)),
  });
}

/** Suggests the hosts of the fleet that the option `fleet` names. A person separates several hosts with commas. */
export const suggestHosts = offeringLast(',，', async ({ typed, given, catalog, ...lookup }) => {
  const [fleet] = namesakes(String(given.fleet ?? ''), await knownFleets(lookup), (one) => one);
  return bestNames(typed, fleet === undefined ? [] : idsOf(catalog.seen.hosts(fleet).rows));
});

function idsOf(hosts: readonly FleetHost[]): string[] {
  return hosts.map(({ host_id }) => host_id);
}
