import { createServer, type RequestListener, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { type Clock, seldom } from '../clock.ts';
import { AppError, StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type CallbackReceiver, callbackRoutes } from './callbacks.ts';
import { connectionLimit, limitConnections } from './connections.ts';
import { WHOAMI_PATH, type WhoAmI } from './whoami.ts';

/**
 * The HTTP listener of an adapter, for a platform that sends its requests by HTTP. The listener reads and verifies the
 * raw request itself.
 */
export interface Mount {
  readonly path: string;
  readonly listener: RequestListener;
}

/** The answer of `/readyz`. */
export interface Readiness {
  /** True if the process is about to stop and should get no new requests. */
  readonly stopping?: boolean;
  /** The parts of the bot by name. The value says whether the part works. */
  readonly parts: Readonly<Record<string, boolean>>;
  /**
   * The role of this process, by platform. Contains only the platforms from which one process at a time receives. Set
   * only if several processes share the work.
   */
  readonly roles?: Readonly<Record<string, string>>;
  /** The numbers of messages that wait, that wait after a failure, and that were given up. */
  readonly outbox?: Readonly<Record<string, number>>;
}

export interface ServerParts {
  readonly callbacks: CallbackReceiver;
  readonly mounts: readonly Mount[];
  readonly readiness: () => Promise<Readiness>;
  /** Identifies this bot. The doctor asks for this identity through PUBLIC_URL. */
  readonly whoAmI?: WhoAmI;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * How long a request may take to arrive in full, in milliseconds. The default is 10 000, because Edgegap and Slack do
   * not wait longer than this.
   */
  readonly requestTimeoutMs?: number;
  /** Maximum number of open connections. The default is half of the files that this process may open. */
  readonly maxConnections?: number;
}

export interface Server {
  /**
   * Listens at the first address in `hosts` that this machine has. Without `hosts`, listens at all addresses of the
   * machine. Resolves with the port.
   */
  listen(port: number, hosts?: readonly string[]): Promise<number>;
  /**
   * After this call, each answer closes its connection. A client with an open connection then connects to a different
   * process.
   */
  retire(): void;
  /** Stops accepting connections. Resolves when all requests that arrived earlier are answered. */
  close(): Promise<void>;
}

/**
 * How long a connection may be idle before the server closes it. The proxy in front of the bot must close idle
 * connections earlier than the server. Otherwise a callback could be lost, because a proxy does not repeat a callback
 * that it sends at the moment of the close. By default, nginx and AWS's balancers close idle connections after a
 * minute, Traefik after 90 seconds, Caddy after two minutes, Oracle's balancers after five minutes, and Google's after
 * ten minutes. Google recommends 620 seconds.
 */
const KEEP_ALIVE_MS = 620_000;
/** How long a request that is being answered may delay the stop. */
const CLOSE_MS = 1_000;
/**
 * All addresses of this machine. `::` includes IPv4 addresses. `0.0.0.0` is the fallback for a machine without IPv6.
 */
const EVERYWHERE = ['::', '0.0.0.0'];
/** Errors which mean that this machine has no such address. */
const ABSENT: unknown[] = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENOTFOUND'];

/** The server on the bot's only port: Edgegap's callbacks, Slack's requests in HTTP mode, and the probes. */
export function buildServer(parts: ServerParts): Server {
  const { mounts, callbacks, readiness, whoAmI, clock, log, requestTimeoutMs = 10_000 } = parts;
  const { maxConnections = connectionLimit() } = parts;
  const countClosed = seldom(clock);
  let retired = false;
  const app: FastifyInstance = fastify({
    // Requests are not logged, because the log lines would contain the secrets of callbacks.
    logger: false,
    bodyLimit: 256 * 1024,
    // A path that cannot be decoded is answered like an unknown path.
    frameworkErrors: (_error, _request, reply) => notFound(reply),
    forceCloseConnections: 'idle',
    // The server accepts a callback that arrives at the last moment, because Edgegap does not repeat a callback.
    return503OnClosing: false,
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    serverFactory: (handler) => {
      // Fastify sets its time limits only on a server that it creates itself, so this code sets them.
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
      log.warn({ closed, limit: maxConnections }, 'server: too many connections: some were closed');
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
  app.get<{ Querystring: { nonce?: string } }>(
    WHOAMI_PATH,
    async ({ query }, reply) => whoAmI?.(String(query.nonce)) ?? notFound(reply),
  );
  app.register(callbackRoutes(callbacks, clock, log));
  // Fastify's default answer repeats the path of the request, and a callback's path contains a secret.
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
      // Closes the remaining connections. A client that sends a request slowly, or never finishes it, must not block
      // the stop.
      const cancel = clock.after(CLOSE_MS, () => app.server.closeAllConnections());
      await app.close().finally(cancel);
    },
  };
}

/**
 * The time limits of requests and connections. Node checks for late requests only once in each
 * `connectionsCheckingInterval`.
 */
function timeouts(requestTimeout: number): ServerOptions {
  const half = Math.ceil(requestTimeout / 2);
  // The time limits of a request start when the connection opens, or with the first byte of the request. A connection
  // that is idle after an answer is not affected.
  return {
    requestTimeout,
    headersTimeout: half,
    connectionsCheckingInterval: half,
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
}

/**
 * Replaces Fastify's compilers of JSON schemas, which would load 110 modules. No route has a schema, because zod checks
 * the requests.
 */
function noSchemas(): never {
  throw new Error('A route has a JSON schema, and the server has no compiler for schemas');
}

function noSuchHost(host: string | undefined, cause: unknown): AppError {
  return new AppError('host', `HOST is ${host}, which is no address of this machine.`, {
    hint: 'Set HOST to an address of this machine, or leave HOST out.',
    cause,
  });
}

function noPort(port: number, cause: { code?: string }): AppError {
  const why = cause.code === 'EADDRINUSE' ? ': another program listens on it' : '';
  return new AppError('port', `Port ${port} cannot be used${why}.`, {
    hint: 'Set PORT to another number.',
    cause,
  });
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ error: 'not found' });
}
