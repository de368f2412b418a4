import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Dispatcher, upgrade } from 'undici';

/**
 * WebSockets by way of `agent`, for a client that has no setting for how it connects: it opens them to an address of
 * this machine, and this passes on what is said. Only to where it was told to, as anybody here could connect.
 */
export class Relay {
  readonly #agent: Dispatcher;
  readonly #targets = new Map<string, string>();
  readonly #sockets = new Set<Duplex>();
  #server: Promise<Server> | undefined;

  constructor(agent: Dispatcher) {
    this.#agent = agent;
  }

  /** The address at which to ask for `url`. */
  async to(url: string): Promise<string> {
    this.#server ??= this.#listen();
    const { port } = (await this.#server).address() as AddressInfo;
    const target = new URL(url);
    const path = `/${encodeURIComponent(target.origin)}${target.pathname}`;
    this.#targets.set(path, url);
    return `ws://127.0.0.1:${port}${path}`;
  }

  /** What leads to `url`, which may be an address of ours. */
  from(url: string): string {
    return this.#targets.get(new URL(url).pathname) ?? url;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const server = await this.#server;
    this.#server = undefined;
    server?.close();
  }

  async #listen(): Promise<Server> {
    const server = createServer((_, response) => response.writeHead(404).end());
    server.on('upgrade', ({ url = '', headers }, near, head) => {
      near.on('error', () => undefined);
      this.#pass(url, headers, near, head).catch(() => near.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server.unref();
  }

  async #pass(
    asked: string,
    headers: NodeJS.Dict<string | string[]>,
    near: Duplex,
    head: Buffer,
  ): Promise<void> {
    const [path = '', query = ''] = asked.split('?');
    const target = URL.parse(this.#targets.get(path) ?? '');
    if (!target) return void near.destroy();
    const { host: _, connection: __, upgrade: ___, ...rest } = headers;
    const far = await upgrade(`${target.origin.replace(/^ws/, 'http')}${target.pathname}?${query}`, {
      dispatcher: this.#agent,
      headers: rest,
      protocol: 'websocket',
    });
    const answer = Object.entries(far.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    near.write(`HTTP/1.1 101 Switching Protocols\r\n${answer.join('')}\r\n`);
    far.socket.write(head);
    near.pipe(far.socket).pipe(near);
    for (const [one, other] of [
      [near, far.socket],
      [far.socket, near],
    ] as const) {
      this.#sockets.add(one);
      one
        .on('error', () => undefined)
        .on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
    }
  }
}
