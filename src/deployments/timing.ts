import { ageOf } from '../clock.ts';
import { type Deployment, endIsInferred } from './deployment.ts';

/** The pauses, in milliseconds, between looks for one whose outcome is unknown: after 2, 6, 10, 30, 60 and 120 s. */
export const LOOK_UPS_MS = [2_000, 4_000, 4_000, 20_000, 30_000, 60_000] as const;

/** With callbacks on, a deployment this long silent is asked about all the same. */
export const SILENCE_MS = 60_000;

/**
 * With callbacks on, this much lies between looks at the steps of deployments on their way: a fifth of Edgegap's 20 status
 * calls a second. Where many are on their way, each is looked at less often.
 */
export const LOOKS_APART_MS = 250;

/** Edgegap not knowing a deployment means that it ended when it says so again after this long. */
export const MISSING_MS = 30_000;

/** How long a stop that Edgegap took may show no effect before it can be asked for again. */
export const STOP_PATIENCE_MS = 2 * 60_000;

/** A deployment this young may not be listed, or known to the status endpoint, yet. */
const SETTLING_MS = 30_000;

const POLL_YOUNG_MS = 3_000;
const POLL_MS = 15_000;
const YOUNG_MS = 3 * 60_000;
/** One that failed stays so until somebody stops it. */
export const POLL_FAILED_MAX_MS = 15 * 60_000;
/** For this long we look whether one that we only concluded to have ended runs after all. */
export const DOUBT_END_MS = 2 * 60 * 60_000;

/**
 * When to ask about a deployment next (epoch ms); undefined when there is nothing to find out but by the list:
 * one that is ready and stays so, one that has ended.
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
 * Whether it goes through the steps of which no callback tells. One that somebody stops is left to the callbacks: a look that
 * sees the end first would make their news of the start late.
 */
export function isOnItsWay({ phase, status, missingAt, stopAskedBy }: Deployment): boolean {
  if (phase !== 'live' || missingAt !== undefined || stopAskedBy !== undefined) return false;
  return !['READY', 'ERROR', 'TERMINATING', 'TERMINATED'].includes(status ?? '');
}

/** Whether Edgegap took a stop that can still be expected to show. */
export function isStopUnderWay({ stopAskedAt, missingAt, endedAt }: Deployment, now: number): boolean {
  if (stopAskedAt === undefined || missingAt !== undefined || endedAt !== undefined) return false;
  return ageOf(stopAskedAt, now) < STOP_PATIENCE_MS;
}

/** Whether Edgegap may not know of it everywhere yet, so that its not knowing means nothing. */
export function isSettling({ acceptedAt, createdAt }: Deployment, now: number): boolean {
  return ageOf(acceptedAt ?? createdAt, now) < SETTLING_MS;
}
