import { Roster } from '../command/roster.ts';
import type { Account } from '../deployments/account.ts';
import { createCatalog } from '../deployments/catalog.ts';
import { Deployments } from '../deployments/deployments.ts';
import type { DeploymentsParts } from '../deployments/known.ts';
import { PlannedStops } from '../deployments/planned-stops.ts';
import { Reconciler, type ReconcilerParts } from '../deployments/reconciler.ts';
import { withAllowlist } from '../edgegap/allowlist.ts';
import { EdgegapClient, type EdgegapClientOptions } from '../edgegap/client.ts';
import { MemoryPermits, type Permits } from '../edgegap/permits.ts';
import { createVault } from '../edgegap/vault.ts';
import { createGuard, type GuardParts } from '../guard/guard.ts';
import { Recorder, type RecorderParts } from '../recorder/recorder.ts';
import { SharedPermits, type SharedPermitsParts } from '../replicas/shared-permits.ts';
import { afterWritesTo } from '../store/transact.ts';

/** The address and token of an Edgegap account, and the applications that the bot may deploy there. */
export interface AccountSettings extends Pick<Account, 'id' | 'allowlist'> {
  readonly apiUrl: string;
  readonly token: string;
  readonly proxy?: EdgegapClientOptions['proxy'];
}

/** An account together with the parts of this process that serve the account. */
export type OpenAccount = ReturnType<typeof openAccount>;

type Needed = DeploymentsParts &
  ReconcilerParts &
  SharedPermitsParts &
  Pick<EdgegapClientOptions, 'mask' | 'limits' | 'tokenRefused'>;
type Parts = Omit<Needed, 'account' | 'admit' | 'edgegap' | 'deployments' | 'beforeStop' | 'vault'> &
  Pick<GuardParts, 'deployLimits'> &
  Pick<RecorderParts, 'secrets' | 'flightRecorder'>;

/** Each account has its own API client and its own rate limits, which are not shared with any other account. */
export function openAccount({ id, apiUrl, token, proxy, allowlist }: AccountSettings, parts: Parts) {
  const { repository, membership, store, clock, log, mask, limits, tokenRefused } = parts;
  const common = { ...parts, account: id };
  const permits: Permits = membership.shared ? new SharedPermits(common) : new MemoryPermits(clock);
  const client = new EdgegapClient({
    baseUrl: apiUrl,
    proxy,
    token,
    clock,
    log,
    limits,
    permits,
    mask,
    tokenRefused,
  });
  const applicationOf = async (request_id: string) =>
    (await repository.byRequestId(id, request_id))?.application;
  const api = withAllowlist(client, allowlist, applicationOf);
  const vault = createVault(token);
  const guard = createGuard({ ...common, allowlist });
  const recorder = new Recorder({ ...common, edgegap: api });
  const beforeStop = (ids: readonly string[]) => recorder.beforeStop(ids);
  const deployments = new Deployments({ ...common, admit: guard.admit, edgegap: api, beforeStop, vault });
  const plannedStops = new PlannedStops(common);
  // A deployment is followed to its end, even if its application was removed from the allowlist in the meantime.
  const reconciler = new Reconciler({ ...common, deployments, edgegap: client });
  afterWritesTo(store, 'deployments', () => reconciler.wake());
  const catalog = createCatalog(api, clock);
  const roster = new Roster({ ...common, deployments, edgegap: api, allowlist });
  const own = { id, api, vault, catalog, roster, allowlist, guard, deployments, plannedStops, recorder };
  return { ...own, client, permits, reconciler };
}
