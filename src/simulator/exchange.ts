import type { Endpoint, RequestFault } from './faults.ts';
import type { World } from './world.ts';

/** A request for a route. */
export interface RouteRequest {
  readonly world: World;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The parsed body; undefined for an empty body, and for a body that is not JSON. */
  readonly body: unknown;
  readonly now: number;
  readonly fault: RequestFault | undefined;
}

export interface RouteResponse {
  readonly status: number;
  /** Sent as JSON. Without a value, the answer has no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly endpoint: Endpoint;
  readonly method: string;
  /** Segments in braces are parameters. */
  readonly path: string;
  readonly handle: (call: RouteRequest) => RouteResponse;
}
