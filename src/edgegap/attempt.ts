import { type Dispatcher, errors } from 'undici';
import type { Clock } from '../clock.ts';
import { type Break, breakError, type EdgegapError } from './errors.ts';

/** A log file comes whole and can be long; more bytes than this are not kept in memory. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;

export interface HttpCall {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  origin: string;
  /** With the base URL's prefix and the query. */
  path: string;
  /** Without prefix and query, for errors. */
  shownPath: string;
  headers: Record<string, string>;
  body: string | undefined;
  timeoutMs: number;
  signal: AbortSignal;
  /**
   * Called when the request begins to leave. When `left` throws, the request does not leave, and `attempt` rejects
   * with that error.
   */
  left: () => void;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/**
 * Sends a request and reads the whole answer, for any status. Throws an EdgegapError whose outcome says whether the
 * request can have reached Edgegap. When aborted, throws the signal's reason; only a change that was already on its
 * way throws `edgegap-aborted`, because the caller must not think that the change did not happen.
 */
export async function attempt(dispatcher: Dispatcher, clock: Clock, call: HttpCall): Promise<HttpAnswer> {
  const { method, signal } = call;
  signal.throwIfAborted();
  const timeout = new AbortController();
  let sent = false;
  let status: number | undefined;
  let stayed: { readonly why: unknown } | undefined;
  const stopTimer = clock.after(call.timeoutMs, () => timeout.abort());
  const broken = (kind: Break['kind'], reason?: string, cause?: unknown): EdgegapError =>
    breakError({ method, path: call.shownPath, kind, sent, status, reason, cause });

  try {
    const answer = await dispatcher
      .compose(
        noteStart(() => {
          try {
            call.left();
          } catch (why) {
            stayed = { why };
            throw why;
          }
          sent = true;
        }),
      )
      .request({
        method,
        path: call.path,
        origin: call.origin,
        headers: call.headers,
        body: call.body ?? null,
        signal: AbortSignal.any([signal, timeout.signal]),
        headersTimeout: 0,
        bodyTimeout: 0,
      });
    status = answer.statusCode;
    return { status, headers: answer.headers, text: await answer.body.text() };
  } catch (error) {
    if (stayed) throw stayed.why;
    if (signal.aborted) {
      if (!sent || method === 'GET') throw signal.reason;
      throw broken('aborted', undefined, signal.reason);
    }
    if (timeout.signal.aborted) throw broken('timeout', `after ${Math.round(call.timeoutMs / 1_000)} s`);
    if (error instanceof errors.ResponseExceededMaxSizeError)
      throw broken('too-large', `more than ${MAX_BODY_BYTES / 1024 / 1024} MiB`, error);
    throw broken(sent ? 'disconnected' : 'unreachable', reasonOf(error), error);
  } finally {
    stopTimer();
  }
}

/**
 * Calls `onStart` when undici has a connection and begins to write the request. After an earlier error (refused, DNS,
 * TLS, no free connection) the request surely had no effect; after a later error the effect is unknown.
 */
function noteStart(onStart: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const start = handler.onRequestStart?.bind(handler);
    handler.onRequestStart = (controller, context) => {
      onStart();
      start?.(controller, context);
    };
    return dispatch(options, handler);
  };
}

/** `ECONNREFUSED`, `UND_ERR_SOCKET`... An error for several addresses holds the code in its first error. */
function reasonOf(error: unknown): string | undefined {
  // These are undici's words; the code of this error says nothing.
  const refusal = /^Proxy response \((\d+)\)/.exec((error as Error).message)?.[1];
  if (refusal) return `the proxy answered HTTP ${refusal}`;
  const code =
    (error as { code?: unknown }).code ?? (error as { errors?: { code?: unknown }[] }).errors?.[0]?.code;
  return typeof code === 'string' ? code : undefined;
}
