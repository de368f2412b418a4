import type { Address } from '../chat/port.ts';
import { type Catalog, findFresh, newestFirst } from '../deployments/catalog.ts';
import type { Deployment, DeploymentTarget } from '../deployments/deployment.ts';
import type { Deployments } from '../deployments/deployments.ts';
import { checkDeploymentAllowed } from '../edgegap/allowlist.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { isNoSuchDeployment } from '../edgegap/errors.ts';
import type { Application, AppVersion, Location } from '../edgegap/schema.ts';
import { InputError } from '../errors.ts';
import { nearest, quoted } from './argv.ts';
import type { CommandSettings } from './define.ts';
import type { OptionSpecs } from './options.ts';
import { argumentMissing } from './parse.ts';
import { isSameName, nameKey, namesakes } from './same-name.ts';

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
async function whichThereAre(catalog: Catalog, kind: 'application' | 'version', application = '') {
  if (kind === 'version' && application === '') return '';
  const known = kind === 'version' ? newestVersions(catalog, application) : catalog.applications();
  return await known.then(
    (all) => suggestion('', active(all)),
    () => '',
  );
}

function active(all: readonly Named[]): string[] {
  return all.filter((one) => one.is_active).map((one) => one.name);
}

type Named = Application | AppVersion;

function findApplication(catalog: Catalog, name: string): Promise<string> {
  return findNamed((age) => catalog.applications(age), name);
}

function findVersion(catalog: Catalog, application: string, name: string): Promise<string> {
  return findNamed((age) => newestVersions(catalog, application, age), name, application);
}

/** Of many builds the last ones are what somebody may mean. */
async function newestVersions(catalog: Catalog, application: string, atMostOldMs?: number): Promise<Named[]> {
  return newestFirst(await catalog.versions(application, atMostOldMs));
}

/** The application of that name, or the version of the application `of`. */
async function findNamed(
  read: (atMostOldMs?: number) => Promise<readonly Named[]>,
  name: string,
  of?: string,
): Promise<string> {
  // From the cache the very name alone: by now, another one may be called what only means the same.
  const { found: exact, all } = await findFresh(read, (known) => known.find((one) => one.name === name));
  const same = exact ? [exact] : namesakes(name, all, (one) => one.name);
  const usable = active(same);
  const [found, ...others] = usable;
  const kind = of === undefined ? 'application' : 'version';
  if (others.length > 0)
    throw new InputError(`${kind}-ambiguous`, `Several ${kind}s could be meant by ${quoted(name)}.`, {
      hint: `Say which: ${usable.join(' or ')}.`,
    });
  if (found !== undefined) return found;
  const known = suggestion('', active(all));
  if (same.length > 0) {
    const which = of === undefined ? `The application ${quoted(name)}` : `Version ${quoted(name)} of ${of}`;
    throw new InputError(`${kind}-inactive`, `${which} is switched off.`, {
      hint: `Activate it in the Edgegap dashboard. ${known}`,
    });
  }
  const which = of === undefined ? 'There is no application' : `${of} has no version`;
  // Many builds are near to a number that none has: the newest are named too.
  const near = nearest(name, active(all));
  throw new InputError(`${kind}-unknown`, `${which} ${quoted(name)}.`, {
    hint: near ? `Did you mean ${near}? ${known}` : known,
  });
}

/**
 * Finds a city by name, or by `city, country` (or division, or both) where several have the name.
 */
export async function findLocation(catalog: Catalog, name: string): Promise<Location> {
  const [city = '', ...region] = name.split(',').filter((part) => part.trim() !== '');
  const { found, all } = await findFresh(
    (age) => catalog.locations(age),
    (locations) => {
      const inRegion = locations.filter(({ country, administrative_division }) =>
        region.every((part) => [country, administrative_division].some((one) => isSameName(part, one ?? ''))),
      );
      const named = namesakes(city, inRegion, (one) => one.city ?? '');
      const found = named.length > 0 ? named : inRegion.filter((one) => isBeginning(city, one.city ?? ''));
      return found.length > 0 ? found : undefined;
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
  const key = nameKey(city);
  const begun = key === '' ? [] : cities.filter((one) => nameKey(one).startsWith(key));
  throw new InputError('location-unknown', `Edgegap has no location ${quoted(name)}.`, {
    hint: begun.length > 0 ? `Did you mean ${begun.slice(0, 5).join(' or ')}?` : suggestion(city, cities),
  });
}

/** `New York` of `New York City`, but no half a word: where it costs money is not to be guessed. */
function isBeginning(given: string, city: string): boolean {
  const words = city.split(/[\s\p{Pd}]+/u);
  return words.some((_, index) => isSameName(given, words.slice(0, index).join(' ')));
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
  const known = await findKnown(deployments, at, value, settings.applicationAllowlist);
  if (known?.requestId) {
    checkDeploymentAllowed(settings.applicationAllowlist, known.application);
    return { request_id: known.requestId, known, seen: undefined };
  }
  // Not one of ours: it may have been deployed from the dashboard or by a matchmaker. Edgegap says.
  const whole = value.length < ID_LENGTH ? await findListed(parts, value) : undefined;
  if (whole !== undefined) return await findDeployment(parts, at, whole);
  const [, other] = spellings(value);
  const seen = await edgegap.status(value).catch((error: unknown) => {
    if (other === undefined || !isNoSuchDeployment(error)) throw error;
    return edgegap.status(other);
  });
  return { request_id: seen.request_id, known: undefined, seen };
}

/** A request_id as it was typed, then as Edgegap writes them: what is dictated or printed may be in capitals. */
function spellings(id: string): string[] {
  return [...new Set([id, nameKey(id)])];
}

async function findKnown(
  deployments: Deployments,
  at: Address,
  value: string,
  allowed: readonly string[] | undefined,
): Promise<Deployment | undefined> {
  if (value === '@last') {
    const latest = await deployments.latest(at);
    if (latest) return latest;
    throw new InputError('no-last', 'Nothing was deployed from this channel yet.', {
      hint: 'Give a request_id; list shows what is running.',
    });
  }
  for (const id of spellings(value)) {
    const exact = await deployments.byRequestId(id);
    if (exact) return exact;
  }
  const begun = async (only?: readonly string[]) => {
    const found = await Promise.all(spellings(value).map((id) => deployments.byPrefix(at, id, only)));
    return found.find((some) => some.length > 0) ?? [];
  };
  const candidates = await begun(allowed);
  // One that is not allowed is refused as such, where nothing else can be meant; it is never named as a candidate.
  if (candidates.length < 2) return candidates[0] ?? (await begun())[0];
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
  const begins = (id: string) => spellings(value).some((beginning) => id.startsWith(beginning));
  const ids: string[] = [];
  for await (const { request_id } of edgegap.allDeployments({ limit: 50 }))
    if (begins(request_id) && !(await deployments.byRequestId(request_id))) ids.push(request_id);
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
