import type { Clock } from '../clock.ts';
import type { Catalog } from '../deployments/catalog.ts';
import type { Deployment } from '../deployments/deployment.ts';
import type { Deployments } from '../deployments/deployments.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import type { Location } from '../edgegap/schema.ts';
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
  /** Exact values that are masked wherever a log shows them. */
  readonly secrets: readonly string[];
}

/** A deployment someone named: always by its full request_id; with our own record where it was deployed from chat. */
export interface DeploymentTarget {
  readonly request_id: string;
  readonly known: Deployment | undefined;
}

export type { Location };
