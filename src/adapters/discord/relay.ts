import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Dispatcher, upgrade } from 'undici';

export type Relay = ReturnType<typeof createRelay>;

/**
 * Sends the WebSocket connections of a client through `agent`, for a client that cannot use an agent itself. The client
 * connects to an address on this machine, and the relay passes the traffic on. The relay connects only to addresses
 * that were registered with `to`, because any program on this machine could use the relay.
 */
export function createRelay(agent: Dispatcher) {
  const targets = new Map<string, string>();
  let listening: Promise<Server> | undefined;

  async function listen(): Promise<Server> {
    const server = createServer((_, response) => response.writeHead(404).end());
    server.on('upgrade', (request, near) => {
      near.on('error', () => near.destroy());
      pass(request, near).catch(() => near.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return server.unref();
  }

  async function pass({ url = '', headers }: IncomingMessage, near: Duplex): Promise<void> {
    const [path = '', query = ''] = url.split('?');
    const target = new URL((targets.get(path) ?? '').replace(/^ws/, 'http'));
    target.search = query;
    const { host: _, connection: __, upgrade: ___, ...rest } = headers;
    const far = await upgrade(target, { dispatcher: agent, headers: rest, protocol: 'websocket' });
    const answer = Object.entries(far.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    near.write(`HTTP/1.1 101 Switching Protocols\r\n${answer.join('')}\r\n`);
    far.socket.on('error', () => near.destroy()).on('close', () => near.destroy());
    near.on('close', () => far.socket.destroy());
    near.pipe(far.socket).pipe(near);
  }

  return {
    /** Registers `url`, and returns the relay's address that leads to `url`. */
    async to(url: string): Promise<string> {
      listening ??= listen();
      const { port } = (await listening).address() as AddressInfo;
      const path = `/${encodeURIComponent(url)}`;
      targets.set(path, url);
      return `ws://127.0.0.1:${port}${path}`;
    },
    /** Returns the address to which an address of the relay leads. Any other `url` is returned unchanged. */
    from: (url: string) => targets.get(new URL(url).pathname) ?? url,
    async close(): Promise<void> {
      const server = await listening;
      listening = undefined;
      server?.close();
    },
  };
}
