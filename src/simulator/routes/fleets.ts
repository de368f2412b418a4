import { hostBody } from '../bodies.ts';
import type { Route, RouteRequest, RouteResponse } from '../exchange.ts';
import { inUse } from '../hosts.ts';
import { paginate } from '../paging.ts';
import { RouteRefusal } from '../refusal.ts';

export const fleetRoutes: readonly Route[] = [
  { endpoint: 'hosts', method: 'GET', path: '/v2/private-fleets/{fleet}/hosts', handle: hosts },
];

/** If the fleet is unknown, the answer is 400, because Edgegap's OpenAPI files declare no 404 for this route. */
function hosts({ world, params, query }: RouteRequest): RouteResponse {
  const fleet = world.settings.catalog.fleets?.find(({ name }) => name === params.fleet);
  if (!fleet) throw new RouteRefusal(400, `There is no private fleet named ${params.fleet}`);
  const { items, ...page } = paginate(fleet.hosts, query);
  return { status: 200, body: { data: items.map((host) => hostBody(inUse(host, world))), ...page } };
}
