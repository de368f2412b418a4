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

/** The pause before a stop is tried again after a failure that may pass. */
const AGAIN_MS = 30_000;
/** The bot gives up when a stop has failed for this long. */
const PATIENCE_MS = 15 * 60_000;

/** The bot believes that a deployment does not exist if Edgegap has given this answer for this long. */
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
 * Carries out planned stops, in the name of the person who planned the stop, and the ends of lifetimes, in the name of
 * the person who deployed. A planned stop needs the permissions that the person has at that time. The end of a lifetime
 * needs no permission, because a server must not run on and be billed after its person has left. Nothing is stopped
 * while the bot is read-only.
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

  /** If Edgegap wrongly answered that there is no such deployment, the server would run on and be billed. */
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
      // If this process is stopping, the next process carries out the stop.
      if (signal.aborted) throw error;
      if (isNoSuchDeployment(error) && mayBeWrong(stop)) return missedAgain(stop);
      const code = error instanceof AppError ? { code: error.code } : { err: error };
      if (mayTryAgain(error) && ageOf(begunAt ?? 0, clock.now()) < PATIENCE_MS) {
        log.warn({ ...about, ...code }, 'stop: a planned stop failed, and is tried again');
        return { inMs: AGAIN_MS };
      }
      log.error({ ...about, ...code }, 'stop: a planned stop failed');
      // The deployment existed when the person planned the stop. If Edgegap no longer knows the deployment, it has
      // probably ended.
      const isGone = isNoSuchDeployment(error);
      await plannedStops.end(stop, isGone ? { kind: 'perhaps' } : { kind: 'failed', why: wordsFor(error) });
      // After a failure, the lifetime is removed, because the card would otherwise go on showing an end that has
      // passed.
      const known = isLifetime && !isGone ? await deployments.byRequestId(request_id) : undefined;
      if (known) await deployments.learn(known.id, { kind: 'lifetime', lifetime: undefined }, 'asked');
    }
    return undefined;
  };
  return [STOP_LATER, LIFETIME].map((kind) => ({ kind, run }));
}

/** If an earlier run has begun to stop the deployment, an end of the deployment is the result of that run. */
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

/** Whether the same attempt may succeed some time later without any repair by a person. */
function mayTryAgain(error: unknown): boolean {
  return error instanceof EdgegapError ? isPassing(error) : !(error instanceof RefusedError);
}

function wordsFor(error: unknown): string {
  return error instanceof AppError ? error.userMessage : 'I made a mistake, which my log describes.';
}
