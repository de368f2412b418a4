import type { Dispatcher } from 'undici';
import { type Clock, sleep } from '../clock.ts';
import { AppError } from '../errors.ts';
import { maskValues } from '../log/known-values.ts';
import type { Mask } from '../log/mask.ts';
import type { Logger } from '../log.ts';
import { createAgent, type Proxies } from '../proxy.ts';
import { attempt, type HttpAnswer, type HttpCall, MAX_BODY_BYTES } from './attempt.ts';
import { afterUnknown, breakError, EdgegapError } from './errors.ts';
import { MAX_PAUSE_MS, type Permits } from './permits.ts';
import { refusalError, type Subject } from './refusals.ts';
import { type RateLimits, Scheduler } from './scheduler.ts';
import { isTokenRefused } from './token.ts';
import type { Lane } from './waiting-calls.ts';

const MAX_ATTEMPTS = 3;
const BACKOFF_MS = 500;
/** The maximum number of characters that are read from Edgegap's message. */
const LONGEST_MESSAGE = 4_096;

export interface TransportOptions {
  /** The base URL of the API. A path in this URL becomes the prefix of each request's path. */
  baseUrl: string;
  /** The complete value of the header `Authorization`. */
  authorization: string;
  clock: Clock;
  log: Logger;
  /** The time limit of an attempt, from the connection to the end of the answer. */
  timeoutMs: number;
  /** The limits in requests per second, if they differ from the documented limits. */
  limits?: Partial<RateLimits> | undefined;
  /** The permits for requests. By default, only this process uses the permits. */
  permits?: Permits | undefined;
  proxy?: Proxies | undefined;
  /** Called whenever Edgegap refuses the token. */
  tokenRefused?: ((error: EdgegapError) => void) | undefined;
  /** Hides secrets in texts that people and servers wrote. */
  mask: Mask;
  /** The function that returns random numbers for the pauses between attempts. The default is `Math.random`. */
  random?: (() => number) | undefined;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
  lane?: Lane | undefined;
  /**
   * Called twice for each attempt: when the attempt has its permit, and immediately before the request is sent. If
   * `mayLeave` throws, `send` rejects with the same error.
   */
  mayLeave?: (() => void) | undefined;
  /** Called with the headers of each answer. */
  answered?: ((headers: HttpAnswer['headers']) => void) | undefined;
}

/**
 * For calls whose result no person is waiting for. These calls use only the part of Edgegap's limits that calls of
 * people leave free.
 */
export const BACKGROUND = { lane: 'background' } as const satisfies CallOptions;

export interface ApiRequest {
  method: HttpCall['method'];
  /** A path from the function `path`, which encodes each part. */
  path: string;
  query?: Record<string, string | number | boolean | undefined> | undefined;
  body?: unknown;
  /** Values in the body that must stay secret, even if Edgegap's answer repeats them. */
  secrets?: readonly string[] | undefined;
  subject: Subject;
  /** Whether the POST request may be repeated, because a repetition has no further effect. */
  repeatable?: boolean | undefined;
  /** Whether the caller reads the bytes of the answer itself. */
  raw?: boolean | undefined;
  /** The bucket of the scheduler. Only 'deploy', 'status', 'list' and 'hosts' have a rate limit. */
  bucket: string;
}

export interface ApiResponse {
  status: number;
  /** The parsed JSON. Undefined if the body was empty, or if the request was `raw`. */
  json: unknown;
  /** Whether an earlier attempt with a lost answer may have had its effect. */
  afterUnknown?: boolean;
  bytes: ArrayBuffer;
}

/**
 * The HTTP calls to an Edgegap account, with token, rate limits, timeouts, retries and errors.
 *
 * GET, DELETE and repeatable POST requests may be sent again after a 429, a 5xx or a broken connection. All other
 * requests are sent again only after a failure that certainly had no effect (429, no connection). After a timeout, no
 * request is sent again, because the person has waited long enough.
 */
export class Transport {
  readonly #options: TransportOptions;
  readonly #random: () => number;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #scheduler: Scheduler;
  readonly #closing = new AbortController();
  readonly #leaving = new AbortController();
  #closed: Promise<unknown> | undefined;
  readonly #keptAlive: Dispatcher;
  readonly #fresh: Dispatcher;

