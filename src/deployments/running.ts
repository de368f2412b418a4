import type { Address } from '../chat/port.ts';
import type { Store } from '../store/schema.ts';

/**
 * The phases in which a deployment costs money, or may soon cost money. The phase `lost` is not included, because the
 * search for a lost deployment found no server. If the deployment has started, its phase changes to `live`.
 */
const RUNNING = ['requesting', 'unknown', 'live'];

export interface Deployer {
  readonly id: string;
  readonly at: Pick<Address, 'platform' | 'workspace'>;
}

/** The deployments of an account, except the deployment `except`. With `by`, only the deployments of this person. */
export function deploysOf(db: Store, account: string, except: string, by?: Deployer) {
  const all = db.selectFrom('deployments').where('account', '=', account).where('id', '!=', except);
  if (!by) return all;
  const { platform, workspace } = by.at;
  return all
    .where('platform', '=', platform)
    .where('workspace', '=', workspace)
    .where('asker_id', '=', by.id);
}

/** The deployments of `deploysOf` that are running. */
export function running(db: Store, account: string, except: string, by?: Deployer) {
  return deploysOf(db, account, except, by).where('phase', 'in', RUNNING);
}
