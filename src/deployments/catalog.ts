import { LRUCache } from 'lru-cache';
import { type Clock, stopwatch } from '../clock.ts';
import type { Application, AppVersion, FleetHost } from '../edgegap/catalogue.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { type Location, parseEdgegapTime } from '../edgegap/schema.ts';
import { oneAtATime } from '../loop.ts';

const TTL_MS = 5 * 60_000;
/**
 * If a name was not found, the list is read again, but not more often than this, because the bot asks for suggestions
 * at every keystroke.
 */
const MISS_TTL_MS = 5_000;

/** The account's applications, versions, locations and hosts, kept in a cache. */
export interface Catalog {
  /**
   * `atMostOldMs` is the maximum age of the cached list. A caller passes this limit before it says that a name does not
   * exist.
   */
  applications(atMostOldMs?: number): Promise<readonly Application[]>;
  versions(application: string, atMostOldMs?: number): Promise<readonly AppVersion[]>;
  locations(atMostOldMs?: number): Promise<readonly Location[]>;
  hosts(fleet: string, atMostOldMs?: number): Promise<readonly FleetHost[]>;
  /**
   * The applications as they were last read, together with the versions that were last read. The newest version comes
   * first. Sends no request to Edgegap.
   */
  lastSeen(): readonly (Application & { readonly versions: readonly AppVersion[] })[];
}

export function createCatalog(edgegap: EdgegapApi, clock: Clock): Catalog {
  const applications = cached(clock, () => edgegap.applications());
  const locations = cached(clock, async () => (await edgegap.locations()).locations);
  const versions = cachedByName(clock, (application) => edgegap.versions(application));
  const hosts = cachedByName(clock, (fleet) => edgegap.hosts(fleet));
  return {
    applications,
    locations,
    lastSeen: () =>
      (applications.last() ?? []).map((one) => ({
        ...one,
        versions: newestFirst(versions(one.name).last() ?? []),
      })),
    versions: (application, atMostOldMs) => versions(application)(atMostOldMs),
    hosts: (fleet, atMostOldMs) => hosts(fleet)(atMostOldMs),
  };
}

/** Looks with `find` in the cached items. If nothing is found, reads the items again and looks a second time. */
export async function findFresh<Item, Found>(
  read: (atMostOldMs?: number) => Promise<readonly Item[]>,
  find: (items: readonly Item[]) => Found | undefined,
): Promise<{ found: Found | undefined; all: readonly Item[] }> {
  const cachedItems = await read();
  const found = find(cachedItems);
  if (found !== undefined) return { found, all: cachedItems };
  const all = await read(MISS_TTL_MS);
  return { found: find(all), all };
}

type Cached<Value> = ((atMostOldMs?: number) => Promise<Value>) & { last(): Value | undefined };

/** The maximum number of names in the cache. There is a limit because people also type names that do not exist. */
const NAMES = 200;

function cachedByName<Value>(clock: Clock, read: (name: string) => Promise<Value>) {
  const entries = new LRUCache<string, Cached<Value>>({ max: NAMES });
  return (name: string): Cached<Value> => {
    const entry = entries.get(name) ?? cached(clock, () => read(name));
    entries.set(name, entry);
    return entry;
  };
}

/** Caches the result of `read`. Only a single read runs at a time, and a failure is not cached. */
function cached<Value>(clock: Clock, read: () => Promise<Value>): Cached<Value> {
  let value: { readonly is: Value; readonly ageMs: () => number } | undefined;
  const readNow = oneAtATime(async () => {
    const is = await read();
    value = { is, ageMs: stopwatch(clock) };
    return is;
  });
  const fresh = async (atMostOldMs = TTL_MS) =>
    value && value.ageMs() < atMostOldMs ? value.is : await readNow();
  return Object.assign(fresh, { last: () => value?.is });
}

const BY_NUMBER = new Intl.Collator('en', { numeric: true });

/**
 * The versions, newest first. Versions of the same age are sorted by the numbers in their names, so that `build-10`
 * stands before `build-9`.
 */
export function newestFirst(versions: readonly AppVersion[]): AppVersion[] {
  const madeAt = (version: AppVersion) => parseEdgegapTime(version.create_time) ?? 0;
  return versions.toSorted((a, b) => madeAt(b) - madeAt(a) || BY_NUMBER.compare(b.name, a.name));
}
