import type { Adapter } from '../chat/port.ts';
import { ageOf, type Clock } from '../clock.ts';
import type { Deployments, StopOutcome } from '../deployments/deployments.ts';
import type { Ending, PlannedStop } from '../deployments/planned-stop.ts';
import { LIFETIME, type PlannedStops, STOP_LATER } from '../deployments/planned-stops.ts';
import { EdgegapError, isNoSuchDeployment, isPassing } from '../edgegap/errors.ts';
import { AppError, RefusedError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { TaskKind } from '../work/task.ts';
import { type Policy, refusal } from './authorise.ts';

/** The pause before the bot tries a stop again after a temporary failure. */
const AGAIN_MS = 30_000;
/** If a stop fails for longer than this time, the bot gives up. */
const PATIENCE_MS = 15 * 60_000;

/** If Edgegap repeats for this long that a deployment does not exist, the bot accepts the answer as correct. */
const SURE_MS = 60_000;

interface Parts {
  readonly accountOf: (id: string) => {
    readonly deployments: Deployments;
    readonly plannedStops: PlannedStops;
  };
  readonly policy: Policy;
  readonly adapters: readonly Adapter[];
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Carries out planned stops, and stops servers whose lifetime has ended. Before a planned stop, the bot checks that the
 * person who planned the stop still has the permission. The end of a lifetime needs no permission, so that a server
 * also ends if the person who deployed the server has left. If the bot is read-only, it stops no server.
 */
export function stopsLater({ accountOf, policy, adapters, clock, log }: Parts): readonly TaskKind[] {
  async function authorise({ asker, place, isLifetime }: PlannedStop): Promise<void> {
    if (isLifetime && policy.readOnly)
      throw new RefusedError('read-only', 'I am set to read-only, so I stop no server.');
    if (isLifetime) return;
    const adapter = adapters.find(({ platform }) => platform === place.platform);
    if (!adapter) throw new AppError('not-set-up', `I am not connected to ${place.platform} any more.`);
    const person = await adapter.person(asker.id, place.workspace);
    const refused = refusal(policy, place.platform, person, 'deployments.stop');
    if (!refused) return;
    if (refused.code === 'read-only') throw refused;
    throw new RefusedError(refused.code, `${asker.name} may no longer stop servers here.`);
  }

  /**
   * Whether Edgegap's answer that the deployment does not exist may be wrong. If the bot accepted a wrong answer, the
   * server would continue to run and cost money.
   */
  const mayBeWrong = ({ missedAt }: PlannedStop) =>
    missedAt === undefined || ageOf(missedAt, clock.now()) < SURE_MS;
  const missedAgain = (stop: PlannedStop) => ({
    inMs: AGAIN_MS,
    payload: { missedAt: clock.now(), ...stop },
  });

  const run: TaskKind['run'] = async ({ account, payload, signal }) => {
    const { deployments, plannedStops } = accountOf(account);
    const begun = await plannedStops.begin(payload as PlannedStop);
    if (!begun) return undefined;
    const { again, ...stop } = begun;
    const { request_id, asker, begunAt, logStorage, isLifetime } = stop;
    const about = { deployment: request_id, person: asker.id, name: asker.name, lifetime: isLifetime };
    try {
      await authorise(stop);
      const outcome = await deployments.stop(request_id, asker.name, { logStorage, atEnd: isLifetime });
      if ((outcome === 'missing' || outcome === 'perhaps-stopped') && mayBeWrong(stop))
        return missedAgain(stop);
      await plannedStops.end(stop, endingOf(outcome, again && stop.missedAt === undefined));
      log.info({ ...about, outcome }, 'stop: a planned stop was carried out');
    } catch (error) {
      // If this process is shutting down, another process carries out the stop later.
      if (signal.aborted) throw error;
      if (isNoSuchDeployment(error) && mayBeWrong(stop)) return missedAgain(stop);
      const code = error instanceof AppError ? { code: error.code } : { err: error };
      if (mayTryAgain(error) && ageOf(begunAt ?? 0, clock.now()) < PATIENCE_MS) {
        log.warn({ ...about, ...code }, 'stop: a planned stop failed, and is tried again');
        return { inMs: AGAIN_MS };
      }
      log.error({ ...about, ...code }, 'stop: a planned stop failed');
      // The deployment existed when the person planned the stop. If Edgegap no longer knows the deployment, the
      // deployment has probably ended.
      const isGone = isNoSuchDeployment(error);
      await plannedStops.end(stop, isGone ? { kind: 'perhaps' } : { kind: 'failed', why: wordsFor(error) });
      // After a failure, the lifetime is removed. If the lifetime stayed, the card would show an end in the past.
      const known = isLifetime && !isGone ? await deployments.byRequestId(request_id) : undefined;
      if (known) await deployments.learn(known.id, { kind: 'lifetime', lifetime: undefined }, 'asked');
    }
    return undefined;
  };
  return [STOP_LATER, LIFETIME].map((kind) => ({ kind, run }));
}

/**
 * The outcome for the message about the stop. If an earlier run of the task has tried to stop the deployment, that run
 * counts as the reason for the deployment's end.
 */
function endingOf(outcome: StopOutcome, again: boolean): Ending {
  switch (outcome) {
    case 'already-terminated':
    case 'missing':
      return again ? { kind: 'stopped', once: false } : { kind: 'early' };
    case 'perhaps-stopped':
      return { kind: 'perhaps' };
    default:
      return { kind: 'stopped', once: outcome === 'accepted' };
  }
}

/** Whether the same attempt may succeed later, without a change by a person. */
function mayTryAgain(error: unknown): boolean {
  return error instanceof EdgegapError ? isPassing(error) : !(error instanceof RefusedError);
}

function wordsFor(error: unknown): string {
  return error instanceof AppError ? error.userMessage : 'I made a mistake, which my log describes.';
}
