import { STATUS_CODES } from 'node:http';
import type { RESTOptions, REST as RestClient } from '@discordjs/rest';
import { type Dispatcher, request } from 'undici';
import type { DiscordConfig } from '../../config.ts';
import { bytesOf, createAgent } from '../../proxy.ts';
import { REST } from './rest-package.ts';

/** The address of Discord's API, and the proxy for requests to this address. */
export type RestPlace = Pick<DiscordConfig, 'apiUrl' | 'proxy'>;

type Send = RESTOptions['makeRequest'];

/**
 * Creates a REST client of discord.js with connections of its own, which go through the proxy of the settings. The
 * client's default is the `fetch` of Node.js, which ignores this proxy. The default uses the dispatcher that all undici
 * versions of a process share (`Symbol.for('undici.globalDispatcher.1')`).
 */
export function createRest({ apiUrl, proxy }: RestPlace, options: Partial<RESTOptions>): RestClient {
  const agent = createAgent(proxy);
  const api = apiUrl === undefined ? {} : { api: apiUrl };
  return new REST({ ...api, ...options, makeRequest: (url, init) => send(agent, url, init).catch(asReset) });
}

/** The codes by which undici reports a connection that broke before the whole response had arrived. */
const BROKEN = new Set(['UND_ERR_SOCKET', 'UND_ERR_CLOSED', 'UND_ERR_DESTROYED', 'EPIPE', 'ETIMEDOUT']);

/**
 * Turns the codes of a broken connection into ECONNRESET. discord.js repeats a request only after ECONNRESET, and not
 * after the other codes (`shouldRetry`).
 */
function asReset(error: Error & { code?: string }): never {
  if (!BROKEN.has(error.code ?? '')) throw error;
  throw Object.assign(new Error(error.message, { cause: error }), { code: 'ECONNRESET' });
}

/**
 * Stops the client's timers, which would keep the process running. Idle connections do not keep the process running.
 */
export function closeRest(rest: RestClient): void {
  rest.clearHandlerSweeper();
  rest.clearHashSweeper();
}

async function send(agent: Dispatcher, url: string, init: Parameters<Send>[1]): ReturnType<Send> {
  const { body: form, type } = await bytesOf(init.body as RequestInit['body']);
  const { statusCode, headers, body } = await request(url, {
    method: (init.method ?? 'GET') as 'GET',
    headers: { ...(init.headers as Record<string, string>), ...(type ? { 'content-type': type } : {}) },
    body: form as string | null,
    signal: init.signal,
    dispatcher: agent,
  });
  // The body is read here, so that a response that breaks off in the middle counts as a broken connection.
  const bytes = await body.arrayBuffer();
  return new Response(bytes.byteLength > 0 ? bytes : null, {
    status: statusCode,
    statusText: STATUS_CODES[statusCode] ?? '',
    headers: headers as Record<string, string>,
  });
}
