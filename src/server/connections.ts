import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** Maximum number of open connections. Proxies, platforms and callbacks need fewer connections than this. */
const MOST = 1_000;
/**
 * The states of a connection. At the limit, the connections with the lowest state are closed first. A busy connection
 * is never closed.
 */
const [SILENT, ARRIVING, IDLE, BUSY] = [0, 1, 2, 3];

/**
 * Half of the files that this process may open. The other half is for the connections to the database, the platforms
 * and Edgegap.
 */
export function connectionLimit(): number {
  // Without this setting, the report would look up the host name of each connection, which takes time.
  const report = Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  return Math.min(MOST, Math.floor((Number(userLimits?.open_files?.soft) || 2 * MOST) / 2));
}

/**
 * Limits the server to `limit` open connections. At the limit, an older connection is closed for each new connection.
 * `server.maxConnections` would refuse the new connection instead. Strangers could then block Slack, Edgegap and the
 * health checks by opening many connections. A connection with a complete request is never closed. If all connections
 * have a complete request, the new connection is closed. `closed` is called for each closed connection.
 */
export function limitConnections(server: Server, limit: number, closed: () => void): void {
  /**
   * The unanswered requests of each connection. The map begins with the connection that was opened or answered longest
   * ago.
   */
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
