import type { Selectable } from 'kysely';
import type { Address, MessageRef } from '../chat/port.ts';
import type { DeploymentStatus } from '../edgegap/schema.ts';
import type { DeploymentsTable, Store } from '../store/schema.ts';
import { addressOf, type Deployment, fromRow, type OrderDetails, type Phase } from './deployment.ts';

/**
 * The number of rows that `heardSince` reads in one query. The number is small, so that other work is hardly delayed.
 */
const HEARD_AT_ONCE = 200;

/**
 * A search for a card reads this many of the channel's newest deployments. People rarely use the cards of older
 * deployments.
 */
const CARDS_SEARCHED = 200;
/**
 * The usual time that a version takes to start is the median of this many deployments. At least `USUAL_LEAST` of them
 * must have become ready.
 */
const USUAL_OF = 20;
const USUAL_LEAST = 3;

type Version = Pick<Deployment, 'account' | 'application' | 'version'>;

/** A stored deployment about which the bot received news. */
export interface Heard {
  readonly id: string;
  /** A number that changes with every piece of news about the deployment. */
  readonly revision: number;
  /** Reads the facts by which people recognise a running deployment. Returns undefined if the row is damaged. */
  readonly read: () => Sighting | undefined;
}

/** The facts by which people recognise a running deployment. */
export interface Sighting
  extends Pick<
    Deployment,
    | 'application'
    | 'version'
    | 'phase'
    | 'status'
    | 'stopAskedBy'
    | 'requestId'
    | 'tags'
    | 'at'
    | 'createdAt'
    | 'heardAt'
  > {
  /** Undefined until Edgegap has reported the location. */
  readonly city: string | undefined;
}

/**
 * Finds deployments of an account by facts other than their key. `applications` limits the search to deployments of
 * these applications. If `applications` is undefined, the search covers all applications.
 */
export class Search {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * At most 200 of the account's deployments of `applications` in this phase, newest first. A deployment matches if the
   * bot received news about it since `since` (epoch milliseconds) and its last status contains the text `host`. The
   * case of `host` is ignored.
   */
  async byHost(
    account: string,
    { host, phase, since }: { readonly host: string; readonly phase: Phase; readonly since: number },
    applications?: readonly string[],
  ): Promise<Deployment[]> {
    const rows = await this.#in(phase, account, applications)
      .selectAll()
      .where('heard_at', '>=', since)
      .where((eb) => eb(eb.fn('lower', ['snapshot_json']), 'like', `%${host}%`))
      .orderBy('created_at', 'desc')
      .limit(200)
      .execute();
    return rows.map(fromRow);
  }

  /**
   * The account's deployment whose live card is this message. Only the newest deployments of the channel are searched,
   * because the database has no index of the cards.
   */
  async byCard(account: string, { platform, workspace, channel, message }: MessageRef) {
    const rows = await this.#store
      .selectFrom('deployments')
      .selectAll()
      .where('account', '=', account)
      .where('platform', '=', platform)
      .where('workspace', '=', workspace)
      .where('channel', '=', channel)
      .orderBy('created_at', 'desc')
      .limit(CARDS_SEARCHED)
      .execute();
    const row = rows.find(({ card_json }) => (JSON.parse(card_json) as MessageRef).message === message);
    return row && fromRow(row);
  }

  /** The account's failed deployments of `applications`. Edgegap keeps a failed deployment until a person stops it. */
  async failed(account: string, applications?: readonly string[]) {
    return await this.#in('live', account, applications)
      .select(['request_id', 'application', 'version', 'tags_json', 'created_at'])
      .where('status', '=', 'ERROR')
      .where('stop_asked_by', 'is', null)
      .execute();
  }

  /** The request_ids of at most `limit` running deployments of the account that a person ordered, newest first. */
  async askedBy(
    account: string,
    { id, platform }: { readonly id: string; readonly platform: string },
    limit: number,
    applications?: readonly string[],
  ): Promise<string[]> {
    const rows = await this.#in('live', account, applications)
      .select('request_id')
      .where('platform', '=', platform)
      .where('asker_id', '=', id)
      .orderBy('created_at', 'desc')
      .limit(limit)
      .execute();
    return rows.flatMap(({ request_id }) => request_id ?? []);
  }

  /** At most ten deployments of a person that failed since `since` (epoch milliseconds), newest failure first. */
  async failuresOf(
    account: string,
    { at: { platform }, id }: { readonly at: Pick<Address, 'platform'>; readonly id: string },
    since: number,
    applications?: readonly string[],
  ): Promise<readonly Deployment[]> {
    const rows = await this.#store
      .selectFrom('deployments')
      .selectAll()
      .where('account', '=', account)
      .where('platform', '=', platform)
      .where('asker_id', '=', id)
      .where('error_at', '>=', since)
      .where('request_id', 'is not', null)
      .$if(applications !== undefined, (query) => query.where('application', 'in', [...(applications ?? [])]))
      .orderBy('error_at', 'desc')
      .limit(10)
      .execute();
    return rows.map(fromRow);
  }

