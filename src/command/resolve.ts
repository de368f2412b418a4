import type { Address } from '../adapters/adapter.ts';
import { type Catalog, findFresh } from '../deployments/catalog.ts';
import type { Deployment } from '../deployments/deployment.ts';
import type { Deployments } from '../deployments/deployments.ts';
import { checkDeploymentAllowed } from '../edgegap/allowlist.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import type { Location } from '../edgegap/schema.ts';
import { InputError } from '../errors.ts';
import { nearest, quoted } from './argv.ts';
import type { OptionSpecs } from './options.ts';
import { argumentMissing } from './parse.ts';
import type { CommandSettings, DeploymentTarget } from './services.ts';

/** Of a request_id: a shorter one is the beginning of one. */
const ID_LENGTH = 12;

export interface ResolveParts {
  readonly catalog: Catalog;
  readonly deployments: Deployments;
  readonly edgegap: EdgegapApi;
  readonly settings: CommandSettings;
}

/**
 * Puts what exists in place of what was named: the location of a city, the deployment of a prefix; and makes sure that
 * an application and version are given where they must be, exist and can be deployed. Throws InputError with what to use
 * instead.
 */
export async function resolveValues(
  parsed: Readonly<Record<string, unknown>>,
  { name: command, specs }: { readonly name: string; readonly specs: OptionSpecs },
  at: Address,
  parts: ResolveParts,
): Promise<Record<string, unknown>> {
  const { catalog } = parts;
  const resolved: Record<string, unknown> = { ...parsed };
  let application: string | undefined;
  for (const [name, spec] of Object.entries(specs)) {
    const value = parsed[name];
    const named = spec.kind === 'application' || spec.kind === 'version';
    if (value === undefined && spec.required && named)
      throw argumentMissing(name, command, specs, await whichThereAre(catalog, spec.kind, application));
    if (typeof value !== 'string') continue;
    if (spec.kind === 'application') application = resolved[name] = await findApplication(catalog, value);
    else if (spec.kind === 'version' && application)
      resolved[name] = await findVersion(catalog, application, value);
    else if (spec.kind === 'location') resolved[name] = await findLocation(catalog, value);
    else if (spec.kind === 'deployment') resolved[name] = await findDeployment(parts, at, value);
  }
  return resolved;
}

/** Both as they are deployed. Throws InputError where one does not exist or is switched off. */
export async function findDeployable(
  catalog: Catalog,
  { application, version }: { readonly application: string; readonly version: string },
): Promise<{ application: string; version: string }> {
  const found = await findApplication(catalog, application);
  return { application: found, version: await findVersion(catalog, found, version) };
}

/** Empty where that cannot be told, or not now: what is missing is said all the same. */
async function whichThereAre(
  catalog: Catalog,
  kind: 'application' | 'version',
  application: string | undefined,
): Promise<string> {
  if (kind === 'version' && application === undefined) return '';
  const known = kind === 'version' ? catalog.versions(application ?? '') : catalog.applications();
  return await known.then(
    (all) => suggestion('', active(all)),
    () => '',
  );
}

function active(all: readonly { readonly name: string; readonly is_active: boolean }[]): string[] {
  return all.filter((one) => one.is_active).map((one) => one.name);
}

