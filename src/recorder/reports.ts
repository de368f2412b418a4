import { type Card, type CardFile, textFile } from '../chat/card.ts';
import { ageOf, type Clock } from '../clock.ts';
import type { Account } from '../deployments/account.ts';
import type { Deployment } from '../deployments/deployment.ts';
import { CRASH_REPORT, LAST_LOG } from '../deployments/reports.ts';
import { EdgegapError, isPassing } from '../edgegap/errors.ts';
import type { Logs } from '../edgegap/logs.ts';
import { BACKGROUND } from '../edgegap/transport.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { inReadUnits } from '../metrics/series.ts';
import { enqueue } from '../notify/outbox.ts';
import type { Store } from '../store/schema.ts';
import type { Again, TaskKind } from '../work/task.ts';
import { crashCard, type Use } from './crash-card.ts';
import { sortOf } from './reason.ts';
import type { Recorder } from './recorder.ts';
import type { Recorded } from './recordings.ts';

/** After a temporary failure, the bot requests a log again after `AGAIN_MS`, and gives up after `PATIENCE_MS`. */
const AGAIN_MS = 15_000;
const PATIENCE_MS = 3 * 60_000;
/**
 * How long after the end of a deployment its log may be saved. This time is needed because a stop waits only briefly
 * for the reading of the log.
 */
const LATE_MS = 20_000;
/** The period before a failure in which the bot looks for the server's last measurement. */
const MEASURED_MS = 10 * 60_000;
/** Measurements up to this long after a failure are also read, because they may show how the server ended. */
const MINUTE_MS = 60_000;
/** The maximum number of deployments of the same version with which a failure is compared. */
const COMPARED = 30;

type ReportingAccount = Account & { readonly recorder: Recorder };

interface Parts {
  readonly accountOf: (id: string) => ReportingAccount;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The tasks that post the crash report and the last log of a deployment. Each message has its own key, so the message
 * is written only once, even if a task runs twice.
 */
export function reports({ accountOf, store, clock, log }: Parts): readonly TaskKind[] {
  /**
   * Reads the log. Undefined if Edgegap does not return the log. If the failure is temporary, and the deployment failed
   * or ended only recently, the error is thrown so that the task runs again.
   */
  async function read({ recorder }: ReportingAccount, { requestId = '', ...about }: Deployment) {
    return await recorder.record(requestId).catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      const happenedAt = about.endedAt ?? about.errorAt ?? 0;
      const isRecent = ageOf(happenedAt, clock.now()) < PATIENCE_MS;
      if (error instanceof EdgegapError && isPassing(error) && isRecent) throw error;
      log.info({ deployment: requestId, code: error.code }, 'recorder: the log of a server cannot be read');
      return undefined;
    });
  }

  async function post({ id, at: to, card: under }: Deployment, key: string, message: Card): Promise<void> {
    await enqueue(store, clock, { kind: 'post', orderKey: id, to, under, key, message });
  }

  async function explain(
    account: ReportingAccount,
    deployment: Deployment,
    saved?: Recorded,
  ): Promise<undefined> {
    const recorded = saved ?? (await read(account, deployment));
    const use = await lastUse(account, deployment, clock.now());
    const last = await account.deployments.lastOf(deployment, COMPARED);
    const sort = sortOf(deployment.errorDetail);
    const count = last.filter(({ failed, detail }) => failed && sortOf(detail) === sort).length;
    const same = { count, of: last.length };
    const isRecorded = account.recorder.isOn;
    const card = crashCard({ deployment, log: recorded, use, same, isRecorded });
    const files = isRecorded ? filesOf(deployment, recorded) : [];
    await post(deployment, `crash-${deployment.id}`, files.length > 0 ? { ...card, files } : card);
    return undefined;
  }

  async function showLast(account: ReportingAccount, deployment: Deployment): Promise<Again | undefined> {
    const { requestId = '', stopPlan, stopAskedBy, errorAt, endedAt = 0 } = deployment;
    // No log is posted after a crash, because the crash report has already shown the log. After a stop by a plan, the
    // plan's card is sufficient for all its servers.
    if (!account.recorder.isOn || stopPlan !== undefined || errorAt !== undefined) return undefined;
    const recorded = (await account.recorder.recordings.of(requestId)) ?? (await read(account, deployment));
    if (!recorded && stopAskedBy !== undefined && ageOf(endedAt, clock.now()) < LATE_MS)
      return { inMs: AGAIN_MS };
    if (!recorded || recorded.quiet) return undefined;
    // A server can crash, restart and run on. If a person stops it after that, the end is a stop and not a crash.
    if (recorded.crash_data && stopAskedBy === undefined) return await explain(account, deployment, recorded);
    const files = filesOf(deployment, recorded);
    if (files.length > 0)
      await post(deployment, `log-${deployment.id}`, logCard(deployment, recorded, files));
    return undefined;
  }

  const task = (
    kind: string,
    run: (account: ReportingAccount, deployment: Deployment) => Promise<Again | undefined>,
  ): TaskKind => ({
    kind,
    async run({ key, account: id }) {
      const account = accountOf(id);
      const deployment = await account.deployments.byId(key);
      if (deployment?.requestId === undefined) return undefined;
      try {
        return await run(account, deployment);
      } catch (error) {
        if (!(error instanceof EdgegapError)) throw error;
        log.warn({ deployment: key, code: error.code }, 'recorder: a log is asked for again');
        return { inMs: AGAIN_MS };
      }
    },
  });

  return [task(CRASH_REPORT, explain), task(LAST_LOG, showLast)];
}

/**
 * Returns the last measurements of a server, and its limits. Measurements that Edgegap does not return are left out.
 */
async function lastUse({ api, catalog }: Account, deployment: Deployment, now: number): Promise<Use> {
  const { application, version, plan, requestId = '', readyAt, errorAt, endedAt } = deployment;
  if (readyAt === undefined) return {};
  const at = errorAt ?? endedAt ?? now;
  const window = { from: at - MEASURED_MS, to: Math.min(now, at + MINUTE_MS), step: '30s' } as const;
  const [metrics, versions] = await Promise.all([
    api.metrics(requestId, window, BACKGROUND).catch(() => undefined),
    catalog.versions(application).catch(() => []),
  ]);
  const limits = versions.find(({ name }) => name === version);
  return {
    cpu: metrics?.cpu.at(-1)?.value,
    memory: metrics && inReadUnits(metrics).memory.at(-1)?.value,
    cpuLimit: plan.resources?.cpu_units ?? limits?.req_cpu,
    memoryLimit: plan.resources?.memory_mib ?? limits?.req_memory,
  };
}

function filesOf({ requestId }: Deployment, log: Logs | undefined): CardFile[] {
  const file = (name: string, text: string | undefined) => (text ? [textFile(name, `${text}\n`)] : []);
  return [...file(`${requestId}.log`, log?.logs), ...file(`${requestId}-crash.log`, log?.crash_logs)];
}

function logCard(deployment: Deployment, { recordedAt }: Recorded, files: readonly CardFile[]): Card {
  const { application, version, requestId = '', endedAt = 0 } = deployment;
  const when = recordedAt <= endedAt ? 'before' : 'after';
  return {
    kind: 'card',
    tone: 'neutral',
    title: [`Last log of ${application} ${version} `, { code: requestId }],
    nodes: [
      {
        kind: 'note',
        text: [`I saved this log ${when} the end, `, { time: recordedAt, style: 'relative' }, '.'],
      },
    ],
    files,
  };
}
