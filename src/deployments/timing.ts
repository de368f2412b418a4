import { ageOf } from '../clock.ts';
import { type Deployment, endIsInferred } from './deployment.ts';

/**
 * The pauses, in milliseconds, between the searches for a deployment with an unknown outcome. The bot searches after 2,
 * 6, 10, 30, 60 and 120 s.
 */
export const LOOK_UPS_MS = [2_000, 4_000, 4_000, 20_000, 30_000, 60_000] as const;

/** If callbacks are on, the bot asks Edgegap about a deployment when no news has arrived for this long. */
export const SILENCE_MS = 60_000;

/**
 * If callbacks are on, the minimum time between two status polls of deployments in progress. The polls then use at most
 * a fifth of Edgegap's limit of 20 status calls per second. The more deployments are in progress, the less often the
 * bot polls each of them.
 */
export const POLLS_APART_MS = 250;

/**
 * If Edgegap answers that a deployment does not exist, and repeats this answer after this time, the deployment counts
 * as ended.
 */
export const MISSING_MS = 30_000;

/** If an accepted stop has no effect for this long, a person can request the stop again. */
export const STOP_PATIENCE_MS = 2 * 60_000;

/** A deployment that is younger than this may still be missing from Edgegap's list and status endpoint. */
const SETTLING_MS = 30_000;

const POLL_YOUNG_MS = 3_000;
const POLL_MS = 15_000;
const YOUNG_MS = 3 * 60_000;
/** The maximum pause between polls of a failed deployment, which stays failed until a person stops it. */
export const POLL_FAILED_MAX_MS = 15 * 60_000;
/**
 * How long the bot keeps asking Edgegap whether a deployment still runs, if the end of the deployment was only
 * inferred.
 */
export const DOUBT_END_MS = 2 * 60 * 60_000;

/**
 * The time of the next check (epoch ms). Undefined if the deployment is ready or has ended, and the bot needs only
 * Edgegap's list.
 */
export function nextCheck(deployment: Deployment, now: number, callbacks: boolean): number | undefined {
  const { phase, status, createdAt, checks, missingAt, errorAt, endedAt, stopAskedBy, plan } = deployment;
  // Edgegap sends too few callbacks about these deployments. The older API sends no callback for a failure or the end,
  // and an adopted deployment has no callbacks.
  const isUntold = plan.legacy || plan.adopted;
  if (phase === 'unknown') {
    const delay = LOOK_UPS_MS[checks];
    return delay === undefined ? undefined : now + delay;
  }
  if (phase === 'ended' && endedAt !== undefined && endIsInferred(deployment))
    return now - endedAt > DOUBT_END_MS ? undefined : now + Math.max(SILENCE_MS, now - endedAt);
  if (phase !== 'live') return undefined;
  if (missingAt !== undefined) return now + Math.max(0, MISSING_MS - ageOf(missingAt, now));
  if (stopAskedBy === undefined) {
    // If callbacks are on, the bot reads Edgegap's list less often, so it checks these deployments individually.
    if (status === 'READY') return callbacks && isUntold ? now + POLL_MS : undefined;
    if (status === 'ERROR')
      return now + Math.min(Math.max(SILENCE_MS, ageOf(errorAt ?? now, now)), POLL_FAILED_MAX_MS);
  }
  if (callbacks && !isUntold) return now + SILENCE_MS;
  return now + (ageOf(createdAt, now) < YOUNG_MS ? POLL_YOUNG_MS : POLL_MS);
}

/**
 * Whether the deployment is passing through steps for which Edgegap sends no callback. After a person has stopped the
 * deployment, the bot does not poll these steps. A poll might see the end first, and the callback about the start would
 * then come too late.
 */
export function isOnItsWay({ phase, status, missingAt, stopAskedBy }: Deployment): boolean {
  if (phase !== 'live' || missingAt !== undefined || stopAskedBy !== undefined) return false;
  return !['READY', 'ERROR', 'TERMINATING', 'TERMINATED'].includes(status ?? '');
}

/** Whether Edgegap accepted a stop that may still take effect. */
export function isStopUnderWay({ stopAskedAt, missingAt, endedAt }: Deployment, now: number): boolean {
  if (stopAskedAt === undefined || missingAt !== undefined || endedAt !== undefined) return false;
  return ageOf(stopAskedAt, now) < STOP_PATIENCE_MS;
}

/**
 * Whether the deployment is so young that some parts of Edgegap may not contain it yet. During this time, the answer
 * that the deployment does not exist proves nothing.
 */
export function isSettling({ acceptedAt, createdAt }: Deployment, now: number): boolean {
  return ageOf(acceptedAt ?? createdAt, now) < SETTLING_MS;
}
