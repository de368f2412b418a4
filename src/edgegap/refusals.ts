import { EdgegapError, type EdgegapErrorDetails, MAY_HAVE_HAPPENED, type Outcome } from './errors.ts';

/**
 * The subject of a call. A status has different meanings for different subjects, for example for a deploy and for a
 * request about a deployment.
 */
export type Subject =
  | 'deploy'
  | 'deployment'
  | 'self-stop'
  | 'log'
  | 'metrics'
  | 'tag'
  | 'fleet'
  | 'application'
  | 'account';

/** An answer that reports a failure, with all facts that the bot could read from the answer. */
interface Refusal extends Omit<EdgegapErrorDetails, 'hint' | 'cause' | 'outcome'> {
  subject: Subject;
  status: number;
}

interface Meaning {
  code: string;
  message: string;
  hint: string;
  /** If absent, the outcome is `not-done`. */
  outcome?: Outcome;
}

/**
 * If Edgegap answers a deploy with one of these statuses, nothing was deployed. Any other status may come from a proxy,
 * and Edgegap may still have deployed the server.
 */
const NOT_DEPLOYED = new Set([400, 401, 403, 404, 429]);

/**
 * Returns the error for an answer that reports a failure. The meaning of each status comes from the API reference and
 * from tests with the live API.
 */
export function refusalError(refusal: Refusal): EdgegapError {
  const { code, message, hint, outcome = 'not-done' } = meaning(refusal);
  const { subject, ...details } = refusal;
  const unsure = subject === 'deploy' && outcome === 'not-done' && !NOT_DEPLOYED.has(refusal.status);
  return new EdgegapError(code, message, {
    ...details,
    ...(unsure ? { hint: MAY_HAVE_HAPPENED, outcome: 'unknown' } : { hint, outcome }),
  });
}

function meaning(refusal: Refusal): Meaning {
  const { status, apiMessage, method } = refusal;
  const quote = apiMessage ? ` Edgegap says: “${apiMessage.replace(/[.\s]+$/, '')}”.` : '';
  if (status >= 500) {
    return {
      code: 'edgegap-unavailable',
      message: `Edgegap has a problem on its side (HTTP ${status}).${quote}`,
      hint: method === 'GET' ? 'Try again in a minute.' : MAY_HAVE_HAPPENED,
      outcome: 'unknown',
    };
  }
  if (refusal.subject === 'self-stop' && (status === 401 || status === 403)) {
    return {
      code: 'edgegap-unauthorized',
      message: `Edgegap does not accept the token with which this server stops itself.${quote}`,
      hint: 'Pass on ARBITRIUM_DELETE_TOKEN of the same container as ARBITRIUM_DELETE_URL, unchanged.',
    };
  }
  switch (status) {
    case 400:
      return badRequest(refusal, quote);
    case 401:
      return {
        code: 'edgegap-unauthorized',
        message: 'Edgegap does not accept my API token: it is missing or wrong.',
        hint: 'Whoever runs me has to set a valid token (EDGEGAP_API_TOKEN, made in the Edgegap dashboard under user settings) and restart me.',
      };
    case 403:
      return {
        code: 'edgegap-forbidden',
        message: `Edgegap knows my API token but refuses this request: the token was deleted, or is a template.${quote}`,
        hint: 'Whoever runs me has to make a new token in the Edgegap dashboard, set the token (EDGEGAP_API_TOKEN) and restart me.',
      };
    case 404:
      return notFound(refusal, quote);
    case 409:
      return refusal.subject === 'tag'
        ? {
            code: 'edgegap-conflict',
            message: 'This server already has that tag.',
            hint: 'Choose another name, or keep the tag as it is.',
          }
        : {
            code: 'edgegap-conflict',
            message: `The request collides with something that exists already.${quote}`,
            hint: 'Look with `status`, then try again.',
          };
    case 410:
      return {
        code: 'edgegap-gone',
        message: 'This server has already stopped.',
        hint: 'Nothing is left to do. The logs are gone with the server, unless the version has an endpoint storage.',
      };
    case 422:
      return refusal.subject === 'deploy' ? cannotAllocate(refusal, quote) : badRequest(refusal, quote);
    case 429: {
      const seconds = Math.ceil((refusal.retryAfterMs ?? 1_000) / 1_000);
      return {
        code: 'edgegap-too-fast',
        message: 'Edgegap says that this account is sending requests too fast.',
        hint: `Try again in ${seconds <= 1 ? 'a second' : `${seconds} seconds`}.`,
      };
    }
  }
  if (status >= 300 && status < 400) {
    return {
      code: 'edgegap-redirected',
      message: `Edgegap answered with a redirect (HTTP ${status}). I do not follow redirects, so that my token goes nowhere else.`,
      hint: 'Whoever runs me should check the API’s address (EDGEGAP_API_URL).',
      // The status 303 "See other" means that the request was carried out. All other redirects ask the client to repeat
      // the request at a different address.
      outcome: status === 303 ? 'unknown' : 'not-done',
    };
  }
  return badRequest(refusal, quote);
}

