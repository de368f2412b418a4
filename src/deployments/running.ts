import type { Address } from '../chat/port.ts';
import type { Store } from '../store/schema.ts';

/**
 * The phases in which a deployment is paid for, or may be in a moment. A lost deployment was looked for in vain: if the
 * deployment did start after all, its phase becomes `live`.
 */
const RUNNING = ['requesting', 'unknown', 'live'];

export interface Deployer {
  readonly id: string;
  readonly at: Pick<Address, 'platform' | 'workspace'>;
}

/** The deployments that were asked for in an account, or there by this person, without the deployment `except`. */
export function deploysOf(db: Store, account: string, except: string, by?: Deployer) {
  const all = db.selectFrom('deployments').where('account', '=', account).where('id', '!=', except);
  if (!by) return all;
  const { platform, workspace } = by.at;
  return all
    .where('platform', '=', platform)
    .where('workspace', '=', workspace)
    .where('asker_id', '=', by.id);
}

/** The deployments of these that run. */
export function running(db: Store, account: string, except: string, by?: Deployer) {
  return deploysOf(db, account, except, by).where('phase', 'in', RUNNING);
}
