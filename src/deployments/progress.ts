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

/** The steps of a deployment that is starting. Undefined for any other status. */
export function progressOf(status: string): Steps | undefined {
  const behind = BEHIND[status as Status];
  if (behind === undefined) return undefined;
  const steps = TITLES.map((title, index): Step => {
    if (index < behind) return { title, state: 'done' };
    if (index > behind) return { title, state: 'waiting' };
    return { title: DOING[index] ?? title, state: 'active' };
  });
  return { kind: 'steps', title: 'Progress', steps };
}
