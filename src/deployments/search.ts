import type { Store } from '../store/schema.ts';
import { type Deployment, fromRow, type Phase } from './deployment.ts';

/**
 * Finds deployments of an account by facts other than their key. `applications`: only deployments of these;
 * undefined: of all.
 */
export class Search {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Up to 200 of the account's deployments of `applications` (undefined: of all) in a phase, heard of since `since` (epoch
   * milliseconds), whose snapshot holds the text `host` in any case, newest first.
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
   * The account's deployments of `applications` (undefined: of all) that failed; Edgegap keeps such a deployment
   * until a person stops the deployment.
   */
  async failed(account: string, applications?: readonly string[]) {
    return await this.#in('live', account, applications)
      .select(['request_id', 'application', 'version', 'tags_json', 'created_at'])
      .where('status', '=', 'ERROR')
      .where('stop_asked_by', 'is', null)
      .execute();
  }

  /** The request_ids of up to `limit` of the account's running deployments that a person asked for, newest first. */
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

  #in(phase: Phase, account: string, applications: readonly string[] | undefined) {
    const all = this.#store
      .selectFrom('deployments')
      .where('account', '=', account)
      .where('phase', '=', phase);
    // SQL has no empty lists, and no application has an empty name.
    return all.$if(applications !== undefined, (query) =>
      query.where('application', 'in', ['', ...(applications ?? [])]),
    );
  }
}