  constructor(options: TransportOptions) {
    this.#options = options;
    const base = new URL(options.baseUrl);
    this.#origin = base.origin;
    this.#prefix = base.pathname.replace(/\/+$/, '');
    this.#random = options.random ?? Math.random;
    this.#scheduler = new Scheduler(options.clock, options.limits, options.permits);
    this.#keptAlive = createPool(1, options.proxy);
    this.#fresh = createPool(0, options.proxy);
  }

  /**
   * Sends `request` and returns any 2xx answer. Throws an EdgegapError if no 2xx answer arrives. If the call is
   * aborted, throws the signal's reason. If a request that changes something is aborted, throws the signal's reason
   * only if the change was certainly not made.
   */
  async send(request: ApiRequest, call: CallOptions = {}): Promise<ApiResponse> {
    const { method } = request;
    const again = isRepeatable(request);
    let before: EdgegapError | undefined;
    for (let n = 1; ; n++) {
      const unknownBefore = before !== undefined && before.outcome !== 'not-done';
      try {
        if (before) await this.#waitAfter(before, request.bucket, n - 1, call);
        return { ...(await this.#once(request, call, n)), afterUnknown: unknownBefore };
      } catch (error) {
        // This attempt did not start, but an earlier attempt may have had an effect. The earlier attempt's error is
        // more useful to the caller than the reason why this attempt did not start.
        if (!(error instanceof EdgegapError)) throw unknownBefore && method !== 'GET' ? before : error;
        const final = unknownBefore ? afterUnknown(error) : error;
        if (n >= MAX_ATTEMPTS || !mayRetry(error, again)) throw final;
        before = final;
      }
    }
  }

  /**
   * Finishes the requests in progress, and refuses waiting and new requests. A second call of `close` has no further
   * effect.
   */
  async close(): Promise<void> {
    this.#closing.abort(closed());
    this.#closed ??= Promise.all([this.#keptAlive.close(), this.#fresh.close()]);
    await this.#closed;
  }

  /** Closes the transport and aborts the requests in progress. The outcome of these requests is unknown. */
  async abandon(): Promise<void> {
    this.#leaving.abort(closed());
    await this.close();
  }

  async #once(request: ApiRequest, call: CallOptions, n: number): Promise<ApiResponse> {
    const { bucket } = request;
    const turn = { lane: call.lane ?? 'people', signal: either(this.#closing, call) };
    return this.#scheduler.run(bucket, turn, async (left) => {
      call.mayLeave?.();
      const start = this.#options.clock.now();
      let status: number | undefined;
      try {
        // If Edgegap closes a connection while the bot sends a request on it, the outcome of the request is unknown. A
        // request that must not be sent twice therefore gets a new connection.
        const dispatcher = isRepeatable(request) ? this.#keptAlive : this.#fresh;
        const answer = await attempt(dispatcher, this.#options.clock, {
          ...this.#http(request),
          signal: either(this.#leaving, call),
          left: () => {
            call.mayLeave?.();
            left();
          },
        });
        status = answer.status;
        call.answered?.(answer.headers);
        return this.#read(answer, request);
      } finally {
        this.#options.log.debug(
          {
            method: request.method,
            path: request.path,
            status,
            ms: this.#options.clock.now() - start,
            attempt: n,
          },
          'Edgegap call',
        );
      }
    });
  }

  #http({ method, path, query, body }: ApiRequest): Omit<HttpCall, 'signal' | 'left'> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {}))
      if (value !== undefined) search.set(name, String(value));
    return {
      method,
      origin: this.#origin,
      path: `${this.#prefix}${path}${search.size > 0 ? `?${search}` : ''}`,
      shownPath: path,
      headers: {
        authorization: this.#options.authorization,
        accept: 'application/json',
        'user-agent': 'edgegap-chatops',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      timeoutMs: this.#options.timeoutMs,
    };
  }

