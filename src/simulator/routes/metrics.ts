import type { Route, RouteRequest, RouteResponse } from '../exchange.ts';
import { measure } from '../metrics.ts';
import { RouteRefusal } from '../refusal.ts';

export const metricsRoutes: readonly Route[] = [
  { endpoint: 'metrics', method: 'GET', path: '/v1/metrics/deployment/{id}', handle: metrics },
];

const SECOND = 1_000;
const STEPS = new Map([
  ['30s', 30 * SECOND],
  ['1m', 60 * SECOND],
  ['5m', 300 * SECOND],
  ['10m', 600 * SECOND],
  ['1h', 3_600 * SECOND],
]);

function metrics({ world, params, query, now }: RouteRequest): RouteResponse {
  const deployment = world.find(params.id);
  const step = STEPS.get(query.get('steps') ?? '1m');
  if (step === undefined) throw new RouteRefusal(400, 'steps must be one of 30s, 1m, 5m, 10m and 1h');
  const from = time(query, 'start_time') ?? deployment.createdAt;
  const to = time(query, 'end_time') ?? now;
  if (to <= from) throw new RouteRefusal(422, 'end_time must be greater than start_time');
  return { status: 200, body: measure(deployment, world.settings, { from, to, step, now }) };
}

/** Reads a time in the API's format: UTC without a time zone and with a fraction of a second. */
function time(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+$/.test(text))
    throw new RouteRefusal(400, `${name} must match %Y-%m-%d %H:%M:%S.%f`);
  return Date.parse(`${text.replace(' ', 'T').replace(/(\.\d{3})\d*$/, '$1')}Z`);
}
