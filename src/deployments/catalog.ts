import { LRUCache } from 'lru-cache';
import { type Clock, stopwatch } from '../clock.ts';
import type { Application, AppVersion, FleetHost } from '../edgegap/catalogue.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { type Location, parseEdgegapTime } from '../edgegap/schema.ts';
import { BACKGROUND, type CallOptions } from '../edgegap/transport.ts';
import { oneAtATime } from '../loop.ts';

const TTL_MS = 5 * 60_000;
/**
 * If a name is not found in the list, the bot reads the list again. People often repeat a command with a wrong name, so
 * this second read happens at most once in this time.
 */
const MISS_TTL_MS = 5_000;
/**
 * While people type, the bot refreshes a list in the background if the list is older than this limit. A list may have
 * its own limit. If Edgegap does not answer, the bot also waits this long before it asks again.
 */
const SEEN_TTL_MS = 15_000;

/** Edgegap's last answer that contains a list. */
export interface Seen<Row> {
  readonly rows: readonly Row[];
  /**
   * The time of Edgegap's last answer, in epoch milliseconds. Set only if a later request to Edgegap failed, so the
   * list may be outdated.
   */
  readonly asOf: number | undefined;
}

/** The cached applications, versions, locations and hosts of an account. */
export interface Catalog {
  /**
   * `atMostOldMs` is the maximum age of the cached list. A caller uses this limit before reporting that a name does not
   * exist.
   */
  applications(atMostOldMs?: number, call?: CallOptions): Promise<readonly Application[]>;
  /** The newest version comes first. */
  versions(application: string, atMostOldMs?: number, call?: CallOptions): Promise<readonly AppVersion[]>;
  locations(atMostOldMs?: number, call?: CallOptions): Promise<readonly Location[]>;
  hosts(fleet: string, atMostOldMs?: number, call?: CallOptions): Promise<readonly FleetHost[]>;
  /**
   * These functions return the cached lists immediately. If a list is old, they also start to refresh the list in the
   * background.
   */
  readonly seen: {
    applications(): Seen<Application>;
    versions(application: string): Seen<AppVersion>;
    locations(): Seen<Location>;
    hosts(fleet: string): Seen<FleetHost>;
  };
  /**
   * The cached applications, together with their cached versions. The newest version comes first. Sends no request to
   * Edgegap.
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

/** The maximum number of names in the cache. The cache is limited because people also type names that do not exist. */
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
 * Caches the result of `ask`. Only one request runs at a time, and a failure is not cached. `seen` starts a new request
 * if the result is older than `seenTtlMs`.
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
 * Sorts the versions, newest first. Versions of the same age are sorted by the numbers in their names, so that
 * `build-10` comes before `build-9`.
 */
function newestFirst(versions: readonly AppVersion[]): AppVersion[] {
  return versions
    .map((version) => ({ version, madeAt: parseEdgegapTime(version.create_time) ?? 0 }))
    .toSorted((a, b) => b.madeAt - a.madeAt || BY_NUMBER.compare(b.version.name, a.version.name))
    .map(({ version }) => version);
}
