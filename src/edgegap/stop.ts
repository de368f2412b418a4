import { afterUnknown, breakError, EdgegapError, isNoSuchDeployment } from './errors.ts';
import { BulkStopAnswer, type DeploymentStatus, StopAnswer } from './schema.ts';
import { type ApiRequest, type CallOptions, type Transport, unreadable } from './transport.ts';

export interface StopOptions extends CallOptions {
  /**
   * Where Edgegap stores the log. A name means the endpoint storage with this name, and `true` means the storage of the
   * version. `false` means that the log is not stored. If this field is absent, the version decides.
   */
  logStorage?: boolean | string | undefined;
  /** Called with Edgegap's summary of the deployment, if the answer has a summary. */
  summary?: ((status: DeploymentStatus) => void) | undefined;
}

/**
 * `stopping`: Edgegap is stopping the deployment. `accepted`: Edgegap will stop the deployment when its status is READY
 * or ERROR. `already-terminated`: Edgegap answers that the deployment has terminated, which also counts as a success.
 * `perhaps-stopped`: an earlier attempt may have stopped the deployment, and Edgegap now answers that the deployment
 * does not exist. This answer may be wrong.
 */
export type StopResult = 'stopping' | 'accepted' | 'already-terminated' | 'perhaps-stopped';

/** Stops a deployment. If the deployment has already terminated, the stop counts as a success. */
export async function stop(
  transport: Transport,
  { query, ...at }: Pick<ApiRequest, 'path' | 'query' | 'subject'>,
  { logStorage, summary, ...call }: StopOptions = {},
): Promise<StopResult> {
  try {
    const asked = { ...query, container_log_storage: logStorage };
    const request = { ...at, method: 'DELETE', query: asked, bucket: 'stop' } as const;
    const { status, json } = await transport.send(request, call);
    const told = StopAnswer.safeParse(json).data?.deployment_summary;
    if (told) summary?.(told);
    return status === 202 ? 'accepted' : 'stopping';
  } catch (error) {
    if (!(error instanceof EdgegapError)) throw error;
    if (error.code === 'edgegap-gone') return 'already-terminated';
    if (isNoSuchDeployment(error) && error.outcome === 'unknown') return 'perhaps-stopped';
    throw error;
  }
}

/**
 * `taken` contains the deployments whose stop Edgegap accepted. `perhaps` contains the deployments that an earlier
 * attempt with a lost answer may have stopped. Edgegap's later answers do not name a deployment that has ended.
 */
export interface StopsResult {
  readonly taken: readonly string[];
  readonly perhaps: readonly string[];
}

/** The number of ids in one request. Edgegap documents no limit. */
export const STOP_BATCH = 100;

/**
 * Stops deployments in batches. The filter contains only ids and is never empty, so a repeated request cannot stop any
 * other deployment.
 */
export async function stopMany(
  transport: Transport,
  request_ids: readonly string[],
  call?: CallOptions,
): Promise<StopsResult> {
  const ids = [...new Set(request_ids)];
  const taken: string[] = [];
  const perhaps: string[] = [];
  while (ids.length > 0) {
    const values = ids.splice(0, STOP_BATCH);
    const request = {
      method: 'POST',
      path: '/v1/deployments/bulk-stop',
      body: { filters: [{ field: 'request_id', values, filter_type: 'any' }] },
      subject: 'account',
      bucket: 'stop',
      repeatable: true,
    } as const;
    try {
      const { status, json, afterUnknown: isUnsure } = await transport.send(request, call);
      const { success, data, error } = BulkStopAnswer.safeParse(json);
      if (!success) throw unreadable(request, status, 'processable', error);
      const processable = new Set(data.processable.map(({ request_id }) => request_id));
      taken.push(...values.filter((id) => processable.has(id)));
      if (isUnsure) perhaps.push(...values.filter((id) => !processable.has(id)));
    } catch (error) {
      if (taken.length === 0) throw error;
      // The deployments of earlier batches are already being stopped, so the outcome of the whole call is unknown.
      if (error instanceof EdgegapError) throw afterUnknown(error);
      throw breakError({ ...request, kind: 'aborted', sent: true, cause: error });
    }
  }
  return { taken, perhaps };
}
