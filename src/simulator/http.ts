import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { RouteResponse } from './exchange.ts';
import type { Endpoint, RequestFault } from './faults.ts';
import { selfStopToken } from './identity.ts';
import { RouteRefusal } from './refusal.ts';
import { findRoute, type RouteMatch } from './router.ts';
import type { World } from './world.ts';

/** A received request, recorded for tests. */
export interface ReceivedRequest {
  /** The time of arrival, by the simulator's clock. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<IncomingMessage['headers']>;
  /** The parsed JSON of the body, or the text of the body if it is not JSON. Undefined if the body is empty. */
  readonly body: unknown;
  readonly endpoint: Endpoint | undefined;
  /** The status of the answer. Undefined before the answer is sent, and after a reset of the connection. */
  status: number | undefined;
}

/** In v1, the field for the application has a different name. */
const Named = z.union([
  z.object({ application: z.string() }),
  z.object({ app_name: z.string() }).transform(({ app_name }) => ({ application: app_name })),
]);

/** The maximum number of recorded requests. The limit bounds the memory of a demo that runs for weeks. */
const KEPT_REQUESTS = 10_000;

/** The HTTP server of the simulator. It reads each request, applies limits and faults, and calls the route. */
export function createHttpServer(world: World, requests: ReceivedRequest[]): Server {
  const server = createServer((request, response) => {
    serve(world, requests, request, response).catch(() => request.socket.destroy());
  });
  // The client may send a request at the same moment as the server closes an idle connection. Therefore the server
  // keeps idle connections open for a long time.
  server.keepAliveTimeout = 60_000;
  return server;
}

async function serve(
  world: World,
  requests: ReceivedRequest[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const now = world.settings.clock.now();
  const url = new URL(request.url ?? '/', 'http://simulator');
  const method = request.method ?? 'GET';
  const found = findRoute(method, url.pathname);
  const sent = await text(request);
  const json = parse(sent);
  const record: ReceivedRequest = {
    at: now,
    method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    body: sent === '' ? undefined : (json ?? sent),
    endpoint: typeof found === 'object' ? found.route.endpoint : undefined,
    status: undefined,
  };
  if (requests.push(record) > KEPT_REQUESTS) requests.shift();

  const send = ({ status, body, headers }: RouteResponse, cut = false) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    record.status = status;
    if (response.destroyed) return;
    response.writeHead(status, { ...(payload && { 'content-type': 'application/json' }), ...headers });
    response.end(cut ? payload?.slice(0, Math.ceil(payload.length / 2)) : payload);
  };
  const { token, deletedToken } = world.settings;
  const given = request.headers.authorization;
  if (given === `token ${deletedToken}`) return send(new RouteRefusal(403, 'This token was deleted'));
  const { route, params: named } = typeof found === 'object' ? found : {};
  const expected = route?.endpoint === 'selfStop' ? selfStopToken(named?.id ?? '') : `token ${token}`;
  if (given !== expected) return send(new RouteRefusal(401, 'The token is missing or wrong'));
  if (!found) return send(new RouteRefusal(404, 'There is nothing at this path'));
  if (found === 'method') return send(new RouteRefusal(405, 'This path does not take this method'));

  const { endpoint } = found.route;
  if (!world.limiter.admit(endpoint, now)) return send(tooMany(1));
  const fault = world.faults.takeForRequest({
    endpoint,
    method,
    path: url.pathname,
    request_id: found.params.id,
    application: Named.safeParse(json).data?.application,
  });
  const hit = await strike(world, request, fault, 'before');
  if (hit) return hit === 'reset' ? undefined : send(hit);

  const { params } = found;
  const answer = handle(found, { world, params, query: url.searchParams, body: json, now, fault });
  const late = await strike(world, request, fault, 'after');
  if (late !== 'reset') send(late ?? answer, fault?.kind === 'broken-json');
}

function tooMany(retryAfter: number | string | null): RouteResponse {
  const answer = { status: 429, body: { message: 'Too many requests' } };
  return retryAfter === null ? answer : { ...answer, headers: { 'retry-after': String(retryAfter) } };
}

/**
 * Applies the fault if it is planned for this `moment`: before or after the request takes effect. If the fault replaces
 * the route's answer, resolves with the fault's answer.
 */
async function strike(
  world: World,
  request: IncomingMessage,
  fault: RequestFault | undefined,
  moment: 'before' | 'after',
): Promise<'reset' | RouteResponse | undefined> {
  if (fault?.kind === 'too-many-requests' && moment === 'before') return tooMany(fault.retryAfter);
  if (!fault || !('when' in fault) || fault.when !== moment) return undefined;
  if (fault.kind === 'slow') {
    await new Promise<void>((resolve) => world.timers.after(fault.ms, resolve));
    return undefined;
  }
  if (fault.kind === 'reset') {
    request.socket.resetAndDestroy();
    return 'reset';
  }
  return new RouteRefusal(fault.status ?? 500, fault.message ?? 'Something broke on our side');
}

function handle(found: RouteMatch, call: Parameters<RouteMatch['route']['handle']>[0]): RouteResponse {
  try {
    return found.route.handle(call);
  } catch (error) {
    if (error instanceof RouteRefusal) return error;
    throw error;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
