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

/** How often the store is asked for news while people type. */
const STORE_TTL_MS = 1_000;
/** How long a suggestion waits for the store. After this time, the suggestion is made without the latest news. */
const STORE_WAIT_MS = 500;
/** Edgegap's list is read again when it is older than this, as long as people type. */
const LIST_TTL_MS = 60_000;
/**
 * The most deployments that are read from Edgegap's list, the newest first. A matchmaker may start thousands of
 * deployments, and the list shares its rate limit with the command `list`.
 */
const MOST_LISTED = 500;
/** Edgegap is asked for the application and the status of at most this many deployments outside the store. */
const MOST_ASKED = 100;

/** A running deployment, as it is suggested to people. */
export interface Running {
  readonly request_id: string;
  /** The application and the version. Empty if Edgegap was not asked for them. */
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
  /** The time of the last news, in epoch milliseconds. */
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
 * Keeps the running deployments of an account in memory, so that a suggestion needs no request to Edgegap. Deployments
 * from chat come from the store. The other deployments come from Edgegap's list.
 */
export class Roster {
  readonly #parts: Parts;
  /** The deployments in the store. Each key is the id of a row. */
  readonly #stored = new Map<string, { readonly revision: number; readonly running: Running | undefined }>();
  /**
   * The stored deployments, with the newest first. Undefined if the stored deployments have changed since they were
   * sorted.
   */
  #sorted: Sorted | undefined;
  #caughtUp: { readonly at: number; readonly agoMs: () => number } | undefined;
  readonly #listed;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#listed = cached(parts.clock, (call) => this.#readList(call), LIST_TTL_MS);
  }

  /**
   * Returns the running deployments. The deployments of the store come first, the newest at the top. Deployments
   * outside the store follow. This function does not wait for Edgegap, but may begin to read Edgegap's list in the
   * background. `asOf` returns the time (epoch ms) of the last news about a deployment. It returns undefined if Edgegap
   * has answered lately.
   */
  async running(): Promise<{
    readonly rows: readonly Running[];
    readonly asOf: (one: Running) => number | undefined;
  }> {
    const catchingUp = this.#catchUp().catch(() => undefined);
    // The first read of the store may take long, so no suggestion waits for this read.
    if (this.#caughtUp) await within(this.#parts.clock, STORE_WAIT_MS, catchingUp);
    const { rows: listed, asOf } = this.#listed.seen();
    const stored = this.#newestFirst();
    const others = listed.filter(({ request_id }) => !stored.ids.has(request_id));
    const rows = others.length === 0 ? stored.rows : [...stored.rows, ...others];
    return { rows, asOf: ({ heardAt }) => (asOf === undefined ? undefined : Math.max(asOf, heardAt)) };
  }

  /** Reads the news from the store, and Edgegap's list if the list is older than `atMostOldMs`. */
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
    // The first read needs no ended deployments, because nothing in memory has to be removed yet.
    for (const phase of before ? (['live', 'ended'] as const) : (['live'] as const))
      for await (const rows of deployments.heardSince(phase, since, allowlist)) {
        for (const row of rows)
          if (this.#stored.get(row.id)?.revision !== row.revision) this.#take(row, shared);
        // The first read may bring thousands of rows, so other work gets a turn between two portions.
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
      // A deployment with a row in the store is left out, even if the deployment has ended in the meantime.
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

/** Returns equal values as a single value, because thousands of deployments may have the same place and the same tags. */
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
