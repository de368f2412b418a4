import { STATUS_CODES } from 'node:http';
import { REST, type RESTOptions } from 'discord.js';
import { type Dispatcher, request } from 'undici';
import type { DiscordConfig } from '../../config.ts';
import { bytesOf, createAgent } from '../../proxy.ts';

/** Where Discord's API is, and the way there. */
export type RestPlace = Pick<DiscordConfig, 'apiUrl' | 'proxy'>;

type Send = RESTOptions['makeRequest'];

/**
 * discord.js's REST client on connections of its own. By itself REST sends through an undici 6
 * of its own on the dispatcher that all undici versions of a process share (`Symbol.for('undici.globalDispatcher.1')`);
 * where another version was loaded first, a message with a file fails with UND_ERR_INVALID_ARG.
 */
export function createRest({ apiUrl, proxy }: RestPlace, options: Partial<RESTOptions>): REST {
  const agent = createAgent(proxy);
  const api = apiUrl === undefined ? {} : { api: apiUrl };
  return new REST({ ...api, ...options, makeRequest: (url, init) => send(agent, url, init).catch(named) });
}

/** How undici tells of a connection that ended before the whole answer had come. */
const BROKEN = new Set(['UND_ERR_SOCKET', 'UND_ERR_CLOSED', 'UND_ERR_DESTROYED', 'EPIPE', 'ETIMEDOUT']);

/** discord.js repeats what failed with ECONNRESET (`shouldRetry`), and knows a broken connection by no other name. */
function named(error: Error & { code?: string }): never {
  if (!BROKEN.has(error.code ?? '')) throw error;
  throw Object.assign(new Error(error.message, { cause: error }), { code: 'ECONNRESET' });
}

/** Ends the client's timers, without which a process would not exit. Idle connections do not keep a process running. */
export function closeRest(rest: REST): void {
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
  // Read here, so that an answer that breaks off in the middle is a broken connection like any other.
  const bytes = await body.arrayBuffer();
  return new Response(bytes.byteLength > 0 ? bytes : null, {
    status: statusCode,
    statusText: STATUS_CODES[statusCode] ?? '',
    headers: headers as Record<string, string>,
  });
}