  /** The last `limit` deployments of a version that Edgegap accepted, the newest first. */
  #lastRows({ account, application, version }: Version, limit: number) {
    return this.#store
      .selectFrom('deployments')
      .where('account', '=', account)
      .where('application', '=', application)
      .where('version', '=', version)
      .where('request_id', 'is not', null)
      .orderBy('created_at', 'desc')
      .limit(limit);
  }

  /**
   * For each of the last `limit` deployments of a version, returns whether the deployment failed, and Edgegap's text
   * about the failure. The newest deployment comes first.
   */
  async lastOf(
    version: Version,
    limit: number,
  ): Promise<readonly { readonly failed: boolean; readonly detail: string | undefined }[]> {
    const rows = await this.#lastRows(version, limit).select(['error_at', 'error_detail']).execute();
    return rows.map((row) => ({ failed: row.error_at !== null, detail: row.error_detail ?? undefined }));
  }

  /**
   * The median time from the order to the ready server, in milliseconds, for the last deployments of a version.
   * Undefined if too few deployments of the version have become ready.
   */
  async usualMs(version: Version): Promise<number | undefined> {
    const rows = await this.#lastRows(version, USUAL_OF).select(['created_at', 'ready_at']).execute();
    const times = rows.flatMap((row) => (row.ready_at === null ? [] : [row.ready_at - row.created_at]));
    if (times.length < USUAL_LEAST) return undefined;
    return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
  }

  /**
   * The account's deployments of `applications` in this phase about which the bot received news since `since` (epoch
   * ms). The deployment with the oldest news comes first.
   */
  async *heardSince(
    account: string,
    phase: Phase,
    since: number,
    applications?: readonly string[],
  ): AsyncGenerator<readonly Heard[], void> {
    let [heardAt, last] = [since, ''];
    for (;;) {
      const rows = await this.#in(phase, account, applications)
        .select(SIGHTED)
        .select((eb) =>
          eb.case().when('tags_json', 'is', null).then(eb.ref('plan_json')).end().as('tags_in_plan'),
        )
        .where('heard_at', '>=', heardAt)
        .where((eb) => eb.or([eb('heard_at', '>', heardAt), eb('id', '>', last)]))
        .orderBy('heard_at')
        .orderBy('id')
        .limit(HEARD_AT_ONCE)
        .execute();
      yield rows.map((row) => ({ id: row.id, revision: row.revision, read: () => sightingOf(row) }));
      const end = rows.at(-1);
      if (!end || rows.length < HEARD_AT_ONCE) return;
      [heardAt, last] = [end.heard_at, end.id];
    }
  }

  #in(phase: Phase, account: string, applications: readonly string[] | undefined) {
    const all = this.#store
      .selectFrom('deployments')
      .where('account', '=', account)
      .where('phase', '=', phase);
    // SQL allows no empty lists, so the list also contains the empty name, which no application has.
    return all.$if(applications !== undefined, (query) =>
      query.where('application', 'in', ['', ...(applications ?? [])]),
    );
  }
}

/**
 * The columns of a `Sighting`. Only a few columns are read, because an account may have thousands of running
 * deployments.
 */
const SIGHTED = [
  'id',
  'revision',
  'application',
  'version',
  'phase',
  'status',
  'stop_asked_by',
  'request_id',
  'snapshot_json',
  'tags_json',
  'platform',
  'workspace',
  'channel',
  'thread',
  'created_at',
  'heard_at',
] as const;

type SightedRow = Pick<Selectable<DeploymentsTable>, (typeof SIGHTED)[number]> & {
  /** The plan. The plan supplies the tags until Edgegap reports tags. */
  readonly tags_in_plan: string | null;
};

function sightingOf(row: SightedRow): Sighting | undefined {
  try {
    const { snapshot_json, tags_json, tags_in_plan } = row;
    const told: DeploymentStatus | undefined = snapshot_json === null ? undefined : JSON.parse(snapshot_json);
    return {
      application: row.application,
      version: row.version,
      phase: row.phase as Phase,
      status: row.status ?? undefined,
      stopAskedBy: row.stop_asked_by ?? undefined,
      requestId: row.request_id ?? undefined,
      tags:
        tags_json === null ? (JSON.parse(tags_in_plan ?? '') as OrderDetails).tags : JSON.parse(tags_json),
      at: addressOf(row),
      createdAt: row.created_at,
      heardAt: row.heard_at,
      city: told?.location?.city,
    };
  } catch {
    return undefined;
  }
}
