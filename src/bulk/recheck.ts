import type { Clock } from '../clock.ts';
import { statusFace } from '../deployments/card.ts';
import type { Deployments } from '../deployments/deployments.ts';
import { type Filter, filtersOf } from '../deployments/list-filter.ts';
import { isStopUnderWay, STOP_PATIENCE_MS } from '../deployments/timing.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { isNoSuchDeployment } from '../edgegap/errors.ts';
import type { DeploymentRow, DeploymentStatus } from '../edgegap/schema.ts';
import { STOP_BATCH } from '../edgegap/stop.ts';
import { BACKGROUND, type CallOptions } from '../edgegap/transport.ts';
import type { Order, Result } from './plan.ts';
import type { Plans } from './plans.ts';

/** The parts of an account that carry out plans. */
export interface BulkAccount {
  readonly api: EdgegapApi;
  readonly deployments: Deployments;
  readonly plans: Plans;
  readonly clock: Clock;
}

const ENDED = 'the server has ended';
const STOPPING = 'the server is being stopped already';

/**
 * For each deployment in order, finds the reason to leave it out of the plan. The reason is undefined if the deployment
 * stays in the plan. The result is a rejection if Edgegap did not answer the call about this deployment.
 */
export async function leftOut(
  account: BulkAccount,
  { filter, change }: Order,
  ids: readonly string[],
  call: CallOptions,
): Promise<PromiseSettledResult<string | undefined>[]> {
  const { api, plans, clock } = account;
  const now = clock.now();
  const listed = new Map<string, DeploymentRow>();
  // Edgegap applies the plan's filter again.
  const query = { filters: filtersOf(filter, now, ids) };
  for await (const row of api.allDeployments(query, call)) listed.set(row.request_id, row);
  const stopped = await plans.stoppedSince(ids, now - STOP_PATIENCE_MS);
  return await Promise.allSettled(
    ids.map(async (id) => {
      if (stopped.has(id) || (await isBeingStopped(account, id))) return STOPPING;
      const row = listed.get(id);
      // The list may be slightly outdated, so the bot asks Edgegap about every deployment that is not listed as ready.
      const seen = row?.ready ? undefined : await statusOf(api, id, call);
      const reason = row?.ready ? undefined : seen ? changed(filter, seen) : ENDED;
      const tags = row?.tags ?? seen?.tags ?? [];
      const tagged = change.kind === 'tag' && tags.includes(change.tag);
      return reason ?? (tagged ? hasTag(change.tag) : undefined);
    }),
  );
}

/** Returns the failed deployments of a plan that need no retry, with the reason. */
export async function settled(
  account: BulkAccount,
  order: Order,
  failed: readonly string[],
): Promise<(Result & { readonly reason: string })[]> {
  const ids = failed.slice(0, STOP_BATCH);
  if (ids.length === 0) return [];
  const checks = await leftOut(account, order, ids, BACKGROUND);
  const results = checks.flatMap((check, n) =>
    check.status === 'fulfilled' && check.value !== undefined
      ? [{ request_id: ids[n] ?? '', state: 'left-out' as const, reason: check.value }]
      : [],
  );
  return [...results, ...(await settled(account, order, failed.slice(STOP_BATCH)))];
}

export function hasTag(tag: string): string {
  return `the server has the tag ${tag} already`;
}

/** Whether a stop of the deployment is in progress according to the store. */
async function isBeingStopped({ deployments, clock }: BulkAccount, id: string): Promise<boolean> {
  const known = await deployments.byRequestId(id);
  return known !== undefined && isStopUnderWay(known, clock.now());
}

/** Returns why the deployment is over or about to end. Undefined if the deployment still runs. */
export async function ending(
  account: BulkAccount,
  id: string,
  call: CallOptions,
): Promise<string | undefined> {
  const seen = await statusOf(account.api, id, call);
  if (!seen || seen.current_status === 'TERMINATED') return ENDED;
  return seen.current_status === 'TERMINATING' || (await isBeingStopped(account, id)) ? STOPPING : undefined;
}

/** Undefined if the deployment does not exist on Edgegap. */
async function statusOf(
  api: EdgegapApi,
  id: string,
  call: CallOptions,
): Promise<DeploymentStatus | undefined> {
  return await api.status(id, call).catch((error: unknown) => {
    if (isNoSuchDeployment(error)) return undefined;
    throw error;
  });
}

/**
 * Returns why the deployment no longer matches the plan. The fleet and the host are not checked, because they cannot
 * change and a status does not contain them.
 */
function changed({ status, tag }: Filter, { current_status: now, tags }: DeploymentStatus) {
  if (now === 'TERMINATED') return ENDED;
  if (now === 'TERMINATING') return STOPPING;
  // A filter without a status excludes failed deployments.
  if (status ? status.toUpperCase() !== now : now === 'ERROR')
    return `the status is now ${statusFace(now).words}`;
  const wanted = [tag ?? []].flat();
  if (wanted.length > 0 && !wanted.some((one) => tags.includes(one)))
    return `the server no longer has the tag ${wanted.join(' or ')}`;
  return undefined;
}
