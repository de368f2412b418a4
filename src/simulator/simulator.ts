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
 * A simulated Edgegap, with controls for tests. Starts to listen on a free port, and resolves when the port is open.
 */
export async function startSimulator(options: SimulatorOptions) {
  const settings = withDefaults(options);
  const world = new World(settings);
  const requests: ReceivedRequest[] = [];
  const server = createHttpServer(world, requests);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    /** Base URL without a slash at the end; paths begin with `/v1` or `/v2`. */
    url: `http://127.0.0.1:${port}`,
    token: settings.token,
    deletedToken: settings.deletedToken,
    /** Every deployment that was ever made, oldest first, by request_id. */
    deployments: world.deployments as ReadonlyMap<string, SimulatedDeployment>,
    /** The newest 10,000 requests, oldest first. */
    requests: requests as readonly ReceivedRequest[],
    /** Every callback that was due, and whether sending it succeeded. */
    callbacks: world.callbacks.sent,
    faults: world.faults,
    /** The notes that the deployment list has beside its rows. */
    listNotes: world.listNotes,
    /** Puts a deployment into ERROR with this detail. */
    fail: (id: string, detail: string) => world.lifecycle.fail(world.find(id), detail),
    /** Ends the game server's process: the deployment goes into ERROR, or stays READY when the container restarts. */
    crash: (id: string, crash: Crash) => world.lifecycle.crash(world.find(id), crash),
    /** Ends a deployment at once, like the end of `max_duration`. */
    terminate: (id: string) => world.lifecycle.terminate(world.find(id)),
    /** Adds a line to the log of a game server. */
    print: (id: string, text: string) => appendLog(world.find(id), settings.clock.now(), text),
    /** Removes a deployment from the account. */
    forget(id: string) {
      world.lifecycle.abandon(world.find(id));
      world.deployments.delete(id);
    },
    /** Ends all timers and all connections, even connections whose request has not been answered. */
    async close() {
      world.timers.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, world.callbacks.close()]);
    },
  };
}
