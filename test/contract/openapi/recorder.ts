import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import type { Exchange } from './contract.ts';

/** A proxy between a client and the simulator that records requests and answers. */
export interface Recorder {
  readonly url: string;
  /** The requests and answers since the last call of this function. */
  take(): Exchange[];
  close(): Promise<void>;
}

export async function record(target: string): Promise<Recorder> {
  let exchanges: Exchange[] = [];
  const agent = new Agent();
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const requestBody = Buffer.concat(chunks).toString();
    const url = new URL(incoming.url ?? '/', target);
    const method = incoming.method ?? 'GET';
    const { authorization, accept } = incoming.headers;
    try {
      const answer = await request(url, {
        method: method as 'GET',
        headers: {
          ...(authorization && { authorization }),
          ...(accept && { accept }),
          ...(incoming.headers['content-type'] && { 'content-type': incoming.headers['content-type'] }),
        },
        body: requestBody || null,
        dispatcher: agent,
      });
      const responseBody = await answer.body.text();
      const contentType = answer.headers['content-type']?.toString();
      exchanges.push({
        method,
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        requestBody,
        status: answer.statusCode,
        contentType,
        responseBody,
      });
      const retryAfter = answer.headers['retry-after']?.toString();
      outgoing.writeHead(answer.statusCode, {
        ...(contentType && { 'content-type': contentType }),
        ...(retryAfter && { 'retry-after': retryAfter }),
      });
      outgoing.end(responseBody);
    } catch {
      incoming.socket.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take() {
      const taken = exchanges;
      exchanges = [];
      return taken;
    },
    async close() {
      server.closeAllConnections();
      await Promise.all([new Promise((resolve) => server.close(resolve)), agent.destroy()]);
    },
  };
}
