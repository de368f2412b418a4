import type { App } from '../app.ts';
import { type Clock, sleep } from '../clock.ts';
import { defaultCatalog } from '../simulator/catalog.ts';
import { phaseOf, type SimulatedDeployment } from '../simulator/deployment.ts';
import type { Simulator } from '../simulator/simulator.ts';

const LOOK_EVERY_MS = 50;

export interface Parts {
  readonly app: Pick<App, 'settled'>;
  readonly simulator: Pick<Simulator, 'deployments' | 'callbacks'>;
  readonly clock: Clock;
  /** When this signal is aborted, the wait ends and the promise rejects. */
  readonly stop: AbortSignal;
}

/**
 * Resolves when no deployment is changing its phase any more, every callback has arrived, and every message was posted.
 */
export async function settleAll({ app, simulator, clock, stop }: Parts): Promise<void> {
  for (;;) {
    const before = atRest(simulator);
    await untilStopped(stop, app.settled());
    if (before && atRest(simulator)) return;
    await sleep(clock, LOOK_EVERY_MS, stop);
  }
}

/** Settles like `promise`, but rejects at once if `stop` is aborted, so that later steps do not start. */
export function untilStopped<T>(stop: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(stop.reason);
    if (stop.aborted) abort();
    stop.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => stop.removeEventListener('abort', abort));
  });
}

function atRest({ deployments, callbacks }: Parts['simulator']): boolean {
  return (
    ![...deployments.values()].some(isMoving) && !callbacks.some((callback) => callback.outcome === 'pending')
  );
}

function isMoving(deployment: SimulatedDeployment): boolean {
  const phase = phaseOf(deployment);
  if (phase === 'TERMINATED') return false;
  if (phase === 'ERROR') return deployment.stopRequested;
  return phase !== 'READY' || deployment.stopRequested || isAboutToCrash(deployment);
}

/** Whether the deployment will crash, because the simulator's catalogue says so for this version. */
function isAboutToCrash({ application, version }: SimulatedDeployment): boolean {
  return defaultCatalog.applications
    .filter(({ name }) => name === application)
    .flatMap(({ versions }) => versions)
    .some(({ name, misfortune }) => name === version && misfortune === 'crashes');
}