  #read({ status, headers, bytes }: HttpAnswer, request: ApiRequest): ApiResponse {
    const { method, path, subject, secrets, raw = false } = request;
    const isGood = status >= 200 && status < 300;
    if (isGood && raw) return { status, json: undefined, bytes };
    const text = new TextDecoder().decode(bytes);
    const json = parseJson(text);
    if (isGood) {
      if (json === undefined && text.trim() !== '') throw unreadable(request, status, 'no JSON');
      return { status, json, bytes };
    }
    const error = refusalError({
      method,
      path,
      subject,
      status,
      apiMessage: this.#apiMessage(json, secrets),
      requestId: requestIdOf(json),
      retryAfterMs: retryAfterMs(headers['retry-after'], this.#options.clock.now()),
    });
    if (isTokenRefused(error)) this.#options.tokenRefused?.(error);
    throw error;
  }

  /** Edgegap's message and details on a single line. Secrets that they may repeat are removed. */
  #apiMessage(json: unknown, secrets: readonly string[] = []): string | undefined {
    if (typeof json !== 'object' || json === null) return undefined;
    const { message, details } = json as { message?: unknown; details?: unknown };
    const more = details && JSON.stringify(details) !== '{}' ? ` ${JSON.stringify(details)}` : '';
    const said = `${typeof message === 'string' ? message : ''}${more}`.slice(0, LONGEST_MESSAGE);
    const text = this.#options.mask(maskValues(said, secrets));
    const clean = text.replace(/\s+/g, ' ').trim();
    return clean === '' ? undefined : clean.length > 300 ? `${clean.slice(0, 299)}…` : clean;
  }

  async #waitAfter(error: EdgegapError, bucket: string, n: number, call: CallOptions): Promise<void> {
    // Half of the pause is fixed, and half is random. The random part spreads the retries of calls and replicas that
    // failed at the same moment.
    const backoff = BACKOFF_MS * 2 ** (n - 1) * (1 + this.#random());
    const wait = error.retryAfterMs ?? backoff;
    // Edgegap answered that requests come too fast, so the whole bucket is paused. The retry also waits for this
    // bucket.
    if (error.status === 429) return this.#scheduler.pause(bucket, wait);
    await sleep(this.#options.clock, wait, either(this.#closing, call));
  }
}

function createPool(pipelining: 0 | 1, proxy: Proxies | undefined): Dispatcher {
  return createAgent(proxy, {
    connections: 64,
    pipelining,
    maxResponseSize: MAX_BODY_BYTES,
    // Without HTTP/2, a connection carries only one request at a time. With HTTP/2, the bot would not know exactly
    // whether a request was sent.
    allowH2: false,
    // The proxy must open a tunnel even if the address has no TLS. Without a tunnel, the proxy might repeat a request.
    proxyTunnel: true,
  });
}

/** A signal that is aborted as soon as the transport closes or the call is aborted. */
function either({ signal }: AbortController, call: CallOptions): AbortSignal {
  return call.signal ? AbortSignal.any([signal, call.signal]) : signal;
}

function closed(): AppError {
  return new AppError('edgegap-closed', 'I am shutting down.', { hint: 'Try again in a minute.' });
}

/** The error for an answer that is not JSON, or is JSON in a format that the call does not expect. */
export function unreadable(
  about: { method: string; path: string },
  status: number,
  reason: string,
  cause?: unknown,
) {
  const { method, path } = about;
  return breakError({ method, path, status, kind: 'unreadable', sent: true, reason, cause });
}

function isRepeatable({ method, repeatable = false }: ApiRequest): boolean {
  return repeatable || method === 'GET' || method === 'DELETE';
}

function mayRetry(error: EdgegapError, again: boolean): boolean {
  if (error.status === 429 || error.code === 'edgegap-unreachable') return true;
  return again && (error.code === 'edgegap-unavailable' || error.code === 'edgegap-disconnected');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function requestIdOf(json: unknown): string | undefined {
  const id = (json as { request_id?: unknown } | undefined)?.request_id;
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/**
 * The wait that the header Retry-After asks for, as seconds or as an HTTP date. The wait is at most 30 s, to limit the
 * effect of a wrong header.
 */
function retryAfterMs(header: string | string[] | undefined, now: number): number | undefined {
  const value = Array.isArray(header) ? header[0] : header;
  if (!value) return undefined;
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_PAUSE_MS);
}
