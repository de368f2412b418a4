import type { Endpoint, RequestFault } from './faults.ts';
import type { World } from './world.ts';

/** A request and its matching route. */
export interface RouteRequest {
  readonly world: World;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The parsed body. Undefined if the body is empty or is not JSON. */
  readonly body: unknown;
  readonly now: number;
  readonly fault: RequestFault | undefined;
}

export interface RouteResponse {
  readonly status: number;
  /** The body of the answer, sent as JSON. If absent, the answer has no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly endpoint: Endpoint;
  readonly method: string;
  /** The path of the route. Segments in braces are parameters. */
  readonly path: string;
  readonly handle: (call: RouteRequest) => RouteResponse;
}
