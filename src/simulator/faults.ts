import type { SimulatedEvent } from './deployment.ts';

/** Every route of the simulator. Faults and recorded requests use these names. */
export type Endpoint =
  | 'deploy'
  | 'deployToFleet'
  | 'deployLegacy'
  | 'status'
  | 'stop'
  | 'stopMany'
  | 'selfStop'
  | 'list'
  | 'logs'
  | 'metrics'
  | 'hosts'
  | 'locations'
  | 'applications'
  | 'versions'
  | 'tags'
  | 'tag'
  | 'addTag'
  | 'renameTag'
  | 'removeTag';

/**
 * Selects requests. A request matches if it has the value of every field that is set. A matcher without fields matches
 * every request.
 */
export interface RequestMatcher {
  readonly endpoint?: Endpoint;
  readonly method?: string;
  readonly path?: RegExp;
  readonly request_id?: string;
  /** The application in the body of a deploy. */
  readonly application?: string;
}

export interface CallbackMatcher {
  readonly callback: SimulatedEvent | 'any';
  readonly request_id?: string;
}

/** Whether the fault occurs before or after the request takes effect. */
type When = 'before' | 'after';

export type RequestFault =
  /**
   * Only for a deploy. The answer is 422 and contains the request_id of a deployment with the status ERROR. This
   * deployment remains in the account.
   */
  | { readonly kind: 'cannot-allocate'; readonly message?: string }
  /**
   * Only for a deploy. The request is accepted, but the deployment then changes to ERROR with this detail instead of
   * READY.
   */
  | { readonly kind: 'image-cannot-be-pulled'; readonly detail?: string }
  /** Only for a stop of many deployments. These deployments are not stopped and do not appear in `processable`. */
  | { readonly kind: 'not-processable'; readonly request_ids: readonly string[] }
  | {
      readonly kind: 'server-error';
      readonly when: When;
      readonly status?: number;
      readonly message?: string;
    }
  /** The answer is sent `ms` milliseconds later, by the simulator's clock. */
  | { readonly kind: 'slow'; readonly when: When; readonly ms: number }
  /** The request takes effect, but the answer ends in the middle of the JSON. */
  | { readonly kind: 'broken-json' }
  | { readonly kind: 'reset'; readonly when: When }
  /**
   * `retryAfter` is sent unchanged, so that a test can send an HTTP date or an invalid value. If `retryAfter` is null,
   * the answer has no such header.
   */
  | { readonly kind: 'too-many-requests'; readonly retryAfter: number | string | null };

export type CallbackFault =
  | { readonly kind: 'drop' }
  | { readonly kind: 'double' }
  | { readonly kind: 'late'; readonly ms: number }
  /** Changes the order of callbacks. The callback is sent after the next callback of the same deployment. */
  | { readonly kind: 'hold' }
  /** The callback is sent on time, but its body is not JSON. */
  | { readonly kind: 'unreadable' };

/** The parts of a request that are compared with a matcher. */
export interface RequestFacts {
  readonly endpoint: Endpoint;
  readonly method: string;
  readonly path: string;
  readonly request_id: string | undefined;
  readonly application: string | undefined;
}

interface Planned<M, F> {
  readonly matcher: M;
  readonly fault: F;
  left: number;
}

/** The planned faults, oldest first. Each fault applies to a certain number of requests or callbacks. */
export class Faults {
  #requests: Planned<RequestMatcher, RequestFault>[] = [];
  #callbacks: Planned<CallbackMatcher, CallbackFault>[] = [];

  /**
   * Applies `fault` to the next `times` requests or callbacks that match. The returned function cancels the fault for
   * all later requests or callbacks.
   */
  next(matcher: CallbackMatcher, fault: CallbackFault, times?: number): () => void;
  next(matcher: RequestMatcher, fault: RequestFault, times?: number): () => void;
  next(
    matcher: RequestMatcher | CallbackMatcher,
    fault: RequestFault | CallbackFault,
    times = 1,
  ): () => void {
    const planned = { matcher, fault, left: times };
    if ('callback' in matcher) this.#callbacks.push(planned as Planned<CallbackMatcher, CallbackFault>);
    else this.#requests.push(planned as Planned<RequestMatcher, RequestFault>);
    return () => {
      planned.left = 0;
    };
  }

  clear(): void {
    this.#requests = [];
    this.#callbacks = [];
  }

  takeForRequest(facts: RequestFacts): RequestFault | undefined {
    return take(
      this.#requests,
      ({ matcher, fault }) => fits(matcher, facts) && applies(fault, facts.endpoint),
    );
  }

  takeForCallback(event: SimulatedEvent, id: string): CallbackFault | undefined {
    return take(
      this.#callbacks,
      ({ matcher }) =>
        (matcher.callback === 'any' || matcher.callback === event) && (matcher.request_id ?? id) === id,
    );
  }
}

function take<M, F>(planned: Planned<M, F>[], matches: (entry: Planned<M, F>) => boolean): F | undefined {
  const entry = planned.find((candidate) => candidate.left > 0 && matches(candidate));
  if (entry) entry.left -= 1;
  return entry?.fault;
}

function fits(matcher: RequestMatcher, facts: RequestFacts): boolean {
  return (
    (matcher.endpoint ?? facts.endpoint) === facts.endpoint &&
    (matcher.method ?? facts.method) === facts.method &&
    (matcher.path?.test(facts.path) ?? true) &&
    (matcher.request_id === undefined || matcher.request_id === facts.request_id) &&
    (matcher.application === undefined || matcher.application === facts.application)
  );
}

function applies(fault: RequestFault, endpoint: Endpoint): boolean {
  const deployOnly = fault.kind === 'cannot-allocate' || fault.kind === 'image-cannot-be-pulled';
  if (fault.kind === 'not-processable') return endpoint === 'stopMany';
  return !deployOnly || endpoint.startsWith('deploy');
}
