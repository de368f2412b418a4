import { statusBody } from '../bodies.ts';
import type { SimulatedDeployment } from '../deployment.ts';
import type { Route, RouteRequest, RouteResponse } from '../exchange.ts';
import { findRoom } from '../hosts.ts';
import { type ReadOrder, readHosts, readLegacyOrder, readOrder } from '../order.ts';
import { RouteRefusal } from '../refusal.ts';

export const deploymentRoutes: readonly Route[] = [
  { endpoint: 'deploy', method: 'POST', path: '/v2/deployments', handle: deploy },
  {
    endpoint: 'deployToFleet',
    method: 'POST',
    path: '/v2/private-fleets/deployments',
    handle: deployToFleet,
  },
  { endpoint: 'deployLegacy', method: 'POST', path: '/v1/deploy', handle: deployLegacy },
  { endpoint: 'status', method: 'GET', path: '/v1/status/{id}', handle: status },
];

function deploy(call: RouteRequest): RouteResponse {
  return accepted(start(call, readOrder(call.body, call.world.settings)));
}

function deployToFleet(call: RouteRequest): RouteResponse {
  const order = readOrder(call.body, call.world.settings);
  return accepted(start(call, { ...order, place: findRoom(readHosts(call.body), order.uses, call.world) }));
}

function accepted({ request_id }: SimulatedDeployment): RouteResponse {
  return { status: 202, body: { request_id } };
}

function deployLegacy(call: RouteRequest): RouteResponse {
  const order = readLegacyOrder(call.body, call.world.settings);
  // When v1 refuses a deploy, a deployment with the status ERROR still exists, but the refusal does not contain its
  // request_id.
  const { request_id, fqdn, application, version } = start(call, order, () => ({}));
  const body = {
    request_id,
    request_dns: fqdn,
    request_app: application,
    request_version: version,
    request_user_count: order.players.length,
    filters: [],
  };
  return { status: 200, body: order.tags.length > 0 ? { ...body, tags: order.tags } : body };
}

/** Creates the deployment. If no capacity is available, throws a refusal that contains the fields from `leftBehind`. */
function start(
  { world, fault }: RouteRequest,
  order: ReadOrder,
  leftBehind = (request_id: string): object => ({ request_id }),
): SimulatedDeployment {
  const { misfortune } = order.version;
  const full = world.hasRoom ? undefined : 'The account has as many deployments as it may have at a time';
  const noPlace = misfortune === 'no-capacity' ? NO_CAPACITY : undefined;
  const injected = fault?.kind === 'cannot-allocate' ? (fault.message ?? NO_CAPACITY) : undefined;
  const refusal = injected ?? full ?? noPlace;
  const noImage = misfortune === 'image-cannot-be-pulled' ? NO_IMAGE : undefined;
  const imageError = fault?.kind === 'image-cannot-be-pulled' ? (fault.detail ?? DENIED) : noImage;

  const deployment = world.create({ ...order, imagePulled: imageError === undefined && !refusal });
  if (refusal) {
    // A deployment for which no capacity was available exists with the status ERROR until it is stopped.
    world.lifecycle.fail(deployment, refusal);
    throw new RouteRefusal(422, refusal, leftBehind(deployment.request_id));
  }
  world.lifecycle.start(deployment, { imageError, crashes: misfortune === 'crashes' });
  return deployment;
}

const NO_CAPACITY = 'No edge server has room for this deployment';
const NO_IMAGE = 'The image could not be pulled: manifest unknown';
const DENIED = 'The image could not be pulled: access to the registry was denied';

function status({ world, params, now }: RouteRequest): RouteResponse {
  return { status: 200, body: statusBody(world.find(params.id), now, world.settings) };
}
