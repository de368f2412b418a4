import { ageOf, farthest } from '../clock.ts';
import { type DeploymentStatus, KNOWN_STATUSES } from '../edgegap/schema.ts';
import { type CallbackEvent, type Deployment, endIsInferred } from './deployment.ts';
import { MISSING_MS, STOP_PATIENCE_MS } from './timing.ts';

/** When Edgegap called back with an event, in epoch milliseconds. */
export type Since = Readonly<Partial<Record<CallbackEvent, number>>>;

/** Something learned about a deployment, by whichever way it came. */
export type News =
  /** Its status, as Edgegap answered just now. `events` are what it has called back with, whatever the bodies said. */
  | {
      readonly kind: 'snapshot';
      readonly status: DeploymentStatus;
      readonly events?: readonly CallbackEvent[];
      readonly since?: Since;
    }
  /** Its status, as a callback brought it: it may have been under way for long. */
  | {
      readonly kind: 'called-back';
      readonly status: DeploymentStatus;
      readonly events?: readonly CallbackEvent[];
      readonly since?: Since;
    }
  /** Edgegap took the request. */
  | { readonly kind: 'accepted'; readonly requestId: string }
  /** Edgegap could not place it, and left a deployment in error behind. */
  | { readonly kind: 'unplaced'; readonly requestId: string; readonly detail: string }
  /** Edgegap says that it has terminated. */
  | { readonly kind: 'terminated' }
  /** Edgegap says that it knows no such deployment. Said once, that may be a slip; said again later, it has ended. */
  | { readonly kind: 'missing' }
  /** Edgegap took a stop. */
  | { readonly kind: 'stopping'; readonly by: string }
  /** All its tags, as they now are. */
  | { readonly kind: 'tags'; readonly tags: readonly string[] }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'unknown-outcome' }
  | { readonly kind: 'not-found' };

/** What a person must notice. */
export type Happening =
  | 'ready'
  | 'late-ready'
  | 'error'
  | 'terminated'
  /** It was told to have terminated, and runs. */
  | 'still-running'
  | 'stop-asked'
  /** Edgegap took a stop, and did not carry it out. */
  | 'not-stopped'
  | 'lost'
  | 'adopted';

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
  | 'stopAskedAt'
  | 'missingAt'
>;

export interface Step {
  /** Only what changed. */
  readonly changes: Partial<Facts>;
  readonly happened: readonly Happening[];
}

const ORDER: readonly string[] = KNOWN_STATUSES;

/**
 * What some news changes. Pure, and idempotent: the same news a second time changes nothing. Events may come late,
 * twice or out of order; the state only moves forward, and each happening is told once. Only what we concluded
 * ourselves can be taken back: an end that Edgegap never told of, and a stop that came to nothing.
 */
export function advance(deployment: Facts, news: News, now: number): Step {
  switch (news.kind) {
    case 'accepted':
      return adopt(deployment, news.requestId, now);
    case 'unplaced': {
      const adopted = adopt(deployment, news.requestId, now);
      if (deployment.errorAt !== undefined || deployment.endedAt !== undefined) return adopted;
      // It may be on its way down already.
      const forward = rankOf(deployment) < ORDER.indexOf('ERROR');
      return merge(adopted, {
        changes: { ...(forward ? { status: 'ERROR' } : {}), errorAt: now, errorDetail: news.detail },
        happened: ['error'],
      });
    }
    case 'snapshot':
      return answered(deployment, news, now);
    case 'called-back':
      return fromStatus(deployment, news, now);
    case 'terminated':
      return {
        changes: { phase: 'ended', status: 'TERMINATED', endedAt: deployment.endedAt ?? now },
        happened: deployment.endedAt === undefined ? ['terminated'] : [],
      };
    case 'missing':
      if (deployment.phase !== 'live') return nothing;
      // One of a clock that was ahead is none.
      if (deployment.missingAt === undefined || deployment.missingAt > farthest(now))
        return { changes: { missingAt: now }, happened: [] };
      if (now - deployment.missingAt < MISSING_MS) return nothing;
      return { changes: { phase: 'ended', endedAt: deployment.missingAt }, happened: ['terminated'] };
    case 'stopping': {
      if (deployment.endedAt !== undefined && !endIsInferred(deployment)) return nothing;
      // What can be stopped runs.
      const revived = revive(deployment);
      const { stopAskedBy, stopAskedAt } = { ...deployment, ...revived.changes };
      return merge(revived, {
        changes: { stopAskedBy: stopAskedBy ?? news.by, stopAskedAt: stopAskedAt ?? now },
        happened: stopAskedBy === undefined ? ['stop-asked'] : [],
      });
    }
    case 'tags':
      return { changes: { tags: news.tags }, happened: [] };
    case 'refused':
      // It is the answer to its one request, however late: what was not known of it until then is known now.
      if (deployment.requestId !== undefined || deployment.endedAt !== undefined) return nothing;
      return { changes: { phase: 'refused', errorDetail: news.detail }, happened: [] };
    case 'unknown-outcome':
      if (deployment.phase !== 'requesting') return nothing;
      return { changes: { phase: 'unknown' }, happened: [] };
    case 'not-found':
      if (deployment.phase !== 'unknown') return nothing;
      return { changes: { phase: 'lost' }, happened: ['lost'] };
  }
}

