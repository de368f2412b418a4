import type { Address } from '../adapters/adapter.ts';
import { type Catalog, findFresh } from '../deployments/catalog.ts';
import type { Deployments } from '../deployments/deployments.ts';
import type { Location } from '../edgegap/schema.ts';
import { InputError } from '../errors.ts';
import { nearest, quoted } from './argv.ts';
import type { OptionSpecs } from './options.ts';
import type { DeploymentTarget } from './services.ts';

export interface ResolveParts {
  readonly catalog: Catalog;
  readonly deployments: Deployments;
}

/**
 * Puts what exists in place of what was named: the location of a city, the deployment of a prefix; and makes sure that
 * an application and version exist and can be deployed. Throws InputError with what to use instead.
 */
export async function resolveValues(
  parsed: Readonly<Record<string, unknown>>,
  specs: OptionSpecs,
  at: Address,
  { catalog, deployments }: ResolveParts,
): Promise<Record<string, unknown>> {
  const resolved: Record<string, unknown> = { ...parsed };
  let application: string | undefined;
  for (const [name, spec] of Object.entries(specs)) {
    const value = parsed[name];
    if (typeof value !== 'string') continue;
    if (spec.kind === 'application') application = resolved[name] = await findApplication(catalog, value);
    else if (spec.kind === 'version' && application)
      resolved[name] = await findVersion(catalog, application, value);
    else if (spec.kind === 'location') resolved[name] = await findLocation(catalog, value);
    else if (spec.kind === 'deployment') resolved[name] = await findDeployment(deployments, at, value);
  }
  return resolved;
}

async function findApplication(catalog: Catalog, name: string): Promise<string> {
  const { found, all } = await findFresh(
    (age) => catalog.applications(age),
    (applications) => applications.find((one) => one.name === name),
  );
  if (!found)
    throw new InputError('application-unknown', `There is no application ${quoted(name)}.`, {
      hint: suggestion(
        name,
        all.filter((one) => one.is_active).map((one) => one.name),
      ),
    });
  if (!found.is_active)
    throw new InputError('application-inactive', `The application ${quoted(name)} is switched off.`, {
      hint: 'Activate it in the Edgegap dashboard, or use another one.',
    });
  return found.name;
}

async function findVersion(catalog: Catalog, application: string, name: string): Promise<string> {
  const { found, all } = await findFresh(
    (age) => catalog.versions(application, age),
    (versions) => versions.find((one) => one.name === name),
  );
  const active = all.filter((one) => one.is_active).map((one) => one.name);
  if (!found)
    throw new InputError('version-unknown', `${application} has no version ${quoted(name)}.`, {
      hint: suggestion(name, active),
    });
  if (!found.is_active)
    throw new InputError('version-inactive', `Version ${quoted(name)} of ${application} is switched off.`, {
      hint: `Activate it in the Edgegap dashboard. ${suggestion('', active)}`,
    });
  return found.name;
}

/** Finds a city by name, or by `city, country` (or division) where several have the name. Accents and case do not matter. */
export async function findLocation(catalog: Catalog, name: string): Promise<Location> {
  const [city = '', ...rest] = name.split(',').map(plain);
  const region = rest.join(' ');
  const { found, all } = await findFresh(
    (age) => catalog.locations(age),
    (locations) => {
      const inRegion = (one: Location) =>
        region === '' ||
        [one.country, one.administrative_division].some((part) => plain(part ?? '') === region);
      const matches = locations.filter((one) => plain(one.city ?? '') === city && inRegion(one));
      return matches.length > 0 ? matches : undefined;
    },
  );
  const places = new Map((found ?? []).map((one) => [placeName(one), one]));
  const [only] = places.values();
  if (only && places.size === 1) return only;
  if (places.size > 1)
    throw new InputError('location-ambiguous', `There are several places called ${quoted(name)}.`, {
      hint: `Say which: ${[...places.keys()].map((place) => `"${place}"`).join(' or ')}.`,
    });
  const cities = [...new Set(all.flatMap((one) => one.city ?? []))].toSorted();
  throw new InputError('location-unknown', `Edgegap has no location ${quoted(name)}.`, {
    hint: suggestion(name, cities),
  });
}

/** `Montreal, Canada`. */
export function placeName({ city, country, administrative_division }: Location): string {
  return [city, country ?? administrative_division].filter((part) => part).join(', ');
}

async function findDeployment(
  deployments: Deployments,
  at: Address,
  value: string,
): Promise<DeploymentTarget> {
  if (value === '@last') {
    const latest = await deployments.latest(at);
    if (latest?.requestId) return { request_id: latest.requestId, known: latest };
    throw new InputError('no-last', 'Nothing was deployed from this channel yet.', {
      hint: 'Give a request_id; list shows what is running.',
    });
  }
  const exact = await deployments.byRequestId(value);
  if (exact) return { request_id: value, known: exact };
  const candidates = await deployments.byPrefix(at, value);
  const [only] = candidates;
  if (only?.requestId && candidates.length === 1) return { request_id: only.requestId, known: only };
  if (candidates.length > 1)
    throw new InputError(
      'prefix-ambiguous',
      `Several deployments of this channel begin with ${quoted(value)}.`,
      {
        hint: `Type more of it: ${candidates.map((one) => one.requestId).join(', ')}.`,
      },
    );
  // Not one of ours: it may have been deployed from the dashboard or by a matchmaker. Edgegap says.
  return { request_id: value, known: undefined };
}

function suggestion(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'There is none that can be used.';
  const near = name && nearest(name, known);
  if (near) return `Did you mean ${near}?`;
  const shown = known.slice(0, 12).join(', ');
  return `There ${known.length === 1 ? 'is' : 'are'}: ${shown}${known.length > 12 ? ` and ${known.length - 12} more` : ''}.`;
}

function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').trim().toLowerCase();
}
