import { Agent, type Dispatcher, EnvHttpProxyAgent, fetch } from 'undici';

/** Through which requests leave, by the protocol of their address. Without one for `https` that for `http` is taken. */
export interface Proxies {
  readonly http: string;
  readonly https: string;
  /** Hosts that are reached directly, separated by commas. */
  readonly except: string;
}

/** A service of the bot's own machine means another one at the proxy. */
const LOOPBACK = 'localhost,127.0.0.1,::1';

/** Connections that go where `proxy` says. Each request still begins when its whole way is open. */
export function createAgent(
  proxy: Proxies | undefined,
  options: Agent.Options & { proxyTunnel?: boolean } = {},
): Dispatcher {
  if (!proxy) return new Agent(options);
  const noProxy = `${proxy.except},${LOOPBACK}`;
  return new EnvHttpProxyAgent({ ...options, httpProxy: proxy.http, httpsProxy: proxy.https, noProxy });
}

/** The platform's own fetch, or where there is a proxy one on `agent`, whose version of undici it has to be. */
export function fetchOn(agent: Dispatcher | undefined): typeof globalThis.fetch {
  if (!agent) return globalThis.fetch;
  return (async (url: string, init: RequestInit = {}) => {
    const { body, type } = await bytesOf(init.body);
    const headers = Object.fromEntries(new Headers(init.headers));
    if (type) headers['content-type'] = type;
    return await fetch(url, { ...init, headers, body, dispatcher: agent } as Parameters<typeof fetch>[1]);
  }) as typeof globalThis.fetch;
}

/** The platform's own `Response` turns a form into bytes, which every version of undici sends. */
export async function bytesOf(body: RequestInit['body']): Promise<{ body: unknown; type: string | null }> {
  if (!(body instanceof FormData)) return { body, type: null };
  const form = new Response(body);
  return { body: Buffer.from(await form.arrayBuffer()), type: form.headers.get('content-type') };
}
