import { z } from 'zod';
import { statusBody } from '../bodies.ts';
import { phaseOf, type SimulatedDeployment } from '../deployment.ts';
import type { Route, RouteRequest, RouteResponse } from '../exchange.ts';
import { accessPoint } from '../identity.ts';
import { RouteRefusal } from '../refusal.ts';

export const stopRoutes: readonly Route[] = [
  { endpoint: 'stop', method: 'DELETE', path: '/v1/stop/{id}', handle: stop },
  { endpoint: 'stopMany', method: 'POST', path: '/v1/deployments/bulk-stop', handle: stopMany },
  { endpoint: 'selfStop', method: 'DELETE', path: '/v1/self/stop/{id}/{point}', handle: selfStop },
];

function stop(call: RouteRequest): RouteResponse {
  const { world, params, now } = call;
  const deployment = world.find(params.id);
  if (phaseOf(deployment) === 'TERMINATED')
    throw new RouteRefusal(410, `${deployment.request_id} has ended already`);
  const { status, message } = end(call, deployment);
  if (status === 202) return { status, body: { message } };
  return { status, body: { message, deployment_summary: statusBody(deployment, now, world.settings) } };
}

/**
 * A stop from inside the container. Edgegap's OpenAPI files declare no 410 for this route. Therefore the answer for a
 * deployment that has ended is the same as for an unknown access point.
 */
function selfStop(call: RouteRequest): RouteResponse {
  const deployment = call.world.find(call.params.id);
  const { request_id } = deployment;
  if (phaseOf(deployment) === 'TERMINATED' || call.params.point !== String(accessPoint(request_id)))
    throw new RouteRefusal(404, `${request_id} has no such access point`);
  const { status, message } = end(call, deployment);
  return { status, body: { message } };
}

/** The storages that do not exist. All other names belong to an existing storage. */
const NO_STORAGE = /^no-such/;

function end({ world, query }: RouteRequest, deployment: SimulatedDeployment) {
  const storage = query.get('container_log_storage');
  if (storage && NO_STORAGE.test(storage))
    throw new RouteRefusal(400, `Endpoint storage ${storage} not found`);
  if (storage === 'false') deployment.logStorage = undefined;
  // `true` means the version's own storage, but versions in the simulator have no storage.
  else if (storage && storage !== 'true') deployment.logStorage = storage;
  const { request_id } = deployment;
  return world.lifecycle.stop(deployment)
    ? { status: 200, message: `${request_id} is being stopped` }
    : { status: 202, message: `${request_id} stops as soon as it can` };
}

const BulkBody = z.object({
  filters: z
    .array(
      z.object({
        field: z.enum(['request_id', 'deployment_tags']),
        values: z.array(z.string()),
        filter_type: z.enum(['any', 'all', 'not']),
      }),
    )
    .min(1),
});
type BulkFilter = z.infer<typeof BulkBody>['filters'][number];

/** Stops all running deployments that match every filter. */
function stopMany({ world, body, fault }: RouteRequest): RouteResponse {
  const parsed = BulkBody.safeParse(body);
  if (!parsed.success) throw new RouteRefusal(400, 'The filters are not valid');
  const refused = fault?.kind === 'not-processable' ? fault.request_ids : [];
  const matched = [...world.deployments.values()].filter(
    (deployment) =>
      phaseOf(deployment) !== 'TERMINATED' &&
      !refused.includes(deployment.request_id) &&
      parsed.data.filters.every((filter) => fits(filter, deployment)),
  );
  for (const deployment of matched) world.lifecycle.stop(deployment);
  return { status: 202, body: { processable: matched.map(({ request_id }) => ({ request_id })) } };
}

function fits(
  { field, values, filter_type }: BulkFilter,
  { request_id, tags }: SimulatedDeployment,
): boolean {
  const own = field === 'request_id' ? [request_id] : tags.map(({ name }) => name);
  if (filter_type === 'all') return values.every((value) => own.includes(value));
  return values.some((value) => own.includes(value)) === (filter_type === 'any');
}
