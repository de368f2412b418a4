import type { Dispatcher } from 'undici';
import { type Clock, sleep } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Mask } from '../log/mask.ts';
import type { Logger } from '../log.ts';
import { createAgent, type Proxies } from '../proxy.ts';
import { attempt, type HttpAnswer, type HttpCall, MAX_BODY_BYTES } from './attempt.ts';
import { afterUnknown, breakError, EdgegapError } from './errors.ts';
import { MAX_PAUSE_MS, type Permits } from './permits.ts';
import { refusalError, type Subject } from './refusals.ts';
import { type RateLimits, Scheduler } from './scheduler.ts';
import type { Lane } from './waiting-calls.ts';

const MAX_ATTEMPTS = 3;
const BACKOFF_MS = 500;

export interface TransportOptions {
  /** A path in the URL is kept as a prefix. */
  baseUrl: string;
  /** The whole header. */
  authorization: string;
  clock: Clock;
  log: Logger;
  /** The time for one attempt: connection and whole answer. */
  timeoutMs: number;
  /** Requests a second, where they differ from the documented limits. */
  limits?: Partial<RateLimits> | undefined;
  /** The permits for requests; by default the permits of this process alone. */
  permits?: Permits | undefined;
  proxy?: Proxies | undefined;
  /** Hides secrets in texts that people and servers wrote. */
  mask: Mask;
  /** For the jitter between attempts; `Math.random` by default. */
  random?: (() => number) | undefined;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
  lane?: Lane | undefined;
  /**
   * Called when the turn of each attempt has come, and again right before the request leaves, which may be later.
   * When `mayLeave` throws, `send` rejects with that error.
   */
  mayLeave?: (() => void) | undefined;
}

export interface ApiRequest {
  method: HttpCall['method'];
  /** Built with `path`, so that each part is encoded. */
  path: string;
  query?: Record<string, string | number | boolean | undefined> | undefined;
  body?: unknown;
  subject: Subject;
  /** A POST that changes nothing more when it is carried out twice. */
  repeatable?: boolean | undefined;
  /** The scheduler's bucket; 'deploy', 'status', 'list' and 'hosts' are limited. */
  bucket: string;
}

export interface ApiResponse {
  status: number;
  /** The parsed JSON; undefined when the body was empty. */
  json: unknown;
}

