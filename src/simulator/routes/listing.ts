import { applicationBody, listRow, versionBody } from '../bodies.ts';
import { phaseAt } from '../deployment.ts';
import type { Route, RouteRequest, RouteResponse } from '../exchange.ts';
import { type Listed, select } from '../filters.ts';
import { findApplication } from '../order.ts';
import { paginate } from '../paging.ts';
import { RouteRefusal } from '../refusal.ts';

/** The type of every simulated location. */
const TYPE = 'cloud';

export const listingRoutes: readonly Route[] = [
  { endpoint: 'list', method: 'GET', path: '/v1/deployments', handle: list },
  { endpoint: 'locations', method: 'GET', path: '/v1/locations', handle: locations },
  { endpoint: 'applications', method: 'GET', path: '/v1/apps', handle: applications },
  { endpoint: 'versions', method: 'GET', path: '/v1/app/{application}/versions', handle: versions },
];

/**
 * Lists only active deployments, in their state of `listLagMs` ago. The newest deployment comes first, unless the
 * request asks for a different order.
 */
function list({ world, query, now }: RouteRequest): RouteResponse {
  const seen = [...world.deployments.values()].toReversed().flatMap((deployment): Listed[] => {
    const phase = phaseAt(deployment, now - world.settings.listLagMs);
    return phase && phase !== 'TERMINATED' ? [{ deployment, phase }] : [];
  });
  const { items, ...page } = paginate(select(seen, query.get('query')), query);
  const data = items.map(({ deployment, phase }) => listRow(deployment, phase));
  return { status: 200, body: { data, message: world.listNotes, ...page } };
}

function locations({ world, query }: RouteRequest): RouteResponse {
  const app = query.get('app');
  const version = query.get('version');
  if (version !== null && app === null)
    throw new RouteRefusal(400, 'The parameter version needs the parameter app');
  const known = app === null ? undefined : findApplication(world.settings, app, 400);
  if (version !== null && !known?.versions.some((candidate) => candidate.name === version)) {
    throw new RouteRefusal(400, `${app} has no version named ${version}`);
  }
  const { catalog, dialect } = world.settings;
  const isListed = (query.get('type') ?? TYPE) === TYPE;
  const { items, ...page } = paginate(isListed ? catalog.cities : [], query);
  const withTags = query.get('tags') === 'true' && dialect === 'reference';
  const locations = withTags ? items.map((city) => ({ ...city, type: TYPE, tags: [TYPE] })) : items;
  return { status: 200, body: { locations, messages: catalog.notes ?? [], ...page } };
}

function applications({ world, query }: RouteRequest): RouteResponse {
  const { items, ...page } = paginate(world.settings.catalog.applications, query);
  return { status: 200, body: { applications: items.map(applicationBody), ...page } };
}

function versions({ world, params, query }: RouteRequest): RouteResponse {
  const application = findApplication(world.settings, params.application, 404);
  const { items, ...page } = paginate(application.versions, query);
  return {
    status: 200,
    body: { versions: items.map((version) => versionBody(application, version)), ...page },
  };
}
