import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import type { Bump } from './schedule.ts';

/** A reverse proxy in front of the bot. It passes each request to a running process. */
export interface Door {
  readonly url: string;
  /** The paths of callbacks that the bot has accepted, even if the sender got no answer. */
  readonly taken: ReadonlySet<string>;
  close(): Promise<void>;
}

export async function openDoor(parts: {
  readonly ports: () => readonly number[];
  readonly chance: () => Bump | null;
  /** Called after the bot has answered a request with this path, and before the sender gets the answer. */
  readonly passed: (path: string) => unknown;
}): Promise<Door> {
  const { ports, chance, passed } = parts;
  const taken = new Set<string>();
  let turn = 0;

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const bump = chance();
    if (bump?.kind === 'slow') await setTimeout(bump.ms);
    const before = bump !== null && 'when' in bump && bump.when === 'before';
    const open = ports();
    turn += 1;
    const port = open[turn % open.length];
    const answer = before || port === undefined ? undefined : await forward(port, incoming, body);
    if (answer?.status === 200 && body.toString().endsWith('}')) taken.add(incoming.url ?? '');
    if (answer) passed(incoming.url ?? '');
    if (!answer || bump?.kind === 'reset') incoming.socket.resetAndDestroy();
    else if (bump?.kind === 'unavailable') response.writeHead(503).end();
    else response.writeHead(answer.status).end(answer.body);
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, taken, close: () => closed(server) };
}

function forward(
  port: number,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<{ status: number; body: Buffer } | undefined> {
  return new Promise((resolve) => {
    const outgoing = request(
      { port, host: '127.0.0.1', method, path: url, headers, agent: false },
      (answer) => {
        buffer(answer).then(
          (text) => resolve({ status: answer.statusCode ?? 500, body: text }),
          () => resolve(undefined),
        );
      },
    );
    outgoing.once('error', () => resolve(undefined));
    outgoing.end(body);
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
