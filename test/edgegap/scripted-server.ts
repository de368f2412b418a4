import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Handles one request. */
export type Step = (response: ServerResponse, request: SeenRequest) => void;

/** An HTTP server whose answers follow a script. With this server, the tests use the client over real sockets. */
export class ScriptedServer implements AsyncDisposable {
  /** Every request in order of arrival. */
  readonly seen: SeenRequest[] = [];
  /** Called when a request arrives. */
  onRequest: (request: SeenRequest) => void = () => {};
  readonly #steps: Step[] = [];
  #otherwise: Step = json(599, { message: 'the script is over' });
  readonly #server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const url = new URL(request.url ?? '/', 'http://scripted');
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body,
    };
    this.seen.push(seen);
    this.onRequest(seen);
    (this.#steps.shift() ?? this.#otherwise)(response, seen);
  });

  static async start(port = 0): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    server.#server.listen(port, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Adds steps to the script. */
  script(...steps: Step[]): this {
    this.#steps.push(...steps);
    return this;
  }

  /**
   * Sets the answer to requests after the end of the script. The default answer has the status 599, which no test
   * expects.
   */
  otherwise(step: Step): this {
    this.#otherwise = step;
    return this;
  }

  /** The requests as `METHOD /path`. */
  get lines(): string[] {
    return this.seen.map(({ method, path }) => `${method} ${path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Answers with JSON. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Step {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(status === 204 ? undefined : JSON.stringify(body));
  };
}

/** Answers with plain text. */
export function text(status: number, body: string, headers: Record<string, string> = {}): Step {
  return (response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
}

/** Reads the request, then resets the connection instead of answering. */
export const reset: Step = (response) => {
  (response.socket as { resetAndDestroy(): void } | null)?.resetAndDestroy();
};

/** Answers with the status 200, but closes the connection in the middle of the body. */
export const cutShort: Step = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"request_id":', () => response.socket?.destroy());
};

/** Never answers. */
export const silence: Step = () => {};
