import type { Clock } from '../clock.ts';
import type { Catalog } from '../deployments/catalog.ts';
import type { Deployment } from '../deployments/deployment.ts';
import type { Deployments } from '../deployments/deployments.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import type { DeploymentStatus } from '../edgegap/schema.ts';
import type { Directory } from './directory.ts';
import type { Kept } from './kept.ts';

/** What commands work with. */
export interface Services {
  readonly deployments: Deployments;
  /** The account's API, behind the application allowlist. */
  readonly edgegap: EdgegapApi;
  /** Applications, versions and locations, cached. */
  readonly catalog: Catalog;
  /** All commands, for help. */
  readonly directory: Directory;
  /** Keeps what is too long for a button's argument. */
  readonly kept: Kept;
  readonly clock: Clock;
  readonly settings: CommandSettings;
}

export interface CommandSettings {
  /** Where to deploy when nobody says where. */
  readonly defaultNear: string | undefined;
  /** Longest tag, in characters. */
  readonly maxTagLength: number;
  /** The only applications to work with; undefined: all. */
  readonly applicationAllowlist: readonly string[] | undefined;
  /** Exact values that are masked wherever a log shows them. */
  readonly secrets: readonly string[];
}

/** A deployment someone named: always by its full request_id. */
export interface DeploymentTarget {
  readonly request_id: string;
  /** Our own record, where it was deployed from chat. */
  readonly known: Deployment | undefined;
  /** Its status, where that had to be asked for to make sure that there is such a deployment. */
  readonly seen: DeploymentStatus | undefined;
}
