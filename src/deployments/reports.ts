import type { Clock } from '../clock.ts';
import type { Store } from '../store/schema.ts';
import { schedule } from '../work/task.ts';
import type { Deployment } from './deployment.ts';
import type { Happening } from './state.ts';

/** The type of the tasks that explain a failure. The key is the id of the deployment. */
export const CRASH_REPORT = 'crash-report';
/** The type of the tasks that show the log of a deployment that has ended. The key is the id of the deployment. */
export const LAST_LOG = 'last-log';

/**
 * Schedules the messages for which the bot must ask Edgegap again. The tasks are stored in the transaction `tx`, which
 * also stores the news.
 */
export async function scheduleReports(
  tx: Store,
  clock: Clock,
  { id: key, account }: Deployment,
  happened: readonly Happening[],
): Promise<void> {
  const at = clock.now();
  if (happened.includes('error')) await schedule(tx, clock, { kind: CRASH_REPORT, key, account, at });
  if (happened.includes('terminated')) await schedule(tx, clock, { kind: LAST_LOG, key, account, at });
}
