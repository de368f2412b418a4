import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { SentCallback } from './callbacks.ts';
import type { SimulatedDeployment } from './deployment.ts';
import type { Faults } from './faults.ts';
import { createHttpServer, type ReceivedRequest } from './http.ts';
import { appendLog } from './logs.ts';
import { type SimulatorOptions, settle } from './options.ts';
import { World } from './world.ts';

export type { SimulatorOptions };

/** A stand-in Edgegap that listens on a port, with a back door for tests. */
export interface Simulator {
  /** Base URL without a slash at the end; paths begin with `/v1` or `/v2`. */
  readonly url: string;
  /** The token that is let in, without the word `token`. */
  readonly token: string;
  readonly deletedToken: string;
  /** Every deployment there ever was, oldest first, by request_id. */
  readonly deployments: ReadonlyMap<string, SimulatedDeployment>;
  /** The newest 10,000 requests, oldest first. */
  readonly requests: readonly ReceivedRequest[];
  /** Every callback that was due, and what became of it. */
  readonly callbacks: readonly SentCallback[];
  readonly faults: Faults;
  /** What the deployment list says beside its rows. */
  readonly listNotes: string[];
  /** Now in ERROR with this detail. */
  fail(request_id: string, detail: string): void;
  /** The process inside ends: ERROR, or READY all the same when the container restarts. */
  crash(request_id: string, crash: { exit_code: number; message: string; restarts?: boolean }): void;
  /** Now TERMINATED, as if its time were up. */
  terminate(request_id: string): void;
  /** The game server prints this now. */
  print(request_id: string, text: string): void;
  /** The account no longer knows it. */
  forget(request_id: string): void;
  /** Ends timers and connections, answered or not. */
  close(): Promise<void>;
}

/** Starts to listen, and resolves when it does. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const settings = settle(options);
  const world = new World(settings);
  const requests: ReceivedRequest[] = [];
  const server = createHttpServer(world, requests);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    token: settings.token,
    deletedToken: settings.deletedToken,
    deployments: world.deployments,
    requests,
    callbacks: world.callbacks.sent,
    faults: world.faults,
    listNotes: world.listNotes,
    fail: (id, detail) => world.lifecycle.fail(world.find(id), detail),
    crash: (id, crash) => world.lifecycle.crash(world.find(id), crash),
    terminate: (id) => world.lifecycle.terminate(world.find(id)),
    print: (id, text) => appendLog(world.find(id), settings.clock.now(), text),
    forget(id) {
      world.lifecycle.abandon(world.find(id));
      world.deployments.delete(id);
    },
    async close() {
      world.timers.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, world.callbacks.close()]);
    },
  };
}
