import { ageOf } from '../clock.ts';
import { type Deployment, endIsInferred } from './deployment.ts';

/**
 * The pauses, in milliseconds, between searches for a deployment with an unknown outcome: after 2, 6, 10, 30, 60 and
 * 120 s.
 */
export const LOOK_UPS_MS = [2_000, 4_000, 4_000, 20_000, 30_000, 60_000] as const;

/** With callbacks on, Edgegap is asked about a deployment after this long without news. */
export const SILENCE_MS = 60_000;

/**
 * With callbacks on, status polls of deployments in progress are this far apart: a fifth of Edgegap's 20 status calls
 * a second. With many deployments in progress, each deployment is polled less often.
 */
export const POLLS_APART_MS = 250;

/** If Edgegap does not know a deployment, and still does not after this long, the deployment has ended. */
export const MISSING_MS = 30_000;

/** How long an accepted stop may show no effect before a person can ask for a stop again. */
export const STOP_PATIENCE_MS = 2 * 60_000;

/** A deployment this young may not be listed, or known to the status endpoint, yet. */
const SETTLING_MS = 30_000;

const POLL_YOUNG_MS = 3_000;
const POLL_MS = 15_000;
const YOUNG_MS = 3 * 60_000;
/** The longest pause between polls of a failed deployment, which stays failed until a person stops the deployment. */
export const POLL_FAILED_MAX_MS = 15 * 60_000;
/** For this long after an inferred end, Edgegap is asked whether the deployment runs after all. */
export const DOUBT_END_MS = 2 * 60 * 60_000;

/**
 * When to ask about a deployment next (epoch ms); undefined for a deployment that is ready or has ended, where
 * Edgegap's list is enough.
 */
export function nextCheck(deployment: Deployment, now: number, callbacks: boolean): number | undefined {
  const { phase, status, createdAt, checks, missingAt, errorAt, endedAt, stopAskedBy } = deployment;
  if (phase === 'unknown') {
    const delay = LOOK_UPS_MS[checks];
    return delay === undefined ? undefined : now + delay;
  }
  if (phase === 'ended' && endedAt !== undefined && endIsInferred(deployment))
    return now - endedAt > DOUBT_END_MS ? undefined : now + Math.max(SILENCE_MS, now - endedAt);
  if (phase !== 'live') return undefined;
  if (missingAt !== undefined) return now + Math.max(0, MISSING_MS - ageOf(missingAt, now));
  if (stopAskedBy === undefined) {
    if (status === 'READY') return undefined;
    if (status === 'ERROR')
      return now + Math.min(Math.max(SILENCE_MS, ageOf(errorAt ?? now, now)), POLL_FAILED_MAX_MS);
  }
  if (callbacks) return now + SILENCE_MS;
  return now + (ageOf(createdAt, now) < YOUNG_MS ? POLL_YOUNG_MS : POLL_MS);
}

/**
 * Whether the deployment goes through steps that no callback reports. A deployment that a person stops is left to the
 * callbacks: if a status poll saw the end first, the callbacks' news of the start would be late.
 */
export function isOnItsWay({ phase, status, missingAt, stopAskedBy }: Deployment): boolean {
  if (phase !== 'live' || missingAt !== undefined || stopAskedBy !== undefined) return false;
  return !['READY', 'ERROR', 'TERMINATING', 'TERMINATED'].includes(status ?? '');
}

/** Whether Edgegap accepted a stop that may still have its effect. */
export function isStopUnderWay({ stopAskedAt, missingAt, endedAt }: Deployment, now: number): boolean {
  if (stopAskedAt === undefined || missingAt !== undefined || endedAt !== undefined) return false;
  return ageOf(stopAskedAt, now) < STOP_PATIENCE_MS;
}

/**
 * Whether Edgegap may not know the deployment everywhere yet: an answer that there is no such deployment then means
 * nothing.
 */
export function isSettling({ acceptedAt, createdAt }: Deployment, now: number): boolean {
  return ageOf(acceptedAt ?? createdAt, now) < SETTLING_MS;
}
