import { createServer, type RequestListener, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { type Clock, seldom } from '../clock.ts';
import { AppError, StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type CallbackReceiver, callbackRoutes } from './callbacks.ts';
import { connectionLimit, limitConnections } from './connections.ts';

/** A listener of an adapter whose platform delivers by HTTP. It reads and verifies the raw request itself. */
export interface Mount {
  readonly path: string;
  readonly listener: RequestListener;
}

/** What /readyz reports. */
export interface Readiness {
  /** Finishing, and better not sent anything new. */
  readonly stopping?: boolean;
  /** Each part by name, true when it works. */
  readonly parts: Readonly<Record<string, boolean>>;
  /** Where several processes share the work: what this one is to a platform that only one of them receives from. */
  readonly roles?: Readonly<Record<string, string>>;
  /** How many messages wait, how many of them failed before, and how many ended undelivered. */
  readonly outbox?: Readonly<Record<string, number>>;
}

export interface ServerParts {
  readonly callbacks: CallbackReceiver;
  readonly mounts: readonly Mount[];
  readonly readiness: () => Promise<Readiness>;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long a request may take to arrive in full; 10 000 by default, as Edgegap and Slack wait no longer. */
  readonly requestTimeoutMs?: number;
  /** How many connections are held at once; by default what this process can bear. */
  readonly maxConnections?: number;
}

export interface Server {
  /** Resolves with the port it listens on, at the first of `hosts` that this machine has; by default at all its addresses. */
  listen(port: number, hosts?: readonly string[]): Promise<number>;
  /** From now on each answer ends its connection, so that whoever keeps one open goes elsewhere. */
  retire(): void;
  /** Takes no connection any more; resolves when what came was answered. */
  close(): Promise<void>;
}

/**
 * How long a connection may be idle. A proxy sends a callback on one that it kept, and not once more where we just closed
 * it: so the proxy has to be the first to let go. By default nginx and AWS's balancers do after a minute, Traefik after
 * 90 seconds, Caddy after two minutes, Oracle's balancers after five, and Google's after ten, which asks for 620 seconds.
 */
const KEEP_ALIVE_MS = 620_000;
/** How long a request that is being answered may hold up the end. */
const CLOSE_MS = 1_000;
/** All addresses of this machine: those of IPv4 too where it has IPv6, and alone where it has not. */
const EVERYWHERE = ['::', '0.0.0.0'];
/** This machine has no such address. */
const ABSENT: unknown[] = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENOTFOUND'];

/** The bot's one port: Edgegap's callbacks, Slack's requests in HTTP mode, and the probes. */
export function buildServer(parts: ServerParts): Server {
  const { mounts, callbacks, readiness, clock, log, requestTimeoutMs = 10_000 } = parts;
  const { maxConnections = connectionLimit() } = parts;
  const countClosed = seldom(clock);
  let retired = false;
  const app: FastifyInstance = fastify({
    // Request lines would hold the callbacks' secrets.
    logger: false,
    bodyLimit: 256 * 1024,
    // A path that cannot be decoded is one that is not there.
    frameworkErrors: (_error, _request, reply) => notFound(reply),
    forceCloseConnections: 'idle',
    // What comes in at the last moment is taken all the same: Edgegap does not call a second time.
    return503OnClosing: false,
    serverFactory: (handler) => {
      // Fastify sets no limits on a server that it has not made.
      const server = createServer(timeouts(requestTimeoutMs), (request, response) => {
        if (retired) response.setHeader('connection', 'close');
        const path = request.url?.split('?', 1)[0];
        const mount = mounts.find((one) => one.path === path);
        if (mount) mount.listener(request, response);
        else handler(request, response);
      });
      limitConnections(server, maxConnections, crowded);
      return server;
    },
  });
  function crowded(): void {
    const closed = countClosed();
    if (closed !== undefined)
      log.warn({ closed, limit: maxConnections }, 'server: so many connections that some were closed');
  }
  async function listenAt(port: number, [host, ...others]: readonly string[]): Promise<void> {
    await app.listen({ port, host }).catch(async (cause: { code?: string }) => {
      const absent = ABSENT.includes(cause.code);
      if (absent && others.length > 0) return await listenAt(port, others);
      throw absent ? noSuchHost(host, cause) : noPort(port, cause);
    });
  }
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const { stopping = false, ...state } = await readiness();
    const works = Object.values(state.parts).every(Boolean);
    const status = stopping ? 'stopping' : works ? 'ready' : 'not ready';
    return reply.code(status === 'ready' ? 200 : 503).send({ status, ...state });
  });
  app.register(callbackRoutes(callbacks, clock, log));
  // Fastify's own answer repeats the path, and a callback's holds a secret.
  app.setNotFoundHandler((_request, reply) => notFound(reply));
  app.setErrorHandler((error: StoreError | { statusCode?: number; message: string }, _request, reply) => {
    if (error instanceof StoreError) {
      log.error(
        { code: error.code, problem: error.problem },
        'server: a request failed for want of the database',
      );
      return reply.code(503).send({ error: 'not now' });
    }
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ err: error }, 'server: a request failed');
    return reply.code(status).send({ error: status >= 500 ? 'internal error' : error.message });
  });
  return {
    async listen(port, hosts = EVERYWHERE) {
      await listenAt(port, hosts);
      return (app.server.address() as AddressInfo).port;
    },
    retire() {
      retired = true;
    },
    async close() {
      retired = true;
      // One that sends its request slowly, or never to the end, must not keep the process from stopping.
      const cancel = clock.after(CLOSE_MS, () => app.server.closeAllConnections());
      await app.close().finally(cancel);
    },
  };
}

/** Node looks for requests that are late every `connectionsCheckingInterval`. */
function timeouts(requestTimeout: number): ServerOptions {
  const half = Math.ceil(requestTimeout / 2);
  // The limits of a request begin with the connection, or its first byte: they end none that is idle after an answer.
  return {
    requestTimeout,
    headersTimeout: half,
    connectionsCheckingInterval: half,
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
}

function noSuchHost(host: string | undefined, cause: unknown): AppError {
  return new AppError('host', `HOST is ${host}, which is no address of this machine.`, {
    hint: 'Set HOST to an address of this machine, or leave HOST out.',
    cause,
  });
}

function noPort(port: number, cause: { code?: string }): AppError {
  const why = cause.code === 'EADDRINUSE' ? ': something else listens on it' : '';
  return new AppError('port', `Port ${port} cannot be used${why}.`, {
    hint: 'Set PORT to another one.',
    cause,
  });
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ error: 'not found' });
}
