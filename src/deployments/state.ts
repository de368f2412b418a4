import type { DeploymentStatus } from '../edgegap/schema.ts';
import type { Deployment } from './deployment.ts';

/** Something learned about a deployment, by whichever way it came. */
export type News =
  | { readonly kind: 'snapshot'; readonly status: DeploymentStatus }
  /** Edgegap took the request. */
  | { readonly kind: 'accepted'; readonly requestId: string }
  /** Edgegap could not place it, and left a deployment in error behind. */
  | { readonly kind: 'unplaced'; readonly requestId: string; readonly detail: string }
  /** Edgegap knows it no more. */
  | { readonly kind: 'gone' }
  /** Edgegap took a stop: `begun` now, or to be carried out once the deployment is ready or failed. */
  | { readonly kind: 'stopping'; readonly by: string; readonly begun: boolean }
  /** All its tags, as they now are. */
  | { readonly kind: 'tags'; readonly tags: readonly string[] }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'unknown-outcome' }
  | { readonly kind: 'not-found' };

/** What a person must notice. */
export type Happening = 'ready' | 'late-ready' | 'error' | 'terminated' | 'lost' | 'adopted' | 'stop-asked';

type Facts = Pick<
  Deployment,
  | 'phase'
  | 'requestId'
  | 'status'
  | 'snapshot'
  | 'tags'
  | 'errorDetail'
  | 'acceptedAt'
  | 'readyAt'
  | 'errorAt'
  | 'endedAt'
  | 'stopAskedBy'
>;

export interface Step {
  /** Only what changed. */
  readonly changes: Partial<Facts>;
  readonly happened: readonly Happening[];
}

/** The order in which a deployment goes through its statuses. */
const ORDER = [
  'INITIALIZING',
  'SEEKING',
  'SEEKED',
  'SCANNING',
  'DEPLOYING',
  'READY',
  'ERROR',
  'TERMINATING',
  'TERMINATED',
];

/**
 * What some news changes. Pure, and idempotent: the same news a second time changes nothing. Events may come late,
 * twice or out of order; the state only moves forward, and each happening is told once.
 */
export function advance(deployment: Facts, news: News, now: number): Step {
  switch (news.kind) {
    case 'accepted':
      return adopt(deployment, news.requestId, now);
    case 'unplaced': {
      const adopted = adopt(deployment, news.requestId, now);
      if (deployment.errorAt !== undefined || deployment.endedAt !== undefined) return adopted;
      return merge(adopted, {
        changes: { status: 'ERROR', errorAt: now, errorDetail: news.detail },
        happened: ['error'],
      });
    }
    case 'snapshot':
      return fromSnapshot(deployment, news.status, now);
    case 'gone':
      if (deployment.endedAt !== undefined) return nothing;
      return { changes: { phase: 'ended', status: 'TERMINATED', endedAt: now }, happened: ['terminated'] };
    case 'stopping':
      if (deployment.endedAt !== undefined) return nothing;
      return {
        changes: {
          stopAskedBy: deployment.stopAskedBy ?? news.by,
          ...(news.begun ? { status: 'TERMINATING' } : {}),
        },
        happened: deployment.stopAskedBy === undefined ? ['stop-asked'] : [],
      };
    case 'tags':
      return { changes: { tags: news.tags }, happened: [] };
    case 'refused':
      if (deployment.phase !== 'requesting') return nothing;
      return { changes: { phase: 'refused', errorDetail: news.detail }, happened: [] };
    case 'unknown-outcome':
      if (deployment.phase !== 'requesting') return nothing;
      return { changes: { phase: 'unknown' }, happened: [] };
    case 'not-found':
      if (deployment.phase !== 'unknown') return nothing;
      return { changes: { phase: 'lost' }, happened: ['lost'] };
  }
}

const nothing: Step = { changes: {}, happened: [] };

function adopt(deployment: Facts, requestId: string, now: number): Step {
  if (deployment.requestId !== undefined) return nothing;
  const late =
    deployment.phase === 'unknown' || deployment.phase === 'lost' || deployment.phase === 'refused';
  return {
    changes: { phase: 'live', requestId, acceptedAt: now, ...(late ? { errorDetail: undefined } : {}) },
    happened: late ? ['adopted'] : [],
  };
}

function fromSnapshot(deployment: Facts, snapshot: DeploymentStatus, now: number): Step {
  // Of another deployment: whoever sent it, it is no news of this one.
  if (deployment.requestId !== undefined && deployment.requestId !== snapshot.request_id) return nothing;
  const adopted = adopt(deployment, snapshot.request_id, now);
  const status = snapshot.current_status;
  const failed = status === 'ERROR' || snapshot.error;
  const ended = status === 'TERMINATED';
  const ready = status === 'READY';
  const reached = rankOf(deployment);
  const over = deployment.endedAt !== undefined || reached > ORDER.indexOf('READY');
  const changes: { -readonly [Key in keyof Facts]?: Facts[Key] } = {};
  const happened: Happening[] = [];
  // A status that is newer than this code stands beside the present one.
  const rank = ORDER.indexOf(status);
  const forward = deployment.endedAt === undefined && (rank < 0 || rank >= reached);
  if (forward) {
    changes.snapshot = snapshot;
    // Ours always has the bot's own tag: none at all means that the answer left them out.
    if (snapshot.tags.length > 0) changes.tags = snapshot.tags;
    changes.status = status;
  }
  if (ready && deployment.readyAt === undefined) {
    changes.readyAt = now;
    happened.push(over ? 'late-ready' : 'ready');
  }
  if (failed && deployment.errorAt === undefined) {
    changes.errorAt = now;
    changes.errorDetail = snapshot.error_detail ?? deployment.errorDetail;
    happened.push('error');
  }
  if (ended && deployment.endedAt === undefined) {
    changes.endedAt = now;
    changes.phase = 'ended';
    happened.push('terminated');
  }
  return merge(adopted, { changes, happened });
}

/** How far it has come for certain; an unknown status does not make it forget what it has been through. */
function rankOf({ status, readyAt, errorAt }: Facts): number {
  return Math.max(
    ORDER.indexOf(status ?? ''),
    readyAt === undefined ? -1 : ORDER.indexOf('READY'),
    errorAt === undefined ? -1 : ORDER.indexOf('ERROR'),
  );
}

function merge(a: Step, b: Step): Step {
  return { changes: { ...a.changes, ...b.changes }, happened: [...a.happened, ...b.happened] };
}
