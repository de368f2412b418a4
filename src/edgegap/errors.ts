import { AppError } from '../errors.ts';

/**
 * Whether the call had its effect. `not-done`: the call certainly had no effect. `done`: the call certainly had its
 * effect, although Edgegap answered with an error. For example, Edgegap created a deployment but had no capacity to run
 * the server. `unknown`: the call may have had its effect.
 */
export type Outcome = 'not-done' | 'unknown' | 'done';

type Optional = 'hint' | 'cause' | 'status' | 'requestId' | 'retryAfterMs' | 'apiMessage';
export type EdgegapErrorDetails = Pick<EdgegapError, 'method' | 'path' | 'outcome'> &
  Partial<Pick<EdgegapError, Optional>>;

/** A call to Edgegap that failed. The token never appears in any of the fields. */
export class EdgegapError extends AppError {
  readonly method: string;
  /** The path of the API, without the base URL and the query. */
  readonly path: string;
  /** The HTTP status. Absent if no answer came. */
  readonly status: number | undefined;
  readonly outcome: Outcome;
  /**
   * The request_id of a deployment with the status ERROR that remains after a failed deploy. A stop removes this
   * deployment.
   */
  readonly requestId: string | undefined;
  /** The wait that Edgegap asked for, in milliseconds, at most 30 000. */
  readonly retryAfterMs: number | undefined;
  /**
   * Edgegap's own message, cut to 300 characters. The text comes from outside. The bot may show the text, but must
   * never act on it.
   */
  readonly apiMessage: string | undefined;

  constructor(code: string, userMessage: string, details: EdgegapErrorDetails) {
    super(code, userMessage, { hint: details.hint, cause: details.cause });
    this.method = details.method;
    this.path = details.path;
    this.status = details.status;
    this.outcome = details.outcome;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
    this.apiMessage = details.apiMessage;
  }
}

/** The hint for a change whose outcome is unknown. */
export const MAY_HAVE_HAPPENED =
  'The change may have been made all the same: look at the status before you try again.';

/** Why no answer arrived, or why the answer could not be used. */
type Breakage = 'unreachable' | 'disconnected' | 'timeout' | 'unreadable' | 'too-large' | 'aborted';

export interface Break extends Pick<EdgegapErrorDetails, 'method' | 'path' | 'status' | 'cause'> {
  kind: Breakage;
  /** Whether this machine had already begun to send the request. */
  sent: boolean;
  /** A short technical reason, for example `ECONNREFUSED`. */
  reason?: string | undefined;
}

export function breakError({ kind, sent, reason, ...details }: Break): EdgegapError {
  const because = reason ? ` (${reason})` : '';
  const messages: Record<Breakage, string> = {
    unreachable: `I cannot reach Edgegap’s API${because}.`,
    disconnected: `The connection to Edgegap broke before the answer came${because}.`,
    timeout: `Edgegap did not answer in time${because}.`,
    unreadable: `Edgegap’s answer cannot be understood${because}.`,
    'too-large': `Edgegap’s answer is too large to be read${because}.`,
    aborted: 'I gave up the request to Edgegap before the answer came.',
  };
  const again = details.method === 'GET' ? 'Try again in a minute.' : MAY_HAVE_HAPPENED;
  const hint =
    kind === 'unreachable'
      ? 'Nothing was sent. Try again; if this goes on, whoever runs me should check the network and EDGEGAP_API_URL.'
      : kind === 'too-large'
        ? 'Look in the Edgegap dashboard.'
        : sent
          ? again
          : 'Nothing was sent. Try again in a minute.';
  return new EdgegapError(`edgegap-${kind}`, messages[kind], {
    ...details,
    hint,
    outcome: sent ? 'unknown' : 'not-done',
  });
}

/**
 * Returns the error of a call whose earlier attempt may have had an effect. The outcome `not-done` of the last attempt
 * becomes `unknown`, because the outcome of the whole call is unknown.
 */
export function afterUnknown(error: EdgegapError): EdgegapError {
  if (error.outcome !== 'not-done') return error;
  return new EdgegapError(error.code, error.userMessage, {
    ...error,
    cause: error.cause,
    hint: error.method === 'GET' ? error.hint : MAY_HAVE_HAPPENED,
    outcome: 'unknown',
  });
}

/** Whether the error says that a deployment with this request_id does not exist. */
export function isNoSuchDeployment(error: unknown): boolean {
  return error instanceof EdgegapError && error.code === 'edgegap-no-such-deployment';
}

/** Whether a retry of the call may succeed without a repair by a person. */
export function isPassing({ status }: EdgegapError): boolean {
  return status === undefined || status === 429 || status >= 500;
}
