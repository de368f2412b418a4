import type { advance } from '../../src/deployments/state.ts';

export type Facts = Parameters<typeof advance>[0];

/** The facts about a deployment that has just been requested. */
export const fresh: Facts = {
  phase: 'requesting',
  asker: { id: 'ann', name: 'Ann' },
  plan: { users: [], place: 'Montreal', tags: [] },
  requestId: undefined,
  status: undefined,
  snapshot: undefined,
  tags: [],
  errorDetail: undefined,
  acceptedAt: undefined,
  readyAt: undefined,
  errorAt: undefined,
  endedAt: undefined,
  stopAskedBy: undefined,
  stopAskedAt: undefined,
  stopPlan: undefined,
  missingAt: undefined,
};
