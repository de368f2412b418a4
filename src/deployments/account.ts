import type { Address } from '../chat/port.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import type { Catalog } from './catalog.ts';
import type { Deployments } from './deployments.ts';

/** One Edgegap organisation with its API. Each channel of the bot belongs to one account. */
export interface Account {
  /** The account's id, which is stored in every row that belongs to the account. */
  readonly id: string;
  /** The account's API. The API refuses calls about applications that are not on the allowlist. */
  readonly api: EdgegapApi;
  readonly catalog: Catalog;
  /**
   * The names of the applications that the bot may use in this account. If undefined, the bot may use all applications.
   */
  readonly allowlist: readonly string[] | undefined;
  readonly deployments: Deployments;
}

/** All accounts that are set up. Every channel belongs to exactly one account. */
export class Accounts<One extends Account = Account> {
  readonly all: readonly One[];
  readonly #idAt: (at: Address) => string;

  /** `idAt` returns the id of the account to which a channel belongs. */
  constructor(all: readonly One[], idAt: (at: Address) => string) {
    this.all = all;
    this.#idAt = idAt;
  }

  of(at: Address): One {
    return this.byId(this.#idAt(at));
  }

  /** Throws if no account has this id. */
  byId(id: string): One {
    const found = this.all.find((one) => one.id === id);
    if (!found) throw new Error(`The account ${id} is not set up`);
    return found;
  }
}
