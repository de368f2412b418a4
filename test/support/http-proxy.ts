import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * This proxy alone can resolve host names with this ending. Each port of such a host leads to the same port of this
 * machine.
 */
const KNOWN = /\.invalid$/;

/** A proxy like in a company's network. Without the proxy, no outside address can be reached. */
export interface HttpProxy {
  readonly url: string;
  /** The requests so far: `CONNECT host:port`, or the method and origin of a request that the proxy forwards itself. */
  readonly seen: readonly string[];
  /** The HTTP statuses with which the proxy refuses the next CONNECT requests, one for each request. */
  readonly refusals: number[];
}

/** The user and password that the proxy requires. */
const CREDENTIALS = `Basic ${Buffer.from('ada:hunter2').toString('base64')}`;

export async function startHttpProxy(): Promise<HttpProxy> {
  const seen: string[] = [];
  const refusals: number[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, response) => {
    const { method = '', headers } = incoming;
    const target = new URL(incoming.url ?? '');
    seen.push(`${method} ${target.origin}`);
    if (!mayPass(incoming, target.hostname)) return void response.writeHead(403).end();
    const path = target.pathname + target.search;
    const outgoing = send({ host: '127.0.0.1', port: target.port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  server.on('connect', (incoming, near: Socket, head: Buffer) => {
    seen.push(`CONNECT ${incoming.url}`);
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(incoming.url ?? '') ?? [];
    const refusal = mayPass(incoming, host) ? refusals.shift() : 403;
    near.on('error', () => undefined);
    if (refusal !== undefined) return void near.end(`HTTP/1.1 ${refusal} No\r\n\r\n`);
    const far = connect(Number(port), '127.0.0.1', () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      far.write(head);
      near.pipe(far).pipe(near);
    });
    for (const socket of [near, far]) sockets.add(socket);
    near.on('close', () => far.destroy());
    far.on('error', () => undefined).on('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://ada:hunter2@127.0.0.1:${(server.address() as AddressInfo).port}`, seen, refusals };
}

function mayPass({ headers }: IncomingMessage, host: string): boolean {
  return KNOWN.test(host) && headers['proxy-authorization'] === CREDENTIALS;
}
