import type { Account } from '../deployments/account.ts';
import { createCatalog } from '../deployments/catalog.ts';
import { Deployments } from '../deployments/deployments.ts';
import type { DeploymentsParts } from '../deployments/known.ts';
import { Reconciler, type ReconcilerParts } from '../deployments/reconciler.ts';
import { withAllowlist } from '../edgegap/allowlist.ts';
import { EdgegapClient, type EdgegapClientOptions } from '../edgegap/client.ts';
import { MemoryPlaces, type Places } from '../edgegap/places.ts';
import { RatePlaces, type RatePlacesParts } from '../replicas/rate-places.ts';
import { afterWritesTo } from '../store/transact.ts';

/** How an account is reached, and what may be done in it. */
export interface AccountSettings extends Pick<Account, 'id' | 'allowlist'> {
  readonly apiUrl: string;
  readonly token: string;
  readonly proxy?: EdgegapClientOptions['proxy'];
}

/** An account with the parts that work for it in this process. */
export type OpenAccount = ReturnType<typeof openAccount>;

type Needed = DeploymentsParts & ReconcilerParts & RatePlacesParts & Pick<EdgegapClientOptions, 'mask'>;
type Parts = Omit<Needed, 'account' | 'edgegap' | 'deployments'>;

/** Each account has its own API client with rate limits of its own, and nothing that another account uses. */
export function openAccount({ id, apiUrl, token, proxy, allowlist }: AccountSettings, parts: Parts) {
  const { repository, membership, store, clock, log, mask } = parts;
  const common = { ...parts, account: id };
  const places: Places = membership.shared ? new RatePlaces(common) : new MemoryPlaces(clock);
  const client = new EdgegapClient({ baseUrl: apiUrl, proxy, token, clock, log, places, mask });
  const applicationOf = async (request_id: string) =>
    (await repository.byRequestId(id, request_id))?.application;
  const api = withAllowlist(client, allowlist, applicationOf);
  const deployments = new Deployments({ ...common, edgegap: api });
  // What was deployed is followed to its end, also where its application is allowed to nobody any more.
  const reconciler = new Reconciler({ ...common, deployments, edgegap: client });
  afterWritesTo(store, 'deployments', () => reconciler.wake());
  return { id, api, catalog: createCatalog(api, clock), allowlist, deployments, client, places, reconciler };
}
