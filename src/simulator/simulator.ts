import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { SimulatedDeployment } from './deployment.ts';
import { createHttpServer, type ReceivedRequest } from './http.ts';
import type { Crash } from './lifecycle.ts';
import { appendLog } from './logs.ts';
import { type SimulatorOptions, withDefaults } from './options.ts';
import { World } from './world.ts';

export type { SimulatorOptions };

export type Simulator = Awaited<ReturnType<typeof startSimulator>>;

/**
 * A simulated Edgegap, with functions by which tests control it. The simulator listens on a free port. The promise
 * resolves when the port is open.
 */
export async function startSimulator(options: SimulatorOptions) {
  const settings = withDefaults(options);
  const world = new World(settings);
  const requests: ReceivedRequest[] = [];
  const server = createHttpServer(world, requests);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    /** The base URL without a slash at the end. Paths begin with `/v1` or `/v2`. */
    url: `http://127.0.0.1:${port}`,
    token: settings.token,
    deletedToken: settings.deletedToken,
    /** Every deployment so far, by request_id. The oldest deployment comes first. */
    deployments: world.deployments as ReadonlyMap<string, SimulatedDeployment>,
    /** The latest 10,000 requests, oldest first. */
    requests: requests as readonly ReceivedRequest[],
    /** Every callback that the simulator had to send, and whether the receiver got the callback. */
    callbacks: world.callbacks.sent,
    faults: world.faults,
    /** The notes that the API adds to the deployment list. */
    listNotes: world.listNotes,
    /** Puts a deployment into ERROR with this detail. */
    fail: (id: string, detail: string) => world.lifecycle.fail(world.find(id), detail),
    /** Ends the game server's process. The deployment changes to ERROR, or stays READY if the container restarts. */
    crash: (id: string, crash: Crash) => world.lifecycle.crash(world.find(id), crash),
    /** Ends a deployment at once, as at the end of `max_duration`. */
    terminate: (id: string) => world.lifecycle.terminate(world.find(id)),
    /** Adds a line to the log of a game server. */
    print: (id: string, text: string) => appendLog(world.find(id), settings.clock.now(), text),
    /** Removes a deployment from the account. */
    forget(id: string) {
      world.lifecycle.abandon(world.find(id));
      world.deployments.delete(id);
    },
    /** Cancels all timers and closes all connections, including connections with an unanswered request. */
    async close() {
      world.timers.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, world.callbacks.close()]);
    },
  };
}
