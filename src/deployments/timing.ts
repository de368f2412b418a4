import { ageOf } from '../clock.ts';
import { type Deployment, endIsInferred } from './deployment.ts';

/**
 * The pauses, in milliseconds, between the searches for a deployment with an unknown outcome. The bot searches after 2,
 * 6, 10, 30, 60 and 120 s.
 */
export const LOOK_UPS_MS = [2_000, 4_000, 4_000, 20_000, 30_000, 60_000] as const;

/** If callbacks are on, Edgegap is asked about a deployment when there was no news for this long. */
export const SILENCE_MS = 60_000;

/**
 * If callbacks are on, two status polls of deployments in progress are at least this far apart. They then use at most a
 * fifth of Edgegap's limit of 20 status calls a second. The more deployments are in progress, the less often each of
 * them is polled.
 */
export const POLLS_APART_MS = 250;

/**
 * If Edgegap does not know a deployment, and after this time still does not know it, the deployment counts as ended.
 */
export const MISSING_MS = 30_000;

/** If an accepted stop shows no effect for this long, a person can ask for a stop again. */
export const STOP_PATIENCE_MS = 2 * 60_000;

/** Edgegap's list and status endpoint may not know a deployment that is younger than this. */
const SETTLING_MS = 30_000;

const POLL_YOUNG_MS = 3_000;
const POLL_MS = 15_000;
const YOUNG_MS = 3 * 60_000;
/** The longest pause between the polls of a failed deployment, which stays failed until a person stops it. */
export const POLL_FAILED_MAX_MS = 15 * 60_000;
/**
 * If the end of a deployment is only a conclusion of the bot, the bot keeps asking Edgegap for this long whether the
 * deployment is running after all.
 */
export const DOUBT_END_MS = 2 * 60 * 60_000;

/**
 * The time at which to ask about a deployment next (epoch ms). Undefined for a deployment that is ready or has ended,
 * if Edgegap's list shows enough about such a deployment.
 */
export function nextCheck(deployment: Deployment, now: number, callbacks: boolean): number | undefined {
  const { phase, status, createdAt, checks, missingAt, errorAt, endedAt, stopAskedBy, plan } = deployment;
  // Deployments about which Edgegap reports too little. Its older API reports neither a failure nor the end, and about
  // an adopted deployment it reports nothing.
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
    // With callbacks on, Edgegap's list is read less often, so these deployments are asked about one by one.
    if (status === 'READY') return callbacks && isUntold ? now + POLL_MS : undefined;
    if (status === 'ERROR')
      return now + Math.min(Math.max(SILENCE_MS, ageOf(errorAt ?? now, now)), POLL_FAILED_MAX_MS);
  }
  if (callbacks && !isUntold) return now + SILENCE_MS;
  return now + (ageOf(createdAt, now) < YOUNG_MS ? POLL_YOUNG_MS : POLL_MS);
}

/**
 * Whether the deployment is going through steps that no callback reports. A deployment that a person has stopped is not
 * polled for such steps. A status poll might see the end of the deployment first, and then the callback that reports
 * the start would come too late.
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
 * Whether the deployment is so young that some parts of Edgegap may not know it yet. As long as this is the case, the
 * answer that there is no such deployment means nothing.
 */
export function isSettling({ acceptedAt, createdAt }: Deployment, now: number): boolean {
  return ageOf(acceptedAt ?? createdAt, now) < SETTLING_MS;
}
