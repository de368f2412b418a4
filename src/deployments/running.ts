import type { Address } from '../chat/port.ts';
import { farthest } from '../clock.ts';
import type { Store } from '../store/schema.ts';
import type { Deployment } from './deployment.ts';

/**
 * The phases in which a deployment is paid for, or may be in a moment. A lost deployment was looked for in vain: if the
 * deployment did start after all, its phase becomes `live`.
 */
const RUNNING = ['requesting', 'unknown', 'live'];

/** The person who deploys, and the account. */
export interface Deployer {
  readonly account: string;
  readonly asker: Pick<Deployment['asker'], 'id'>;
  readonly at: Pick<Address, 'platform' | 'workspace'>;
}

/** The deployments that this bot started for an account. `except`: an id that does not count. */
export class Running {
  readonly #store: Store;
  readonly #by: Deployer;
  readonly #except: string;

  constructor(store: Store, by: Deployer, except = '') {
    this.#store = store;
    this.#by = by;
    this.#except = except;
  }

  /** How many deployments run: of the account, or of the person alone. */
  async count(whose: 'account' | 'person'): Promise<number> {
    const { count } = await this.#running(whose)
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return count;
  }

  /** The newest running deployments of `applications` (undefined: of all). */
  async newest(whose: 'account' | 'person', limit: number, applications?: readonly string[]) {
    return await this.#running(whose)
      .select(['request_id', 'application', 'version', 'asker_name'])
      .$if(applications !== undefined, (query) =>
        query.where('application', 'in', ['', ...(applications ?? [])]),
      )
      .orderBy('created_at', 'desc')
      .limit(limit)
      .execute();
  }

  /**
   * How often the person has deployed since `since`, and when for the first time (both times in epoch milliseconds).
   * Refused deployments, which surely did not start, do not count; `now` unmasks times from a clock that was hours ahead.
   */
  async since(since: number, now: number): Promise<{ count: number; first: number | null }> {
    return await this.#of('person')
      .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.min<number>('created_at').as('first')])
      .where('created_at', '>', since)
      .where('created_at', '<=', farthest(now))
      .where('phase', '!=', 'refused')
      .executeTakeFirstOrThrow();
  }

  #running(whose: 'account' | 'person') {
    return this.#of(whose).where('phase', 'in', RUNNING);
  }

  #of(whose: 'account' | 'person') {
    const { account, asker, at } = this.#by;
    return this.#store
      .selectFrom('deployments')
      .where('account', '=', account)
      .where('id', '!=', this.#except)
      .$if(whose === 'person', (query) =>
        query
          .where('platform', '=', at.platform)
          .where('workspace', '=', at.workspace)
          .where('asker_id', '=', asker.id),
      );
  }
}
