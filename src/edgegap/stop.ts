import { afterUnknown, breakError, EdgegapError, isNoSuchDeployment } from './errors.ts';
import { BulkStopAnswer } from './schema.ts';
import { type ApiRequest, type CallOptions, type Transport, unreadable } from './transport.ts';

export interface StopOptions extends CallOptions {
  /**
   * Whether the log is kept: the name of an endpoint storage; `true` for the storage of the version; `false` for no
   * storage. The version decides when absent.
   */
  logStorage?: boolean | string | undefined;
}

/**
 * `accepted`: the deployment stops once its status is READY or ERROR. `already-terminated`, by Edgegap's own word, is a
 * success too. `perhaps-stopped`: after an earlier attempt, which may have stopped the deployment, Edgegap knew no such
 * deployment; Edgegap may be mistaken.
 */
export type StopResult = 'stopping' | 'accepted' | 'already-terminated' | 'perhaps-stopped';

/** Stops a deployment. A deployment that is gone is stopped, too. */
export async function stop(
  transport: Transport,
  { query, ...at }: Pick<ApiRequest, 'path' | 'query' | 'subject'>,
  { logStorage, ...call }: StopOptions = {},
): Promise<StopResult> {
  try {
    const asked = { ...query, container_log_storage: logStorage };
    const request = { ...at, method: 'DELETE', query: asked, bucket: 'stop' } as const;
    const { status } = await transport.send(request, call);
    return status === 202 ? 'accepted' : 'stopping';
  } catch (error) {
    if (!(error instanceof EdgegapError)) throw error;
    if (error.code === 'edgegap-gone') return 'already-terminated';
    if (isNoSuchDeployment(error) && error.outcome === 'unknown') return 'perhaps-stopped';
    throw error;
  }
}

/** Edgegap documents no limit for the ids of a request. */
const BATCH = 100;

/**
 * Stops deployments, a batch at a time, and gives back the ids that Edgegap has taken. Only ids are ever sent as a
 * filter, and never an empty list: a request that is sent again can stop no other deployment.
 */
export async function stopMany(
  transport: Transport,
  request_ids: readonly string[],
  call?: CallOptions,
): Promise<{ taken: string[] }> {
  const ids = [...new Set(request_ids)];
  const taken: string[] = [];
  while (ids.length > 0) {
    const values = ids.splice(0, BATCH);
    const request = {
      method: 'POST',
      path: '/v1/deployments/bulk-stop',
      body: { filters: [{ field: 'request_id', values, filter_type: 'any' }] },
      subject: 'account',
      bucket: 'stop',
      repeatable: true,
    } as const;
    try {
      const { status, json } = await transport.send(request, call);
      const { success, data, error } = BulkStopAnswer.safeParse(json);
      if (!success) throw unreadable(request, status, 'processable', error);
      const processable = new Set(data.processable.map(({ request_id }) => request_id));
      taken.push(...values.filter((id) => processable.has(id)));
    } catch (error) {
      if (taken.length === 0) throw error;
      // An earlier batch stops already.
      if (error instanceof EdgegapError) throw afterUnknown(error);
      throw breakError({ ...request, kind: 'aborted', sent: true, cause: error });
    }
  }
  return { taken };
}
