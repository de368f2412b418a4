import type { Deployment } from './deployment.ts';

/** The pauses, in milliseconds, between looks for one whose outcome is unknown: six looks over two minutes. */
export const LOOK_UPS_MS = [2_000, 4_000, 9_000, 15_000, 30_000, 60_000] as const;

/** With callbacks on, a deployment this long silent is asked about all the same. */
export const SILENCE_MS = 60_000;

const POLL_YOUNG_MS = 3_000;
const POLL_MS = 15_000;
const YOUNG_MS = 3 * 60_000;

/**
 * When to ask about a deployment next (epoch ms); undefined when there is nothing to find out but by the list:
 * one that is ready and stays so, one that has ended.
 */
export function nextCheck(deployment: Deployment, now: number, callbacks: boolean): number | undefined {
  const { phase, status, createdAt, checks } = deployment;
  if (phase === 'unknown') {
    const delay = LOOK_UPS_MS[checks];
    return delay === undefined ? undefined : now + delay;
  }
  if (phase !== 'live') return undefined;
  if (status === 'READY' && deployment.stopAskedBy === undefined) return undefined;
  if (status === 'ERROR') return now + SILENCE_MS;
  if (callbacks) return now + SILENCE_MS;
  return now + (now - createdAt < YOUNG_MS ? POLL_YOUNG_MS : POLL_MS);
}
