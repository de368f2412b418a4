import { STATUS_CODES } from 'node:http';
import { REST, type RESTOptions } from 'discord.js';
import { type Dispatcher, request } from 'undici';
import { bytesOf, createAgent, type Proxies } from '../../proxy.ts';

type Send = RESTOptions['makeRequest'];

/**
 * discord.js's REST client on connections of its own. By itself REST sends through an undici 6
 * of its own on the dispatcher that all undici versions of a process share (`Symbol.for('undici.globalDispatcher.1')`);
 * where another version was loaded first, a message with a file fails with UND_ERR_INVALID_ARG.
 */
export function createRest(proxy: Proxies | undefined, options: Partial<RESTOptions>): REST {
  const agent = createAgent(proxy);
  return new REST({ ...options, makeRequest: (url, init) => send(agent, url, init) });
}

/** Ends the client's timers, without which a process would not exit. Idle connections do not keep a process running. */
export function closeRest(rest: REST): void {
  rest.clearHandlerSweeper();
  rest.clearHashSweeper();
}

/**
 * discord.js repeats a request after ECONNRESET alone (`shouldRetry` of @discordjs/rest); a connection that the other side
 * ended in order, which undici calls UND_ERR_SOCKET, leaves as much unknown.
 */
function toRepeatable(error: Error & { code?: string }): never {
  if (error.code === 'UND_ERR_SOCKET')
    throw Object.assign(new Error(error.message, { cause: error }), { code: 'ECONNRESET' });
  throw error;
}

async function send(agent: Dispatcher, url: string, init: Parameters<Send>[1]): ReturnType<Send> {
  const { body: bytes, type } = await bytesOf(init.body as RequestInit['body']);
  const { statusCode, headers, body } = await request(url, {
    method: (init.method ?? 'GET') as 'GET',
    headers: { ...(init.headers as Record<string, string>), ...(type ? { 'content-type': type } : {}) },
    body: bytes as string | null,
    signal: init.signal,
    dispatcher: agent,
  }).catch(toRepeatable);
  return {
    status: statusCode,
    statusText: STATUS_CODES[statusCode] ?? '',
    ok: statusCode >= 200 && statusCode < 300,
    headers: new Headers(headers as Record<string, string>),
    body,
    get bodyUsed() {
      return body.bodyUsed;
    },
    arrayBuffer: () => body.arrayBuffer(),
    json: () => body.json(),
    text: () => body.text(),
  };
}
