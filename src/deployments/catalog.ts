import { LRUCache } from 'lru-cache';
import { type Clock, stopwatch } from '../clock.ts';
import type { Application, AppVersion, FleetHost } from '../edgegap/catalogue.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { type Location, parseEdgegapTime } from '../edgegap/schema.ts';
import { BACKGROUND, type CallOptions } from '../edgegap/transport.ts';
import { oneAtATime } from '../loop.ts';

const TTL_MS = 5 * 60_000;
/**
 * If a name was not found, the list is read again, but at most once in this time, because people often repeat a command
 * with a wrong name.
 */
const MISS_TTL_MS = 5_000;
/**
 * While people type, a list that is older than this is read again in the background, unless the list has a time of its own. If Edgegap does not answer, the
 * bot also waits this long before it asks again.
 */
const SEEN_TTL_MS = 15_000;

/** Edgegap's last answer with a list. */
export interface Seen<Row> {
  readonly rows: readonly Row[];
  /**
   * The time of the last answer, in epoch milliseconds. Set only if Edgegap has failed to answer since then, so that the
   * list may be out of date.
   */
  readonly asOf: number | undefined;
}

/** The account's applications, versions, locations and hosts, kept in a cache. */
export interface Catalog {
  /**
   * `atMostOldMs` is the maximum age of the cached list. A caller passes this limit before it says that a name does not
   * exist.
   */
  applications(atMostOldMs?: number, call?: CallOptions): Promise<readonly Application[]>;
  /** The newest version comes first. */
  versions(application: string, atMostOldMs?: number, call?: CallOptions): Promise<readonly AppVersion[]>;
  locations(atMostOldMs?: number, call?: CallOptions): Promise<readonly Location[]>;
  hosts(fleet: string, atMostOldMs?: number, call?: CallOptions): Promise<readonly FleetHost[]>;
  /**
   * These functions return the lists as they were last read, without waiting for Edgegap. If a list is old, they also
   * begin to read the list again in the background.
   */
  readonly seen: {
    applications(): Seen<Application>;
    versions(application: string): Seen<AppVersion>;
    locations(): Seen<Location>;
    hosts(fleet: string): Seen<FleetHost>;
  };
  /**
   * The applications as they were last read, together with the versions that were last read. The newest version comes
   * first. Sends no request to Edgegap.
   */
  lastSeen(): readonly (Application & { readonly versions: readonly AppVersion[] })[];
}

export function createCatalog(edgegap: EdgegapApi, clock: Clock): Catalog {
  const applications = cached(clock, (call) => edgegap.applications(call));
  const locations = cached(clock, async (call) => (await edgegap.locations({}, call)).locations, TTL_MS);
  const versions = cachedByName(clock, async (application, call) =>
    newestFirst(await edgegap.versions(application, call)),
  );
  const hosts = cachedByName(clock, (fleet, call) => edgegap.hosts(fleet, call));
  return {
    applications: applications.read,
    locations: locations.read,
    versions: (application, ...how) => versions(application).read(...how),
    hosts: (fleet, ...how) => hosts(fleet).read(...how),
    seen: {
      applications: applications.seen,
      locations: locations.seen,
      versions: (application) => versions(application).seen(),
      hosts: (fleet) => hosts(fleet).seen(),
    },
    lastSeen: () => applications.last().map((one) => ({ ...one, versions: versions(one.name).last() })),
  };
}

/** Searches the cached items with `find`. If nothing is found, reads the items again and searches a second time. */
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

interface Cached<Row> {
  read(atMostOldMs?: number, call?: CallOptions): Promise<readonly Row[]>;
  seen(): Seen<Row>;
  last(): readonly Row[];
}

/** The maximum number of names in the cache. There is a limit because people also type names that do not exist. */
const NAMES = 500;

function cachedByName<Row>(
  clock: Clock,
  ask: (name: string, call?: CallOptions) => Promise<readonly Row[]>,
): (name: string) => Cached<Row> {
  const entries = new LRUCache<string, Cached<Row>>({ max: NAMES });
  return (name) => {
    const entry = entries.get(name) ?? cached(clock, (call) => ask(name, call));
    entries.set(name, entry);
    return entry;
  };
}

/**
 * Caches the result of `ask`. Only one read runs at a time, and a failure is not cached. `seen` begins a new read if
 * the result is older than `seenTtlMs`.
 */
export function cached<Row>(
  clock: Clock,
  ask: (call?: CallOptions) => Promise<readonly Row[]>,
  seenTtlMs = SEEN_TTL_MS,
): Cached<Row> {
  let value: { readonly rows: readonly Row[]; readonly at: number; readonly ageMs: () => number } | undefined;
  let failedAgoMs: (() => number) | undefined;
  const readNow = oneAtATime(async (call?: CallOptions) => {
    try {
      const rows = await ask(call);
      value = { rows, at: clock.now(), ageMs: stopwatch(clock) };
      failedAgoMs = undefined;
      return rows;
    } catch (error) {
      failedAgoMs = stopwatch(clock);
      throw error;
    }
  });
  const read = async (atMostOldMs = TTL_MS, call?: CallOptions) =>
    value && value.ageMs() < atMostOldMs ? value.rows : await readNow(call);
  return {
    read,
    seen() {
      const waits = failedAgoMs && failedAgoMs() < SEEN_TTL_MS;
      if (!waits) read(seenTtlMs, BACKGROUND).catch(() => undefined);
      return { rows: value?.rows ?? [], asOf: failedAgoMs && (value?.at ?? 0) };
    },
    last: () => value?.rows ?? [],
  };
}

const BY_NUMBER = new Intl.Collator('en', { numeric: true });

/**
 * The versions, newest first. Versions of the same age are sorted by the numbers in their names, so that `build-10`
 * stands before `build-9`.
 */
function newestFirst(versions: readonly AppVersion[]): AppVersion[] {
  return versions
    .map((version) => ({ version, madeAt: parseEdgegapTime(version.create_time) ?? 0 }))
    .toSorted((a, b) => b.madeAt - a.madeAt || BY_NUMBER.compare(b.version.name, a.version.name))
    .map(({ version }) => version);
}