/** A status, with the events that Edgegap has called back with. */
type Said = Extract<News, { readonly status: DeploymentStatus }>;

export function hasStatus(news: News): news is Said {
  return news.kind === 'snapshot' || news.kind === 'called-back';
}

const nothing: Step = { changes: {}, happened: [] };

function adopt(deployment: Facts, requestId: string, now: number): Step {
  if (deployment.requestId !== undefined) return nothing;
  const late =
    deployment.phase === 'unknown' || deployment.phase === 'lost' || deployment.phase === 'refused';
  return {
    changes: {
      phase: deployment.endedAt === undefined ? 'live' : 'ended',
      requestId,
      acceptedAt: now,
      ...(late ? { errorDetail: undefined } : {}),
    },
    happened: late ? ['adopted'] : [],
  };
}

/** Takes back an end that was concluded, and the stop that it seemed to come from. */
function revive(deployment: Facts): Step {
  if (!endIsInferred(deployment)) return nothing;
  return {
    changes: {
      phase: 'live',
      endedAt: undefined,
      missingAt: undefined,
      stopAskedBy: undefined,
      stopAskedAt: undefined,
    },
    happened: ['still-running'],
  };
}

/** An answer describes this moment: beside what any status tells, it can correct what was concluded. */
function answered(deployment: Facts, said: Said, now: number): Step {
  const { status: snapshot } = said;
  if (deployment.requestId !== undefined && deployment.requestId !== snapshot.request_id) return nothing;
  const ending = snapshot.current_status === 'TERMINATING' || snapshot.current_status === 'TERMINATED';
  const revived = ending ? nothing : revive(deployment);
  const known = { ...deployment, ...revived.changes };
  // Whatever it says, it is known.
  const found: Step =
    known.missingAt !== undefined && known.endedAt === undefined
      ? { changes: { missingAt: undefined }, happened: [] }
      : nothing;
  const told = merge(merge(revived, found), fromStatus(known, said, now));
  const after = { ...deployment, ...told.changes };
  return isUnheeded(after, now)
    ? merge(told, { changes: { stopAskedBy: undefined, stopAskedAt: undefined }, happened: ['not-stopped'] })
    : told;
}

/** Whether a stop should have shown by now: Edgegap carries it out once a deployment is ready or has failed. */
function isUnheeded({ status, stopAskedAt, readyAt, errorAt, endedAt }: Facts, now: number): boolean {
  if (stopAskedAt === undefined || endedAt !== undefined) return false;
  if (status !== 'READY' && status !== 'ERROR') return false;
  return [stopAskedAt, readyAt, errorAt].every(
    (at) => at === undefined || ageOf(at, now) >= STOP_PATIENCE_MS,
  );
}

/** Whether a status tells nothing of this event any more, as the deployment has gone on since. */
export function isBeyond({ current_status }: DeploymentStatus, event: 'ready' | 'error'): boolean {
  return ORDER.indexOf(current_status) > ORDER.indexOf(event === 'ready' ? 'READY' : 'ERROR');
}

function fromStatus(deployment: Facts, said: Said, now: number): Step {
  const { status: snapshot, events = [], since = {} } = said;
  // Of another deployment: whoever sent it, it is no news of this one.
  if (deployment.requestId !== undefined && deployment.requestId !== snapshot.request_id) return nothing;
  const adopted = adopt(deployment, snapshot.request_id, now);
  const status = snapshot.current_status;
  // What it was before this status, an event's name may be all that tells.
  const wasBefore = (event: 'ready' | 'error') => events.includes(event) && isBeyond(snapshot, event);
  const failed = status === 'ERROR' || snapshot.error || wasBefore('error');
  const ended = status === 'TERMINATED';
  const ready = status === 'READY' || wasBefore('ready');
  const reached = rankOf(deployment);
  const over = deployment.endedAt !== undefined || reached > ORDER.indexOf('READY');
  const changes: { -readonly [Key in keyof Facts]?: Facts[Key] } = {};
  const happened: Happening[] = [];
  // A status that is newer than this code stands beside the present one.
  const rank = ORDER.indexOf(status);
  const forward = deployment.endedAt === undefined && (rank < 0 || rank >= reached);
  if (forward && deployment.missingAt !== undefined) changes.missingAt = undefined;
  if (forward || (ended && endIsInferred(deployment))) {
    changes.snapshot = snapshot;
    // Ours always has the bot's own tag: none at all means that the answer left them out.
    if (snapshot.tags.length > 0) changes.tags = snapshot.tags;
    changes.status = status;
  }
  const readyNow = ready && deployment.readyAt === undefined;
  const late = over || wasBefore('ready');
  // It runs on, perhaps: then it has been ready for as long as that is known.
  const at = (event: 'ready' | 'error') =>
    wasBefore(event) && !ended ? Math.min(since[event] ?? now, now) : now;
  if (readyNow) changes.readyAt = at('ready');
  if (readyNow && !late) happened.push('ready');
  if (failed && deployment.errorAt === undefined) {
    changes.errorAt = at('error');
    changes.errorDetail = snapshot.error_detail ?? deployment.errorDetail;
    happened.push('error');
  }
  if (ended && deployment.endedAt === undefined) {
    changes.endedAt = now;
    changes.phase = 'ended';
    happened.push('terminated');
  }
  // It says that this came before.
  if (readyNow && late) happened.push('late-ready');
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