/**
 * HTTP to one Edgegap account: token, rate limits, time-outs, retries and errors.
 *
 * GET, DELETE and a repeatable POST may be sent again after a 429, a 5xx and a broken connection; other requests only
 * after a failure that surely had no effect (429, no connection). A time-out is final: the person has waited long
 * enough.
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
   * Sends `request` and gives back any 2xx answer. Throws EdgegapError, or the signal's reason when aborted: for a
   * change only if the change was surely not done.
   */
  async send(request: ApiRequest, call: CallOptions = {}): Promise<ApiResponse> {
    const { method } = request;
    const again = isRepeatable(request);
    let before: EdgegapError | undefined;
    for (let n = 1; ; n++) {
      try {
        if (before) await this.#waitAfter(before, request.bucket, n - 1, call);
        return await this.#once(request, call, n);
      } catch (error) {
        const unknownBefore = before !== undefined && before.outcome !== 'not-done';
        // The earlier attempt may have had an effect: its error says more than the reason why this attempt did not
        // begin.
        if (!(error instanceof EdgegapError)) throw unknownBefore && method !== 'GET' ? before : error;
        const final = unknownBefore ? afterUnknown(error) : error;
        if (n >= MAX_ATTEMPTS || !mayRetry(error, again)) throw final;
        before = final;
      }
    }
  }

  /**
   * Finishes the requests that are under way, and refuses waiting and new requests. A second call does nothing more.
   */
  async close(): Promise<void> {
    this.#closing.abort(closed());
    this.#closed ??= Promise.all([this.#keptAlive.close(), this.#fresh.close()]);
    await this.#closed;
  }

  /** Gives up the requests that are under way, too; their outcome is unknown. */
  async abandon(): Promise<void> {
    this.#leaving.abort(closed());
    await this.close();
  }

  async #once(request: ApiRequest, call: CallOptions, n: number): Promise<ApiResponse> {
    const { method, path, bucket, subject } = request;
    const turn = { lane: call.lane ?? 'people', signal: either(this.#closing, call) };
    return this.#scheduler.run(bucket, turn, async (left) => {
      call.mayLeave?.();
      const start = this.#options.clock.now();
      let status: number | undefined;
      try {
        // If Edgegap closes a connection just as a request is sent on it, the outcome of the request is unknown. So a
        // request that cannot be sent twice gets its own connection.
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
        return this.#read(answer, { method, path, subject });
      } finally {
        this.#options.log.debug(
          { method, path, status, ms: this.#options.clock.now() - start, attempt: n },
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

  #read(
    { status, headers, text }: HttpAnswer,
    about: { method: string; path: string; subject: Subject },
  ): ApiResponse {
    const json = parseJson(text);
    if (status >= 200 && status < 300) {
      if (json === undefined && text.trim() !== '') throw unreadable(about, status, 'no JSON');
      return { status, json };
    }
    throw refusalError({
      ...about,
      status,
      apiMessage: this.#apiMessage(json),
      requestId: requestIdOf(json),
      retryAfterMs: retryAfterMs(headers['retry-after'], this.#options.clock.now()),
    });
  }

  /** Edgegap's message and details on one line, without the secrets that they repeat. */
  #apiMessage(json: unknown): string | undefined {
    if (typeof json !== 'object' || json === null) return undefined;
    const { message, details } = json as { message?: unknown; details?: unknown };
    const more = details && JSON.stringify(details) !== '{}' ? ` ${JSON.stringify(details)}` : '';
    const text = this.#options.mask(`${typeof message === 'string' ? message : ''}${more}`);
    const clean = text.replace(/\s+/g, ' ').trim();
    return clean === '' ? undefined : clean.length > 300 ? `${clean.slice(0, 299)}…` : clean;
  }

  async #waitAfter(error: EdgegapError, bucket: string, n: number, call: CallOptions): Promise<void> {
    // Half fixed, half random: replicas and calls that failed together do not come back together.
    const backoff = BACKOFF_MS * 2 ** (n - 1) * (1 + this.#random());
    const wait = error.retryAfterMs ?? backoff;
    // After Edgegap said that requests come too fast, the whole bucket pauses; this call waits in the bucket, too.
    if (error.status === 429) return this.#scheduler.pause(bucket, wait);
    await sleep(this.#options.clock, wait, either(this.#closing, call));
  }
}

function createPool(pipelining: 0 | 1, proxy: Proxies | undefined): Dispatcher {
  return createAgent(proxy, {
    connections: 64,
    pipelining,
    maxResponseSize: MAX_BODY_BYTES,
    // Whether a request has left is known exactly only on a connection that carries a single request at a time.
    allowH2: false,
    // A tunnel also for an address without TLS: without a tunnel the proxy might repeat a request by itself.
    proxyTunnel: true,
  });
}

/** A signal that is aborted when the transport closes or the call is aborted, whichever is first. */
function either({ signal }: AbortController, call: CallOptions): AbortSignal {
  return call.signal ? AbortSignal.any([signal, call.signal]) : signal;
}

function closed(): AppError {
  return new AppError('edgegap-closed', 'I am shutting down.', { hint: 'Try again in a minute.' });
}

/** A path in which each `${}` part is encoded. A part that a proxy on the way could fold away is refused. */
export function path(strings: TemplateStringsArray, ...parts: string[]): string {
  return String.raw(
    { raw: strings },
    ...parts.map((part) => {
      if (part === '' || part === '.' || part === '..') {
        throw new AppError('edgegap-bad-name', `“${part}” is not a name that Edgegap can be asked about.`, {
          hint: 'Check the name and try again.',
        });
      }
      return encodeURIComponent(part.toWellFormed());
    }),
  );
}

/** The error for an answer that is not JSON, or is other JSON than the call expects. */
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

/** Retry-After is seconds or an HTTP date; at most 30 s, so that a mistake in the header makes no call wait longer. */
function retryAfterMs(header: string | string[] | undefined, now: number): number | undefined {
  const value = Array.isArray(header) ? header[0] : header;
  if (!value) return undefined;
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_PAUSE_MS);
}
