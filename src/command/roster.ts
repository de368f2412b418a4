import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Address } from '../chat/port.ts';
import { CLOCKS_APART_MS, type Clock, stopwatch, within } from '../clock.ts';
import { type DeploymentView, statusFace } from '../deployments/card.ts';
import { cached } from '../deployments/catalog.ts';
import type { Deployments } from '../deployments/deployments.ts';
import type { Heard, Sighting } from '../deployments/search.ts';
import { statusOf, viewOfStatus } from '../deployments/view.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { withoutOwnTags } from '../edgegap/outside.ts';
import { type DeploymentRow, type DeploymentStatus, parseEdgegapTime } from '../edgegap/schema.ts';
import type { CallOptions } from '../edgegap/transport.ts';
import { oneAtATime } from '../loop.ts';
import { type SearchKey, searchKey } from './same-name.ts';

/** The minimum interval between two reads of the store while people type, in milliseconds. */
const STORE_TTL_MS = 1_000;
/**
 * How long a suggestion waits for the store, in milliseconds. After this time, the bot makes the suggestion from older
 * data.
 */
const STORE_WAIT_MS = 500;
/** The maximum age of Edgegap's list, in milliseconds. While people type, the bot reads an older list again. */
const LIST_TTL_MS = 60_000;
/**
 * The bot reads at most this many deployments from Edgegap's list, with the newest deployment first. A matchmaker may
 * start thousands of deployments, and these reads count towards the same rate limit as the command `list`.
 */
const MOST_LISTED = 500;
/**
 * The bot asks Edgegap for the application and the status of at most this many deployments that are not in the store.
 */
const MOST_ASKED = 100;

/** A running deployment for the suggestions. */
export interface Running {
  readonly request_id: string;
  /** The application and the version. Empty if the bot has not asked Edgegap for the application and the version. */
  readonly name: string;
  readonly city: string;
  readonly status: string;
  /** In epoch milliseconds. */
  readonly begunAt: number | undefined;
  readonly tags: readonly string[];
  /**
   * The channel or thread from which the deployment was deployed. Undefined if the deployment was not deployed from
   * chat.
   */
  readonly at: Address | undefined;
  /** The time of the latest information about the deployment, in epoch milliseconds. */
  readonly heardAt: number;
  readonly key: SearchKey;
}

interface Parts {
  readonly deployments: Deployments;
  readonly edgegap: EdgegapApi;
  readonly allowlist: readonly string[] | undefined;
  readonly clock: Clock;
}

interface Sorted {
  readonly rows: readonly Running[];
  readonly ids: ReadonlySet<string>;
}

/**
 * Holds the running deployments of an account in memory, so that a suggestion needs no call to Edgegap. The deployments
 * that people made from chat come from the store. All other deployments come from Edgegap's list.
 */
