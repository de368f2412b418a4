import { AppError } from '../errors.ts';

/**
 * Whether the call had its effect: `not-done` surely not, `done` surely (a deploy that could not be allocated has
 * still left a deployment behind), `unknown` perhaps.
 */
export type Outcome = 'not-done' | 'unknown' | 'done';

type Optional = 'hint' | 'cause' | 'status' | 'requestId' | 'retryAfterMs' | 'apiMessage';
export type EdgegapErrorDetails = Pick<EdgegapError, 'method' | 'path' | 'outcome'> &
  Partial<Pick<EdgegapError, Optional>>;

/** A call to Edgegap that failed. No field ever holds the token. */
export class EdgegapError extends AppError {
  readonly method: string;
  /** The API's path, without base URL and query. */
  readonly path: string;
  /** HTTP status; absent when no answer came. */
  readonly status: number | undefined;
  readonly outcome: Outcome;
  /** The deployment that a failed deploy left behind in ERROR; a stop removes this deployment. */
  readonly requestId: string | undefined;
  /** Milliseconds Edgegap asked the bot to wait, at most 30 000. */
  readonly retryAfterMs: number | undefined;
  /** Edgegap's own words, cut to 300 characters. Text from outside: to be shown, never obeyed. */
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

/** The hint for a change of unknown outcome. */
export const MAY_HAVE_HAPPENED =
  'The change may have been made all the same: look at the status before you try again.';

/** Why there was no answer, or no usable answer. */
type Breakage = 'unreachable' | 'disconnected' | 'timeout' | 'unreadable' | 'too-large' | 'aborted';

export interface Break extends Pick<EdgegapErrorDetails, 'method' | 'path' | 'status' | 'cause'> {
  kind: Breakage;
  /** Whether the request had begun to leave this machine. */
  sent: boolean;
  /** A short technical reason, such as `ECONNREFUSED`. */
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
 * The same error, for a call of which an earlier attempt may have had its effect: the outcome of the call as a whole
 * is unknown, however the last attempt failed.
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

/** Whether the error says that Edgegap knows no deployment with this request_id. */
export function isNoSuchDeployment(error: unknown): boolean {
  return error instanceof EdgegapError && error.code === 'edgegap-no-such-deployment';
}
