import { Agent, type Dispatcher, EnvHttpProxyAgent, fetch } from 'undici';

/**
 * The proxies for requests, by the protocol of the request's address. If `https` is empty, the proxy for `http` is
 * used.
 */
export interface Proxies {
  readonly http: string;
  readonly https: string;
  /** Hosts that are reached directly, separated by commas. */
  readonly except: string;
}

/** Names of this machine. To a proxy, these names would mean the machine of the proxy. */
const LOOPBACK = 'localhost,127.0.0.1,::1';

/**
 * A dispatcher whose connections go through `proxy`. A request starts only when the connection to its destination is
 * open, as without a proxy.
 */
export function createAgent(
  proxy: Proxies | undefined,
  options: Agent.Options & { proxyTunnel?: boolean } = {},
): Dispatcher {
  if (!proxy) return new Agent(options);
  const noProxy = `${proxy.except},${LOOPBACK}`;
  return new EnvHttpProxyAgent({ ...options, httpProxy: proxy.http, httpsProxy: proxy.https, noProxy });
}

/**
 * Returns the fetch of Node.js if there is no proxy. With a proxy, returns undici's fetch, whose version must match the
 * version of `agent`.
 */
export function fetchOn(agent: Dispatcher | undefined): typeof globalThis.fetch {
  if (!agent) return globalThis.fetch;
  return (async (url: string, init: RequestInit = {}) => {
    const { body, type } = await bytesOf(init.body);
    const headers = Object.fromEntries(new Headers(init.headers));
    if (type) headers['content-type'] = type;
    return await fetch(url, { ...init, headers, body, dispatcher: agent } as Parameters<typeof fetch>[1]);
  }) as typeof globalThis.fetch;
}

/** Turns a form into bytes, which every version of undici can send. The conversion uses the `Response` of Node.js. */
export async function bytesOf(body: RequestInit['body']): Promise<{ body: unknown; type: string | null }> {
  if (!(body instanceof FormData)) return { body, type: null };
  const form = new Response(body);
  return { body: Buffer.from(await form.arrayBuffer()), type: form.headers.get('content-type') };
}
