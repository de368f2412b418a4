import type { Platforms } from '../adapters/start.ts';
import { type Clock, sleep, stopwatch, within } from '../clock.ts';
import type { Pipeline } from '../command/run.ts';
import type { Callbacks } from '../deployments/callbacks.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Server } from '../server/server.ts';
import type { Store } from '../store/schema.ts';
import type { OpenAccount } from './account.ts';

/**
 * How long a process that is stopping still accepts requests, so that a proxy notices in time that the process is not
 * ready any more. Proxies usually ask `/readyz` once a second.
 */
const LINGER_MS = 2_000;
/** The time limit within which another process takes over the connections to the chat platforms. */
const HAND_OVER_MS = 3_000;
/** The time limit for the requests that are in progress. */
const DRAIN_MS = 5_000;
/** The time limit for each further step of the stop. */
const QUIT_MS = 1_000;
/**
 * The time limit for all steps together, counted from SIGTERM. Only closing the store may take longer, by at most
 * `QUIT_MS`. Container platforms send SIGKILL ten seconds after SIGTERM.
 */
const END_MS = 7_500;

export interface Stoppable {
  readonly clock: Clock;
  readonly server: Server;
  readonly platforms: Platforms;
  readonly pipeline: Pipeline;
  readonly accounts: readonly OpenAccount[];
  readonly callbacks: Callbacks;
  readonly outbox: { stop(): Promise<void> };
  /** All other parts that work in the background. */
  readonly background: readonly { stop(): Promise<void> }[];
  readonly membership: Membership;
  readonly stores: readonly Store[];
}

/**
 * Stops in order: refuses new requests, finishes running work, then closes the connections. Work that takes too long is
 * abandoned. This work is still in the store, so the next start or a different process resumes the work.
 */
export async function stopInOrder(parts: Stoppable): Promise<void> {
  const { clock, server, platforms, pipeline, accounts, callbacks, outbox, stores } = parts;
  const spentMs = stopwatch(clock);
  const atMost = <T>(ms: number, work: Promise<T>) =>
    within(clock, Math.max(0, Math.min(ms, END_MS - spentMs())), work);
  if (parts.membership.shared) {
    server.retire();
    // The other processes take over the platforms. This process still carries out requests that arrive here.
    await Promise.all([within(clock, HAND_OVER_MS, platforms.handOver()), sleep(clock, LINGER_MS)]);
    await server.close();
    await atMost(Math.max(QUIT_MS, DRAIN_MS - spentMs()), pipeline.idle());
  } else {
    await within(clock, DRAIN_MS, pipeline.drain());
    await server.close();
  }
  for (const { deployments } of accounts) deployments.close();
  const working = [...parts.background, ...accounts.map(({ reconciler }) => reconciler)];
  const others = working.map((part) => part.stop());
  // Calls to Edgegap that still wait for the bot's rate limit now fail at once. The outbox stops after the processing
  // of callbacks, so that messages about callbacks are still posted.
  const closed = Promise.all(accounts.map(({ client }) => client.close()));
  await atMost(QUIT_MS, Promise.all([pipeline.idle(), callbacks.idle(), ...others]));
  const ended = Promise.all([...others, callbacks.stop(), outbox.stop()]);
  await atMost(QUIT_MS, ended);
  await atMost(QUIT_MS, Promise.all([platforms.close(), ...accounts.map(({ client }) => client.abandon())]));
  // When the connections are closed, work that waits for a platform or for Edgegap fails and ends. The store closes
  // last, because this work still uses the store.
  await atMost(QUIT_MS, Promise.all([ended, pipeline.idle(), closed]));
  await parts.membership.leave();
  await within(clock, QUIT_MS, Promise.all(stores.map((store) => store.destroy())));
}
