import type { Step, Steps } from '../chat/card.ts';
import type { KNOWN_STATUSES } from '../edgegap/schema.ts';

type Status = (typeof KNOWN_STATUSES)[number] | 'REQUESTING' | 'REQUESTED';

const TITLES = ['Requested', 'Location found', 'Deployed', 'Ready'] as const;
const DOING = ['Requesting', 'Looking for a location', 'Deploying', 'Starting'] as const;

/** How many steps a deployment with this status has finished. */
const BEHIND: Readonly<Partial<Record<Status, number>>> = {
  REQUESTING: 0,
  REQUESTED: 1,
  INITIALIZING: 1,
  SEEKING: 1,
  SEEKED: 2,
  SCANNING: 2,
  DEPLOYING: 2,
};

/**
 * The steps of a deployment that is not ready yet, or that failed before it was ready. `last` is the status before a
 * failure. Undefined for every other deployment, and for a status that the bot does not know.
 */
export function progressOf({
  status,
  last,
  readyAt,
}: {
  readonly status: string;
  readonly last: string | undefined;
  readonly readyAt: number | undefined;
}): Steps | undefined {
  const hasFailed = status === 'ERROR' && readyAt === undefined;
  const behind = BEHIND[(hasFailed ? last : status) as Status];
  if (behind === undefined) return undefined;
  const steps = TITLES.map((title, index): Step => {
    if (index < behind) return { title, state: 'done' };
    if (index > behind) return { title, state: 'waiting' };
    return { title: DOING[index] ?? title, state: hasFailed ? 'failed' : 'active' };
  });
  return { kind: 'steps', title: 'Progress', steps };
}
