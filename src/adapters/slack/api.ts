import { RespondError, type types, webApi } from '@slack/bolt';
import type { Dispatcher } from 'undici';
import { type Clock, steadyNow } from '../../clock.ts';
import type { SlackConfig } from '../../config.ts';
import { createAgent, fetchOn } from '../../proxy.ts';
import type { createBoltLogger } from './bolt-logger.ts';
import { accepted, toDeliveryError } from './errors.ts';
import { REQUEST_TIMEOUT_MS } from './limits.ts';

export interface SlackApi {
  /** For what changes something: one attempt. A repeated chat.postMessage is a second message. */
  readonly write: webApi.WebClient;
  /** For what only reads: two more attempts after a broken connection or a 5xx. */
  readonly read: webApi.WebClient;
  /** For clients that Bolt builds itself. */
  readonly options: webApi.WebClientOptions;
  /** For Socket Mode, where there is a proxy. */
  readonly agent: Dispatcher | undefined;
  /** Posts to the response_url of a payload. Throws DeliveryError. */
  respond(url: string, answer: UrlAnswer): Promise<void>;
  /** Sends a file's bytes to an upload URL (files.getUploadURLExternal). Throws DeliveryError. */
  upload(url: string, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

export interface UrlAnswer {
  readonly text: string;
  readonly blocks: types.KnownBlock[];
  readonly response_type: 'ephemeral' | 'in_channel';
  readonly replace_original: boolean;
  readonly thread_ts?: string;
}

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

const SLACK_API = 'https://slack.com/api/';
/** For a 429 that does not say how long. */
const PAUSE_MS = 1_000;

/** Clients for the Web API, which never wait out a 429 by themselves: their callers do, each as long as it may. */
export function createSlackApi(
  { botToken: token, apiUrl, proxy }: Pick<SlackConfig, 'botToken' | 'apiUrl' | 'proxy'>,
  logger: ReturnType<typeof createBoltLogger>,
  clock: Clock,
): SlackApi {
  // A WebSocket needs a connection of its own, which HTTP/2 has not.
  const agent = proxy && createAgent(proxy, { allowH2: false, proxyTunnel: true });
  const slackApiUrl = apiUrl ? apiRoot(apiUrl) : SLACK_API;
  const fetch = withPauses(withTimeout(fetchOn(agent)), slackApiUrl, clock);
  const options: webApi.WebClientOptions = {
    slackApiUrl,
    fetch,
    timeout: REQUEST_TIMEOUT_MS,
    rejectRateLimitedCalls: true,
    retryConfig: { retries: 0 },
  };
  const retries = { retries: 2, minTimeout: 200, maxTimeout: 1000 };

  async function send(url: string, init: RequestInit): Promise<Response> {
    const response = await fetch(url, { method: 'POST', ...init });
    if (response.status === 429)
      throw new webApi.WebAPIRateLimitedError(Number(response.headers.get(RETRY_AFTER)));
    return response;
  }

  return {
    write: new webApi.WebClient(token, { ...options, logger }),
    read: new webApi.WebClient(token, { ...options, logger, retryConfig: retries }),
    options,
    agent,
    async respond(url, answer) {
      try {
        const headers = { 'content-type': 'application/json' };
        const response = await send(url, { headers, body: JSON.stringify(answer) });
        if (!response.ok) throw new RespondError('A response_url was refused', response.status);
        await accepted(response);
      } catch (error) {
        throw toDeliveryError(error);
      }
    },
    async upload(url, name, bytes) {
      const body = new FormData();
      body.append('file', new Blob([bytes]), name);
      try {
        const response = await send(url, { body });
        const { ok, status, statusText } = response;
        if (!ok) throw new webApi.WebAPIHTTPError(status, statusText, {});
        await accepted(response);
      } catch (error) {
        throw toDeliveryError(error);
      }
    },
  };
}

/** Both `https://host` and `https://host/api` are taken for the Web API's root, as Slack's own lies under /api. */
function apiRoot(url: string): string {
  return new URL(url).pathname === '/' ? new URL('/api/', url).href : `${url.replace(/\/+$/, '')}/`;
}

/** The client's own timeout covers its calls; uploads and response_urls would otherwise wait for five minutes. */
function withTimeout(fetch: Fetch): Fetch {
  return (url, init) =>
    fetch(url, { ...init, signal: init?.signal ?? AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
}

const RETRY_AFTER = 'retry-after';

/**
 * Obeys `Retry-After` for all callers: while a method pauses, a call gets its 429 without being made. Slack counts per
 * method and workspace (rate limits page); response_urls and uploads count as one method each.
 */
function withPauses(fetch: Fetch, slackApiUrl: string, clock: Clock): Fetch {
  const pauses = new Map<string, number>();
  return async (url, init) => {
    const { href, origin, pathname } = new URL(String(url));
    const method = href.startsWith(slackApiUrl) ? pathname : `${origin}/${pathname.split('/')[1]}`;
    const paused = () => {
      const seconds = Math.ceil(((pauses.get(method) ?? 0) - steadyNow(clock)) / 1000);
      return seconds > 0 && new Response(null, { status: 429, headers: { [RETRY_AFTER]: `${seconds}` } });
    };
    const early = paused();
    if (early) return early;
    const response = await fetch(url, init);
    if (response.status !== 429) return response;
    await response.body?.cancel();
    const ms = Number(response.headers.get(RETRY_AFTER)) * 1000 || PAUSE_MS;
    pauses.set(method, Math.max(pauses.get(method) ?? 0, steadyNow(clock) + ms));
    return paused() || response;
  };
}