async function findApplication(catalog: Catalog, name: string): Promise<string> {
  const { found, all } = await findFresh(
    (age) => catalog.applications(age),
    (applications) => applications.find((one) => one.name === name),
  );
  if (!found)
    throw new InputError('application-unknown', `There is no application ${quoted(name)}.`, {
      hint: suggestion(name, active(all)),
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
  if (!found)
    throw new InputError('version-unknown', `${application} has no version ${quoted(name)}.`, {
      hint: suggestion(name, active(all)),
    });
  if (!found.is_active)
    throw new InputError('version-inactive', `Version ${quoted(name)} of ${application} is switched off.`, {
      hint: `Activate it in the Edgegap dashboard. ${suggestion('', active(all))}`,
    });
  return found.name;
}

/**
 * Finds a city by name, or by `city, country` (or division, or both) where several have the name. Accents and case do
 * not matter.
 */
export async function findLocation(catalog: Catalog, name: string): Promise<Location> {
  const [city = '', ...region] = name.split(',').map(plain);
  const { found, all } = await findFresh(
    (age) => catalog.locations(age),
    (locations) => {
      const inRegion = ({ country, administrative_division }: Location) =>
        region.every((part) => [country, administrative_division].some((one) => plain(one ?? '') === part));
      const named = (is: (name: string) => boolean) =>
        locations.filter((one) => is(plain(one.city ?? '')) && inRegion(one));
      const matches = named((one) => one === city);
      if (matches.length > 0) return matches;
      // `New York` for `New York City`, but no half a word: where it costs money is not to be guessed.
      const longer = named((one) => city !== '' && one.startsWith(`${city} `));
      return longer.length > 0 ? longer : undefined;
    },
  );
  // One city may be listed several times, once for each data centre.
  const places = new Map((found ?? []).map((one) => [fullName(one), one]));
  const [only] = places.values();
  if (only && places.size === 1) return only;
  if (places.size > 1)
    throw new InputError('location-ambiguous', `There are several places called ${quoted(name)}.`, {
      hint: `Say which: ${[...places.keys()].map((place) => `"${place}"`).join(' or ')}.`,
    });
  const cities = [...new Set(all.flatMap((one) => one.city ?? []))].toSorted();
  const begun = city === '' ? [] : cities.filter((one) => plain(one).startsWith(city));
  throw new InputError('location-unknown', `Edgegap has no location ${quoted(name)}.`, {
    hint: begun.length > 0 ? `Did you mean ${begun.slice(0, 5).join(' or ')}?` : suggestion(city, cities),
  });
}

/** `Portland, Oregon, United States of America`: what tells two cities of one name apart. */
function fullName({ city, country, administrative_division }: Location): string {
  return [city, administrative_division, country].filter((part) => part).join(', ');
}

/** `Montreal, Canada`. */
export function placeName({ city, country, administrative_division }: Location): string {
  return [city, country ?? administrative_division].filter((part) => part).join(', ');
}

/**
 * The deployment of a request_id, a unique beginning of one, or `@last`. Makes sure that it exists and that its
 * application may be worked with, so that neither has to be found out in public.
 */
export async function findDeployment(
  parts: ResolveParts,
  at: Address,
  value: string,
): Promise<DeploymentTarget> {
  const { deployments, edgegap, settings } = parts;
  const known = await findKnown(deployments, at, value);
  // Not one of ours: it may have been deployed from the dashboard or by a matchmaker. Edgegap says.
  if (!known?.requestId) {
    const whole = value.length < ID_LENGTH ? await findListed(parts, value) : undefined;
    if (whole !== undefined) return await findDeployment(parts, at, whole);
    return { request_id: value, known: undefined, seen: await edgegap.status(value) };
  }
  checkDeploymentAllowed(settings.applicationAllowlist, known.application);
  return { request_id: known.requestId, known, seen: undefined };
}

async function findKnown(
  deployments: Deployments,
  at: Address,
  value: string,
): Promise<Deployment | undefined> {
  if (value === '@last') {
    const latest = await deployments.latest(at);
    if (latest) return latest;
    throw new InputError('no-last', 'Nothing was deployed from this channel yet.', {
      hint: 'Give a request_id; list shows what is running.',
    });
  }
  const exact = await deployments.byRequestId(value);
  if (exact) return exact;
  const candidates = await deployments.byPrefix(at, value);
  if (candidates.length < 2) return candidates[0];
  const ids = candidates.map((one) => one.requestId);
  throw ambiguous(`Several deployments of this channel begin with ${quoted(value)}.`, ids);
}

/**
 * The request_id of the active deployment that begins so and was not deployed from chat; undefined where there is none.
 * What another channel deployed has its own people, and is named in full.
 */
async function findListed(
  { edgegap, deployments }: ResolveParts,
  value: string,
): Promise<string | undefined> {
  const ids: string[] = [];
  for await (const { request_id } of edgegap.allDeployments({ limit: 50 }))
    if (request_id.startsWith(value) && !(await deployments.byRequestId(request_id))) ids.push(request_id);
  if (ids.length < 2) return ids[0];
  throw ambiguous(`Several active deployments begin with ${quoted(value)}.`, ids.slice(0, 5));
}

function ambiguous(message: string, ids: readonly (string | undefined)[]): InputError {
  return new InputError('prefix-ambiguous', message, { hint: `Type more of it: ${ids.join(', ')}.` });
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
