import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The largest number of connections that are held. This is more than proxies and platforms keep open, and more than
 * callbacks need at any moment.
 */
const MOST = 1_000;
/**
 * States of a connection, in the order in which connections are closed at the limit. A busy connection is never closed.
 */
const [SILENT, ARRIVING, IDLE, BUSY] = [0, 1, 2, 3];

/**
 * Half of the files that this process may open, because the database, the platforms and Edgegap need the other half.
 */
export function connectionLimit(): number {
  // Without this setting, the report would look up the host names of all connections.
  const report = Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  return Math.min(MOST, Math.floor((Number(userLimits?.open_files?.soft) || 2 * MOST) / 2));
}

/**
 * Holds at most `limit` connections. At the limit, a new connection replaces another connection.
 * `server.maxConnections` would instead turn the new connection away, so that strangers who only connect could keep
 * Slack, Edgegap and the probes out. A connection whose request has come in full is never closed. If all connections
 * have such a request, the new connection is closed. `closed` is called for each closed connection.
 */
export function limitConnections(server: Server, limit: number, closed: () => void): void {
  /** The unanswered requests of each connection. The connection that was opened or answered longest ago comes first. */
  const connections = new Map<Socket, Set<IncomingMessage>>();
  server.on('connection', (socket: Socket) => {
    if (connections.size >= limit) {
      const dispensable = dispensableOf(connections) ?? socket;
      connections.delete(dispensable);
      dispensable.destroy();
      closed();
    }
    if (socket.destroyed) return;
    connections.set(socket, new Set());
    socket.once('close', () => connections.delete(socket));
  });
  server.on('request', (request, response) => {
    const { socket } = request;
    const requests = connections.get(socket);
    requests?.add(request);
    response.once('close', () => {
      requests?.delete(request);
      if (requests && connections.delete(socket)) connections.set(socket, requests);
    });
  });
}

/** The connection to close. Undefined if every connection is busy with a request. */
function dispensableOf(connections: ReadonlyMap<Socket, ReadonlySet<IncomingMessage>>): Socket | undefined {
  for (const state of [SILENT, ARRIVING, IDLE])
    for (const [socket, requests] of connections) if (stateOf(socket, requests) === state) return socket;
  return undefined;
}

function stateOf(socket: Socket, requests: ReadonlySet<IncomingMessage>): number | undefined {
  if ([...requests].some(({ complete }) => complete)) return BUSY;
  if (socket.bytesWritten > 0) return IDLE;
  return requests.size > 0 ? ARRIVING : SILENT;
}