export class Roster {
  readonly #parts: Parts;
  /** The deployments from the store, by the id of the row. */
  readonly #stored = new Map<string, { readonly revision: number; readonly running: Running | undefined }>();
  /**
   * The deployments from the store, with the newest deployment first. Undefined if `#stored` has changed after the last
   * sort.
   */
  #sorted: Sorted | undefined;
  #caughtUp: { readonly at: number; readonly agoMs: () => number } | undefined;
  readonly #listed;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#listed = cached(parts.clock, (call) => this.#readList(call), LIST_TTL_MS);
  }

  /**
   * Returns the running deployments. The deployments from the store come first, sorted from the newest to the oldest.
   * The deployments from Edgegap's list follow. This function may begin to read Edgegap's list in the background, but
   * does not wait for Edgegap. `asOf` returns the time (epoch ms) of the latest information about a deployment, or
   * undefined if Edgegap's list is recent.
   */
  async running(): Promise<{
    readonly rows: readonly Running[];
    readonly asOf: (one: Running) => number | undefined;
  }> {
    const catchingUp = this.#catchUp().catch(() => undefined);
    // The first read of the store may take a long time, so suggestions do not wait for this read.
    if (this.#caughtUp) await within(this.#parts.clock, STORE_WAIT_MS, catchingUp);
    const { rows: listed, asOf } = this.#listed.seen();
    const stored = this.#newestFirst();
    const others = listed.filter(({ request_id }) => !stored.ids.has(request_id));
    const rows = others.length === 0 ? stored.rows : [...stored.rows, ...others];
    return { rows, asOf: ({ heardAt }) => (asOf === undefined ? undefined : Math.max(asOf, heardAt)) };
  }

  /** Reads the changes from the store. Also reads Edgegap's list if the list in memory is older than `atMostOldMs`. */
  async refresh(atMostOldMs: number, call: CallOptions): Promise<void> {
    await this.#catchUp();
    await this.#listed.read(atMostOldMs, call);
  }

  #newestFirst(): Sorted {
    if (!this.#sorted) {
      const all = [...this.#stored.values()].flatMap(({ running }) => running ?? []);
      const rows = all.toSorted((a, b) => (b.begunAt ?? 0) - (a.begunAt ?? 0));
      this.#sorted = { rows, ids: new Set(rows.map(({ request_id }) => request_id)) };
    }
    return this.#sorted;
  }

  readonly #catchUp = oneAtATime(async () => {
    const { deployments, allowlist, clock } = this.#parts;
    const before = this.#caughtUp;
    if (before && before.agoMs() < STORE_TTL_MS) return;
    const caughtUp = { at: clock.now(), agoMs: stopwatch(clock) };
    const shared = sharing();
    const since = before ? before.at - CLOCKS_APART_MS : 0;
    // The first read skips ended deployments, because there are no deployments in memory that could have ended.
    for (const phase of before ? (['live', 'ended'] as const) : (['live'] as const))
      for await (const rows of deployments.heardSince(phase, since, allowlist)) {
        for (const row of rows)
          if (this.#stored.get(row.id)?.revision !== row.revision) this.#take(row, shared);
        // The first read may return thousands of rows. Between two batches, the event loop can do other work.
        await nextTurn();
      }
    this.#caughtUp = caughtUp;
  });

  #take({ id, revision, read }: Heard, shared: Shared): void {
    this.#sorted = undefined;
    const sighting = read();
    if (sighting?.phase === 'live') this.#stored.set(id, { revision, running: fromStore(sighting, shared) });
    else this.#stored.delete(id);
  }

  async #readList(call: CallOptions | undefined): Promise<Running[]> {
    const { deployments, edgegap, clock } = this.#parts;
    const heardAt = clock.now();
    const order_by = [{ field: 'created_at', order: 'desc' }] as const;
    const found: Running[] = [];
    let read = 0;
    for await (const row of edgegap.allDeployments({ order_by }, call)) {
      // A deployment that is in the store is left out. The store also contains deployments that have ended but are
      // still in Edgegap's list.
      if (!(await deployments.byRequestId(row.request_id))) {
        const status = found.length < MOST_ASKED ? await deployments.statusInList(row, call) : undefined;
        if (status?.current_status !== 'TERMINATED') found.push(fromList(row, status, heardAt));
      }
      if (++read === MOST_LISTED) break;
    }
    return found;
  }
}

type Shared = <Value>(value: Value) => Value;

/**
 * Returns a function that replaces equal values by a single object. This saves memory, because thousands of deployments
 * may have the same city and the same tags.
 */
function sharing(): Shared {
  const kept = new Map<string, unknown>();
  return <Value>(value: Value): Value => {
    const key = JSON.stringify(value);
    if (!kept.has(key)) kept.set(key, value);
    return kept.get(key) as Value;
  };
}

function fromStore(sighting: Sighting, shared: Shared): Running | undefined {
  const { requestId: request_id, application, version, city, createdAt, heardAt, at } = sighting;
  if (request_id === undefined) return undefined;
  const known = {
    application,
    version,
    city,
    status: statusOf(sighting),
    tags: withoutOwnTags(sighting.tags),
  };
  const { name, city: place, tags, ...own } = running(known, { request_id, begunAt: createdAt, heardAt, at });
  return { ...own, name: shared(name), city: shared(place), tags: shared(tags), at: shared(at) };
}

function fromList(row: DeploymentRow, status: DeploymentStatus | undefined, heardAt: number): Running {
  const { request_id, ready, tags, start_time } = row;
  const view = status && viewOfStatus(status);
  const known = view ?? {
    application: '',
    version: '',
    status: ready ? 'READY' : 'DEPLOYING',
    tags: withoutOwnTags(tags),
  };
  const city = status?.location?.city;
  return running(
    { ...known, city },
    { request_id, begunAt: parseEdgegapTime(start_time), heardAt, at: undefined },
  );
}

function running(
  known: Pick<DeploymentView, 'application' | 'version' | 'status' | 'tags'> & Pick<Sighting, 'city'>,
  facts: Pick<Running, 'request_id' | 'begunAt' | 'heardAt' | 'at'>,
): Running {
  const { city = '', tags } = known;
  const name = `${known.application} ${known.version}`.trim();
  const status = statusFace(known.status).words;
  const key = searchKey([name, city, status, facts.request_id, ...tags].join(' '));
  return { ...facts, name, city, status, tags, key };
}
