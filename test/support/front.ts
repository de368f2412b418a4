import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { until } from './test-clock.ts';

/**
 * A load balancer in front of several processes. It sends requests to each process in turn, and skips processes that
 * are not ready.
 */
export interface Front {
  readonly url: string;
  /** The addresses of the processes. */
  readonly backends: Set<string>;
  /** The requests that a process answered with an error. */
  readonly failures: readonly string[];
  close(): Promise<void>;
}

export async function startFront(): Promise<Front> {
  const backends = new Set<string>();
  const failures: string[] = [];
  let turns = 0;

  async function ready(): Promise<string | undefined> {
    const all = [...backends];
    const from = turns++;
    for (let i = 0; i < all.length; i++) {
      const one = all[(from + i) % all.length] ?? '';
      const answer = await fetch(`${one}/readyz`).catch(() => undefined);
      if (answer?.ok) return one;
    }
    return undefined;
  }

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(
        ([name]) => !['host', 'connection', 'content-length'].includes(name),
      ),
    ) as Record<string, string>;
    const backend = await until(ready, 'a process that is ready', 60_000);
    const answer = await fetch(`${backend}${request.url}`, {
      method: request.method ?? 'GET',
      headers,
      ...(body.length > 0 ? { body: new Uint8Array(body) } : {}),
    });
    if (!answer.ok) failures.push(`${request.method} ${request.url}: ${answer.status}`);
    response.writeHead(answer.status).end(new Uint8Array(await answer.arrayBuffer()));
  }

  const server = createServer((request, response) => {
    pass(request, response).catch((error: unknown) => {
      failures.push(
        `${request.method} ${request.url}: ${error instanceof Error ? (error.cause ?? error) : error}`,
      );
      response.writeHead(502).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    backends,
    failures,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