/** A stop can name a log storage. The name of the storage may be wrong although the deployment exists. */
const BLAMES_STORAGE = /storage/i;

function noSuchDeployment(): Meaning {
  return {
    code: 'edgegap-no-such-deployment',
    message: 'Edgegap knows no server with this request_id.',
    hint: 'The server may have ended some time ago, or belong to another account; `list` shows the active servers.',
  };
}

/**
 * For an unknown request_id, the live API answers 400 instead of 404. If the request contains no other value that can
 * be wrong, the status 400 therefore means that the request_id is unknown. If the request also contains a tag or a time
 * window, Edgegap's message shows which value is wrong. For an unknown application or version, v2 deploy also answers
 * 400.
 */
function badRequest({ subject, status, apiMessage = '' }: Refusal, quote: string): Meaning {
  const blamesTag = /\btags?\b|\bname\b|length|charact/i.test(apiMessage) && !/request_?id/i.test(apiMessage);
  const blamesWindow = /time|step|raw|date|format/i.test(apiMessage) && !/request_?id/i.test(apiMessage);
  const blamesStorage = BLAMES_STORAGE.test(apiMessage);
  const isUnknown: Partial<Record<Subject, boolean>> = {
    deployment: !blamesStorage,
    'self-stop': !blamesStorage,
    log: true,
    tag: !blamesTag,
    metrics: !blamesWindow,
  };
  if (status === 400 && isUnknown[subject]) return noSuchDeployment();
  const hints: Partial<Record<Subject, string>> = {
    deploy:
      'Check the names of application and version, that both are active, and the place or the addresses of the players.',
    metrics: 'Check the window and the step, and try again.',
    fleet: 'Check the name of the fleet.',
    deployment: 'Check the name of the log storage. The names stand in the Edgegap dashboard.',
    'self-stop': 'Check the name of the log storage. The names stand in the Edgegap dashboard.',
    tag: 'Check the tag; the API’s reference allows 20 characters.',
    application: 'Check the name of the application.',
  };
  const what = subject === 'deploy' ? 'this order' : 'this request';
  return {
    code: 'edgegap-bad-request',
    message: `Edgegap does not accept ${what} (HTTP ${status}).${quote}`,
    hint: hints[subject] ?? 'Check the values of the command and try again.',
  };
}

function notFound(refusal: Refusal, quote: string): Meaning {
  const { subject, apiMessage = '' } = refusal;
  const isStop = subject === 'deployment' || subject === 'self-stop';
  if (isStop && BLAMES_STORAGE.test(apiMessage)) return badRequest(refusal, quote);
  if (isStop || subject === 'metrics') return noSuchDeployment();
  if (subject === 'fleet')
    return {
      code: 'edgegap-no-such-fleet',
      message: 'Edgegap knows no private fleet with this name.',
      hint: 'Check the name, capital letters included. Edgegap lists no fleets; the names stand in the dashboard.',
      outcome: 'not-done',
    };
  if (subject === 'log') {
    return {
      ...noSuchDeployment(),
      message: 'Edgegap has no log under this request_id.',
      hint: 'A log is deleted when its server stops, unless the version has an endpoint storage. If the server runs, check the request_id.',
    };
  }
  if (subject === 'tag') {
    if (!/\btags?\b/i.test(apiMessage)) return noSuchDeployment();
    return {
      code: 'edgegap-no-such-tag',
      message: 'This server has no such tag.',
      hint: '`tags list` shows the tags of the server.',
    };
  }
  return {
    code: 'edgegap-not-found',
    message:
      subject === 'account'
        ? `Edgegap knows nothing at the address that I asked.${quote}`
        : `Edgegap knows no such application or version.${quote}`,
    hint:
      subject === 'account'
        ? 'Whoever runs me should check the API’s address (EDGEGAP_API_URL).'
        : 'Check both names, capital letters included.',
  };
}

/**
 * If no server has capacity, v2 deploy answers 422. The answer contains the request_id of a deployment with the status
 * ERROR. This deployment remains until it is deleted.
 */
function cannotAllocate({ requestId }: Refusal, quote: string): Meaning {
  const left = requestId ? ` Server ${requestId} is left behind in ERROR and can be stopped.` : '';
  return {
    code: 'edgegap-cannot-allocate',
    message: `Edgegap found no room for this server.${quote}`,
    hint: `Try another place or fewer resources, or stop a server: the account may be at its limit of concurrent servers (the free tier has one).${left}`,
    outcome: requestId ? 'done' : 'unknown',
  };
}
