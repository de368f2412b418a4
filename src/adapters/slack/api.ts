import { RespondError, type types, webApi } from '@slack/bolt';
import type { Dispatcher } from 'undici';
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
}

export interface UrlAnswer {
  readonly text: string;
  readonly blocks: types.KnownBlock[];
  readonly response_type: 'ephemeral' | 'in_channel';
  readonly replace_original: boolean;
  readonly thread_ts?: string;
}

/** Clients for the Web API, which never wait out a 429 by themselves: the outbox keeps the pace. */
export function createSlackApi(
  { botToken: token, apiUrl, proxy }: Pick<SlackConfig, 'botToken' | 'apiUrl' | 'proxy'>,
  logger: ReturnType<typeof createBoltLogger>,
): SlackApi {
  // A WebSocket needs a connection of its own, which HTTP/2 has not.
  const agent = proxy && createAgent(proxy, { allowH2: false, proxyTunnel: true });
  const fetch = withTimeout(fetchOn(agent));
  const options: webApi.WebClientOptions = {
    ...(apiUrl ? { slackApiUrl: apiRoot(apiUrl) } : {}),
    fetch,
    timeout: REQUEST_TIMEOUT_MS,
    rejectRateLimitedCalls: true,
    retryConfig: { retries: 0 },
  };
  const retries = { retries: 2, minTimeout: 200, maxTimeout: 1000 };
  return {
    write: new webApi.WebClient(token, { ...options, logger }),
    read: new webApi.WebClient(token, { ...options, logger, retryConfig: retries }),
    options,
    agent,
    async respond(url, answer) {
      try {
        const headers = { 'content-type': 'application/json' };
        const response = await fetch(url, {
          method: 'POST',
          headers,
          body: JSON.stringify(answer),
        });
        if (!response.ok) throw new RespondError('A response_url was refused', response.status);
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
function withTimeout(fetch: typeof globalThis.fetch): webApi.FetchFunction {
  return (url, init) =>
    fetch(url, { ...init, signal: init?.signal ?? AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
}
