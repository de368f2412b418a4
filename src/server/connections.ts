import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** More than proxies and platforms keep open, and than callbacks that arrive in one moment take. */
const MOST = 1_000;

interface Connection {
  /** Whether a whole request came, and was answered. */
  answered: boolean;
  readonly requests: Set<IncomingMessage>;
}

/** Half of the files that this process may open: the database, the platforms and Edgegap need the others. */
export function connectionLimit(): number {
  // The report would ask for the names of the other ends of its connections.
  const report = Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const files = Number(userLimits?.open_files?.soft) || Number.POSITIVE_INFINITY;
  return Math.min(MOST, Math.floor(files / 2));
}

/**
 * Holds at most `limit` connections. One more takes the place of another: `server.maxConnections` would turn the new
 * connection away, so that strangers who only connect could keep Slack, Edgegap and the probes out. A connection whose
 * request has come in full is never closed; where all are such, the new one is. `closed` is called for each that is closed.
 */
export function limitConnections(server: Server, limit: number, closed: () => void): void {
  /** The one that was answered, or opened, longest ago comes first. */
  const connections = new Map<Socket, Connection>();
  server.on('connection', (socket: Socket) => {
    if (connections.size >= limit) {
      const dispensable = leastOf(connections) ?? socket;
      connections.delete(dispensable);
      dispensable.destroy();
      closed();
    }
    if (socket.destroyed) return;
    connections.set(socket, { answered: false, requests: new Set() });
    socket.once('close', () => connections.delete(socket));
  });
  server.on('request', (request, response) => {
    const { socket } = request;
    const connection = connections.get(socket);
    connection?.requests.add(request);
    response.once('close', () => {
      connection?.requests.delete(request);
      if (!connection || !request.complete || !connections.delete(socket)) return;
      connections.set(socket, { ...connection, answered: true });
    });
  });
}

/** Undefined where each is busy with a request. */
function leastOf(connections: ReadonlyMap<Socket, Connection>): Socket | undefined {
  let least: Socket | undefined;
  let worth = BUSY;
  for (const [socket, connection] of connections) {
    const own = worthOf(connection);
    if (own < worth) [least, worth] = [socket, own];
  }
  return least;
}

const BUSY = 3;

/** Those without a request go first, then those whose first request is still arriving, then those that were answered. */
function worthOf({ answered, requests }: Connection): number {
  if ([...requests].some(({ complete }) => complete)) return BUSY;
  if (answered) return 2;
  return requests.size > 0 ? 1 : 0;
}
