import type { CatalogHost, CatalogPort, HostUnits } from './catalog.ts';
import type { City } from './cities.ts';

export type SimulatedPhase =
  | 'INITIALIZING'
  | 'SEEKING'
  | 'SEEKED'
  | 'SCANNING'
  | 'DEPLOYING'
  | 'READY'
  | 'TERMINATING'
  | 'TERMINATED'
  | 'ERROR';

export type SimulatedEvent = 'ready' | 'error' | 'terminated';

export interface SimulatedTag {
  name: string;
  readonly createdAt: number;
  updatedAt: number;
}

interface SimulatedPort extends CatalogPort {
  readonly external: number;
}

/**
 * A deployment inside the simulator. Tests read the fields, and use the methods of `Simulator` to change the
 * deployment.
 */
export interface SimulatedDeployment {
  readonly request_id: string;
  readonly application: string;
  readonly version: string;
  readonly createdAt: number;
  readonly city: City;
  readonly fqdn: string;
  readonly publicIp: string;
  readonly ports: readonly SimulatedPort[];
  readonly maxDuration: number;
  /** The host in a private fleet. Undefined if the deployment runs in the cloud. */
  readonly host: CatalogHost | undefined;
  readonly uses: HostUnits;
  readonly environment: readonly { key: string; value: string }[];
  readonly webhooks: Readonly<Partial<Record<SimulatedEvent, string>>>;
  /** Every phase of the deployment so far, oldest first. The last phase in the list is the present phase. */
  readonly history: { readonly phase: SimulatedPhase; readonly at: number }[];
  tags: SimulatedTag[];
  errorDetail: string | undefined;
  /** Extra fields of the status in the dialect `reference`: sockets, access list and overridden command. */
  extras: Readonly<Record<string, unknown>>;
  crash: { exit_code: number; message: string; restart_count: number; logs: string } | undefined;
  readonly imagePulled: boolean;
  /** Whether a stop was accepted before the deployment reached READY or ERROR. */
  stopRequested: boolean;
  /** The endpoint storage that stores the log after the deployment has ended. */
  logStorage: string | undefined;
  /** Periods without measurements, in epoch milliseconds. */
  readonly unmeasured: { readonly from: number; readonly to: number }[];
  readonly log: { readonly lines: string[]; bootLines: number; playLines: number };
}

export function phaseOf(deployment: SimulatedDeployment): SimulatedPhase {
  return deployment.history.at(-1)?.phase ?? 'INITIALIZING';
}

/** The phase at a past time. Undefined if the deployment did not exist at that time. */
export function phaseAt(deployment: SimulatedDeployment, time: number): SimulatedPhase | undefined {
  return deployment.history.findLast((entry) => entry.at <= time)?.phase;
}

/** Returns the time at which the deployment first entered `phase`. */
export function enteredAt(deployment: SimulatedDeployment, phase: SimulatedPhase): number | undefined {
  return deployment.history.find((entry) => entry.phase === phase)?.at;
}

/** Whether the deployment has failed, is terminating or has terminated, and therefore can no longer fail. */
export function isEnding(phase: SimulatedPhase): boolean {
  return phase === 'TERMINATING' || phase === 'TERMINATED' || phase === 'ERROR';
}
