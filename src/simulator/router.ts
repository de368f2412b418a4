import type { Route } from './exchange.ts';
import { deploymentRoutes } from './routes/deployments.ts';
import { fleetRoutes } from './routes/fleets.ts';
import { listingRoutes } from './routes/listing.ts';
import { logRoutes } from './routes/logs.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { stopRoutes } from './routes/stops.ts';
import { tagRoutes } from './routes/tags.ts';

/** Every route of the simulator. */
export const routes: readonly Route[] = [
  ...deploymentRoutes,
  ...stopRoutes,
  ...listingRoutes,
  ...fleetRoutes,
  ...logRoutes,
  ...metricsRoutes,
  ...tagRoutes,
];

export interface RouteMatch {
  readonly route: Route;
  readonly params: Record<string, string>;
}

/**
 * Returns the route for a method and a path. Returns `method` if the path exists only for other methods. Returns
 * undefined if the path is unknown.
 */
export function findRoute(method: string, path: string): RouteMatch | 'method' | undefined {
  const matches = routes.flatMap((route) => {
    const params = match(route.path, path);
    return params ? [{ route, params }] : [];
  });
  return matches.find(({ route }) => route.method === method) ?? (matches.length > 0 ? 'method' : undefined);
}

function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, segment] of wanted.entries()) {
    const value = given[i] ?? '';
    if (!segment.startsWith('{')) {
      if (segment !== value) return undefined;
      continue;
    }
    const decoded = decode(value);
    if (!decoded) return undefined;
    params[segment.slice(1, -1)] = decoded;
  }
  return params;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
