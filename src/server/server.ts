import { createServer, type RequestListener, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type CallbackReceiver, callbackRoutes } from './callbacks.ts';

/** A listener of an adapter whose platform delivers by HTTP. It reads and verifies the raw request itself. */
export interface Mount {
  readonly path: string;
  readonly listener: RequestListener;
}

export interface ServerParts {
  readonly callbacks: CallbackReceiver;
  readonly mounts: readonly Mount[];
  /** What /readyz reports: each part by name, true when it works. */
  readonly readiness: () => Promise<Readonly<Record<string, boolean>>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long a request may take to arrive in full; 10 000 by default, as Edgegap and Slack wait no longer. */
  readonly requestTimeoutMs?: number;
}

export interface Server {
  /** Resolves with the port it listens on. */
  listen(port: number): Promise<number>;
  close(): Promise<void>;
}

/** How long a request that is being answered may hold up the end. */
const CLOSE_MS = 1_000;

/** The bot's one port: Edgegap's callbacks, Slack's requests in HTTP mode, and the probes. */
export function buildServer(parts: ServerParts): Server {
  const { mounts, callbacks, readiness, clock, log, requestTimeoutMs = 10_000 } = parts;
  const app: FastifyInstance = fastify({
    // Request lines would hold the callbacks' secrets.
    logger: false,
    bodyLimit: 256 * 1024,
    // A path that cannot be decoded is one that is not there.
    frameworkErrors: (_error, _request, reply) => notFound(reply),
    forceCloseConnections: 'idle',
    serverFactory: (handler) =>
      // Fastify sets no limits on a server that it has not made.
      createServer(timeouts(requestTimeoutMs), (request, response) => {
        const path = request.url?.split('?', 1)[0];
        const mount = mounts.find((one) => one.path === path);
        if (mount) mount.listener(request, response);
        else handler(request, response);
      }),
  });
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const parts = await readiness();
    const ready = Object.values(parts).every(Boolean);
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', parts });
  });
  app.register(callbackRoutes(callbacks, log));
  // Fastify's own answer repeats the path, and a callback's holds a secret.
  app.setNotFoundHandler((_request, reply) => notFound(reply));
  app.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ err: error }, 'server: a request failed');
    return reply.code(status).send({ error: status >= 500 ? 'internal error' : error.message });
  });
  return {
    async listen(port) {
      try {
        await app.listen({ port, host: '0.0.0.0' });
      } catch (cause) {
        const taken = (cause as { code?: string }).code === 'EADDRINUSE';
        throw new AppError(
          'port',
          `Port ${port} cannot be used${taken ? ': something else listens on it' : ''}.`,
          {
            hint: 'Set PORT to another one.',
            cause,
          },
        );
      }
      return (app.server.address() as AddressInfo).port;
    },
    async close() {
      // One that sends its request slowly, or never to the end, must not keep the process from stopping.
      const cancel = clock.after(CLOSE_MS, () => app.server.closeAllConnections());
      await app.close().finally(cancel);
    },
  };
}

/** Node looks for requests that are late every `connectionsCheckingInterval`. */
function timeouts(requestTimeout: number): ServerOptions {
  const half = Math.ceil(requestTimeout / 2);
  return { requestTimeout, headersTimeout: half, connectionsCheckingInterval: half };
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ error: 'not found' });
}
