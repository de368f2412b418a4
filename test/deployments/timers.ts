import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { stopsLater } from '../../src/command/stop-later.ts';
import { endWarnings } from '../../src/deployments/end-warnings.ts';
import { PlannedStops } from '../../src/deployments/planned-stops.ts';
import { TaskWorker } from '../../src/work/worker.ts';
import { accepted, snapshot, type Watch } from './watch.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** Starts the part of the process that runs timers of lifetimes. */
export async function start(watch: Watch, most?: number): Promise<void> {
  const { store, membership, clock, deployments } = watch;
  const log = pino({ level: 'silent' });
  const parts = { deployments, plannedStops: new PlannedStops({ store, account: 'a', clock }) };
  const policy = { rules: {}, readOnly: false };
  const kinds = [
    ...stopsLater({ accountOf: () => parts, policy, adapters: [], clock, log }),
    endWarnings(() => deployments, most),
  ];
  const worker = new TaskWorker({ store, membership, account: 'all', kinds, clock, log });
  await worker.start();
  onTestFinished(() => worker.stop());
}

/** Adds a ready server with a lifetime. */
export async function add(watch: Watch, ms: number, request_id = 'r1', fields: object = {}): Promise<string> {
  watch.statuses.set(request_id, 'READY');
  const lifetime = { kind: 'lifetime', lifetime: { ms } } as const;
  return await watch.add(lifetime, accepted(request_id), snapshot(request_id, 'READY', fields));
}

export const stops = ({ calls }: Watch) => calls.filter((call) => call.startsWith('stop')).length;
export const asked = async (watch: Watch) => (await watch.told()).match(/ends soon/g) ?? [];
