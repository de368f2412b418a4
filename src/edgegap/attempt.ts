import { type Dispatcher, errors } from 'undici';
import type { Clock } from '../clock.ts';
import { type Break, breakError, type EdgegapError } from './errors.ts';

/** The maximum size of an answer in memory. Edgegap sends a log as a whole, and logs can be long. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;

export interface HttpCall {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  origin: string;
  /** The path, including the prefix of the base URL and the query. */
  path: string;
  /** The path as shown in errors, without the prefix and the query. */
  shownPath: string;
  headers: Record<string, string>;
  body: string | undefined;
  timeoutMs: number;
  signal: AbortSignal;
  /**
   * Called when this machine begins to send the request. If `left` throws, the request is not sent, and `attempt`
   * rejects with the same error.
   */
  left: () => void;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  bytes: ArrayBuffer;
}

/**
 * Sends a request and reads the whole answer with any HTTP status. If the request fails, `attempt` throws an
 * EdgegapError. The error's `outcome` says whether the request may have reached Edgegap. If the signal is aborted,
 * `attempt` usually throws the signal's reason. There is one exception: if the request changes something and this
 * machine has begun to send it, the change may have happened. In this case, `attempt` throws `edgegap-aborted`.
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
    return { status, headers: answer.headers, bytes: await answer.body.arrayBuffer() };
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
 * Calls `onStart` when undici has a connection and begins to write the request. If an error occurs before `onStart`
 * (refused connection, DNS, TLS, no free connection), the request certainly had no effect. If an error occurs after
 * `onStart`, the effect is unknown.
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

/**
 * The code of an error, for example `ECONNREFUSED` or `UND_ERR_SOCKET`. If several addresses failed, the code is in the
 * first of the inner errors.
 */
function reasonOf(error: unknown): string | undefined {
  // The error's code does not show why the proxy refused, so the message of undici is read.
  const refusal = /^Proxy response \((\d+)\)/.exec((error as Error).message)?.[1];
  if (refusal) return `the proxy answered HTTP ${refusal}`;
  const code =
    (error as { code?: unknown }).code ?? (error as { errors?: { code?: unknown }[] }).errors?.[0]?.code;
  return typeof code === 'string' ? code : undefined;
}
