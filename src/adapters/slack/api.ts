import type { RespondArguments, webApi as WebApi } from '@slack/bolt';
import { type Clock, steadyNow } from '../../clock.ts';
import type { SlackConfig } from '../../config.ts';
import { AppError } from '../../errors.ts';
import { createAgent, fetchOn } from '../../proxy.ts';
import type { createBoltLogger } from './bolt-logger.ts';
import { RespondError, webApi } from './bolt-package.ts';
import { requireAccepted, toDeliveryError } from './errors.ts';
import { REQUEST_TIMEOUT_MS } from './limits.ts';

export type SlackApi = ReturnType<typeof createSlackApi>;

export type SlackTokenRefused = (setting: 'SLACK_BOT_TOKEN' | 'SLACK_APP_TOKEN', error: AppError) => void;

/** Matches an answer by which Slack refuses a token. The answer is the same for every method. */
const REFUSED_TOKEN = /^\{"ok":false,"error":"(invalid_auth|token_revoked|token_expired|account_inactive)"/;

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

const RETRY_AFTER = 'retry-after';
/** The pause after an HTTP 429 that has no Retry-After header. */
const PAUSE_MS = 1_000;

/**
 * Clients for Slack's Web API. After an HTTP 429, a client throws at once, because each caller decides how long to
 * wait.
 */
export function createSlackApi(
  { botToken: token, apiUrl, proxy }: Pick<SlackConfig, 'botToken' | 'apiUrl' | 'proxy'>,
  logger: ReturnType<typeof createBoltLogger>,
  clock: Clock,
  refused?: SlackTokenRefused,
) {
  // HTTP/2 is switched off. In HTTP/2, requests share a connection, but a WebSocket needs a connection of its own.
  const agent = proxy && createAgent(proxy, { allowH2: false, proxyTunnel: true });
  const direct = withTimeout(fetchOn(agent));
  const fetch = withPauses(refused ? reporting(direct, refused) : direct, clock);
  const options: WebApi.WebClientOptions = {
    ...(apiUrl ? { slackApiUrl: apiRoot(apiUrl) } : {}),
    fetch,
    timeout: REQUEST_TIMEOUT_MS,
    rejectRateLimitedCalls: true,
    retryConfig: { retries: 0 },
  };
  const retries = { retries: 2, minTimeout: 200, maxTimeout: 1000 };

  /** Posts to a URL that Slack gave to the bot. Throws DeliveryError on failure. */
  async function send(url: string, init: RequestInit): Promise<void> {
    try {
      const response = await fetch(url, { method: 'POST', ...init });
      const { ok, status, headers } = response;
      if (status === 429) throw new webApi.WebAPIRateLimitedError(Number(headers.get(RETRY_AFTER)));
      if (!ok) throw new RespondError('Slack refused the request', status);
      await requireAccepted(response);
    } catch (error) {
      throw toDeliveryError(error);
    }
  }

  return {
    /**
     * For calls that change something. Each call is tried only once, because a repeated chat.postMessage would post a
     * second message.
     */
    write: new webApi.WebClient(token, { ...options, logger }),
    /** For calls that only read. After a broken connection or an HTTP 5xx, the client makes two more attempts. */
    read: new webApi.WebClient(token, { ...options, logger, retryConfig: retries }),
    /** Options for the clients that Bolt builds itself. */
    options,
    /** The HTTP agent through which Socket Mode connects. Undefined if no proxy is set. */
    agent,
    /** Posts to the response_url of a payload. Throws DeliveryError on failure. */
    async respond(url: string, answer: RespondArguments): Promise<void> {
      const headers = { 'content-type': 'application/json' };
      await send(url, { headers, body: JSON.stringify(answer) });
    },
    /** Sends a file's bytes to an upload URL (files.getUploadURLExternal). Throws DeliveryError on failure. */
    async upload(url: string, file: File): Promise<void> {
      const body = new FormData();
      body.append('file', file);
      await send(url, { body });
    },
  };
}

/**
 * The root of the Web API. If the URL has no path, as in `https://host`, adds `/api`, because Slack's own API is under
 * `/api`.
 */
function apiRoot(url: string): string {
  return new URL(url).pathname === '/' ? new URL('/api/', url).href : `${url.replace(/\/+$/, '')}/`;
}

/**
 * Adds a timeout to every request. The timeout of Slack's client covers only the client's own calls. Without the
 * timeout here, uploads and requests to response_urls would wait for five minutes.
 */
function withTimeout(fetch: Fetch): Fetch {
  return (url, init) =>
    fetch(url, { ...init, signal: init?.signal ?? AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
}

/**
 * Calls `refused` whenever Slack refuses a token that worked before. All clients share this function, so every call is
 * covered. The beginning of a token shows which setting the token comes from.
 */
function reporting(fetch: Fetch, refused: SlackTokenRefused): Fetch {
  const accepted = new Set<string>();
  return async (url, init) => {
    const response = await fetch(url, init);
    const kind = /^Bearer (xoxb|xapp)-/.exec(new Headers(init?.headers).get('authorization') ?? '')?.[1];
    if (kind === undefined || !response.ok) return response;
    const [, word] = REFUSED_TOKEN.exec(await response.clone().text()) ?? [];
    if (word === undefined) accepted.add(kind);
    else if (accepted.has(kind)) {
      const setting = kind === 'xapp' ? 'SLACK_APP_TOKEN' : 'SLACK_BOT_TOKEN';
      refused(
        setting,
        new AppError('slack-token', `Slack no longer accepts my token (${word}).`, {
          hint: `Whoever runs me has to install the app again, set ${setting} and restart me.`,
        }),
      );
    }
    return response;
  };
}

/**
 * Obeys `Retry-After` for all callers. While a method is paused, every call of the method gets a 429 at once and is not
 * sent to Slack. Slack counts calls per method and workspace (docs.slack.dev, rate limits). Here, all response_urls
 * together count as one method, and all uploads together count as one method.
 */
function withPauses(fetch: Fetch, clock: Clock): Fetch {
  const pauses = new Map<string, number>();
  const leftMs = (method: string) => (pauses.get(method) ?? 0) - steadyNow(clock);
  return async (url, init) => {
    const { pathname } = new URL(url);
    const method = /[a-z]+\.[a-z.]+$/i.exec(pathname)?.[0] ?? pathname.split('/', 2).join('/');
    if (leftMs(method) <= 0) {
      const response = await fetch(url, init);
      if (response.status !== 429) return response;
      await response.body?.cancel();
      const ms = Number(response.headers.get(RETRY_AFTER)) * 1000 || PAUSE_MS;
      pauses.set(method, steadyNow(clock) + Math.max(ms, leftMs(method)));
    }
    const headers = { [RETRY_AFTER]: `${Math.ceil(leftMs(method) / 1000)}` };
    return new Response(null, { status: 429, headers });
  };
}
