import { ageOf, farthest } from '../clock.ts';
import { type DeploymentStatus, KNOWN_STATUSES } from '../edgegap/schema.ts';
import {
  type CallbackEvent,
  type Deployment,
  endIsInferred,
  hasSurelyEnded,
  type OrderDetails,
} from './deployment.ts';
import type { Lifetime } from './lifetime.ts';
import { MISSING_MS, STOP_PATIENCE_MS } from './timing.ts';

const HOUR_MS = 60 * 60_000;

/** The time at which the callback for each event arrived, in epoch milliseconds. */
export type Since = Readonly<Partial<Record<CallbackEvent, number>>>;

/** News about a deployment, no matter how the bot learned the news. */
export type News =
  /**
   * A status. `snapshot`: the status in an answer that Edgegap gave just now. `called-back`: the status in a callback,
   * which may arrive long after the event. The field `events` lists the events of all callbacks that have arrived, even
   * if the body of a callback reports a different status.
   */
  | {
      readonly kind: 'snapshot' | 'called-back';
      readonly status: DeploymentStatus;
      readonly events?: readonly CallbackEvent[];
      readonly since?: Since;
    }
  /** Edgegap accepted the request to deploy. */
  | { readonly kind: 'accepted'; readonly requestId: string }
  /** Edgegap found no room for the server, and left behind a deployment with the status ERROR. */
  | { readonly kind: 'unplaced'; readonly requestId: string; readonly detail: string }
  /** Edgegap says that the deployment has terminated. */
  | { readonly kind: 'terminated' }
  /**
   * Edgegap does not know the deployment. Edgegap's first answer of this sort may be a mistake. A second such answer,
   * some time later, means that the deployment has ended.
   */
  | { readonly kind: 'missing' }
  /** Edgegap accepted a stop. `atEnd` says that the stop is the end of the lifetime. */
  | { readonly kind: 'stopping'; readonly by: string; readonly atEnd?: boolean | undefined }
  /** A person has given the deployment another end, or no end at all. */
  | { readonly kind: 'lifetime'; readonly lifetime: Lifetime | undefined }
  /** A person has taken over the server of a person who left. */
  | { readonly kind: 'taken-over'; readonly asker: Deployment['asker']; readonly lifetime: Lifetime }
  /** All tags that the deployment has now. */
  | { readonly kind: 'tags'; readonly tags: readonly string[] }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'unknown-outcome' }
  | { readonly kind: 'not-found' };

/** A change about which people must be told. */
export type Happening =
  | 'ready'
  | 'late-ready'
  | 'error'
  | 'terminated'
  /** The deployment is running, although the bot had reported that it ended. */
  | 'still-running'
  | 'stop-asked'
  /** Edgegap accepted a stop, but the deployment did not stop. */
  | 'not-stopped'
  | 'lost'
  | 'adopted';

type Facts = Pick<
  Deployment,
  | 'phase'
  | 'asker'
  | 'plan'
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
  | 'stopPlan'
  | 'missingAt'
>;

export interface Step {
  /** Contains only the fields that changed. */
  readonly changes: Partial<Facts>;
  readonly happened: readonly Happening[];
}

const ORDER: readonly string[] = KNOWN_STATUSES;

/**
 * The changes that news makes to a deployment. The function has no side effects, and the same news changes nothing the
 * second time. Events may arrive late, twice or out of order. The state only moves forward, and each happening is
 * reported once. Only two conclusions of the bot can be taken back. The first is that a deployment ended, if Edgegap
 * never said so. The second is a stop that had no effect.
 */
export function advance(deployment: Facts, news: News, now: number): Step {
  switch (news.kind) {
    case 'accepted':
      return adopt(deployment, news.requestId, now);
    case 'unplaced': {
      const adopted = adopt(deployment, news.requestId, now);
      if (deployment.errorAt !== undefined || deployment.endedAt !== undefined) return adopted;
      // The status ERROR is not set if the deployment has already gone beyond ERROR, for example because it is
      // terminating.
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
      // A time in the future is ignored, because the clock that wrote the time was hours ahead.
      if (deployment.missingAt === undefined || deployment.missingAt > farthest(now))
        return { changes: { missingAt: now }, happened: [] };
      if (now - deployment.missingAt < MISSING_MS) return nothing;
      return { changes: { phase: 'ended', endedAt: deployment.missingAt }, happened: ['terminated'] };
    case 'stopping': {
      // The callback about the end can be faster than the answer to the stop. The name of the person who stopped the
      // deployment is kept nevertheless. The message about the end has already been written.
      const hasEnded = hasSurelyEnded(deployment);
      // Edgegap accepted the stop. If the end was only a conclusion of the bot, the deployment must still be running.
      const revived = revive(deployment);
      const { stopAskedBy, stopAskedAt } = { ...deployment, ...revived.changes };
      return merge(revived, {
        changes: {
          stopAskedBy: stopAskedBy ?? news.by,
          stopAskedAt: stopAskedAt ?? now,
          ...(stopAskedBy === undefined ? withLifetime(deployment, { isOver: news.atEnd }) : {}),
        },
        happened: stopAskedBy === undefined && !hasEnded ? ['stop-asked'] : [],
      });
    }
    case 'lifetime':
      return { changes: { plan: { ...deployment.plan, lifetime: news.lifetime } }, happened: [] };
    case 'taken-over': {
      const { asker, lifetime } = news;
      return { changes: { asker, plan: { ...deployment.plan, lifetime } }, happened: [] };
    }
    case 'tags':
      return { changes: { tags: news.tags }, happened: [] };
    case 'refused':
      // There is only one request to deploy. Edgegap's answer to this request settles the unknown outcome, no matter
      // how late the answer comes.
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

/** The types of news that contain a status. */
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
      ...withLifetime(deployment, { endsAt: now + (deployment.plan.lifetime?.ms ?? 0) }),
      ...(late ? { errorDetail: undefined } : {}),
    },
    happened: late ? ['adopted'] : [],
  };
}

/** Changes the lifetime of the deployment, if the deployment has a lifetime. */
function withLifetime(
  { plan }: Pick<Facts, 'plan'>,
  change: Partial<Lifetime>,
): Pick<Step['changes'], 'plan'> {
  return plan.lifetime ? { plan: { ...plan, lifetime: { ...plan.lifetime, ...change } } } : {};
}

/**
 * If the end of the deployment was only a conclusion of the bot, this function takes the conclusion back. It also takes
 * back the stop that seemed to have ended the deployment.
 */
function revive(deployment: Facts): Step {
  if (!endIsInferred(deployment)) return nothing;
  return {
    changes: {
      phase: 'live',
      endedAt: undefined,
      missingAt: undefined,
      stopAskedBy: undefined,
      stopAskedAt: undefined,
      stopPlan: undefined,
    },
    happened: ['still-running'],
  };
}

/**
 * Applies an answer of Edgegap. An answer describes this moment, so unlike a callback it can correct the conclusions of
 * the bot.
 */
function answered(deployment: Facts, said: Said, now: number): Step {
  const { status: snapshot } = said;
  if (deployment.requestId !== undefined && deployment.requestId !== snapshot.request_id) return nothing;
  const ending = snapshot.current_status === 'TERMINATING' || snapshot.current_status === 'TERMINATED';
  const revived = ending ? nothing : revive(deployment);
  const known = { ...deployment, ...revived.changes };
  // Any status shows that Edgegap knows the deployment.
  const found: Step =
    known.missingAt !== undefined && known.endedAt === undefined
      ? { changes: { missingAt: undefined }, happened: [] }
      : nothing;
  const told = merge(merge(revived, found), fromStatus(known, said, now));
  const after = { ...deployment, ...told.changes };
  return isUnheeded(after, now)
    ? merge(told, {
        changes: {
          stopAskedBy: undefined,
          stopAskedAt: undefined,
          stopPlan: undefined,
          ...endedAgain(after.plan, now),
        },
        happened: ['not-stopped'],
      })
    : told;
}

/**
 * If the stop was the end of a lifetime, the lifetime ends again, because a server that runs on is billed. After the
 * first such stop, the lifetime ends at once. After each further stop, the pause is twice as long, up to an hour.
 */
function endedAgain(plan: OrderDetails, now: number): Pick<Step['changes'], 'plan'> {
  const { isOver, unheeded = 0 } = plan.lifetime ?? {};
  if (!isOver) return {};
  const pause = unheeded === 0 ? 0 : Math.min(STOP_PATIENCE_MS * 2 ** unheeded, HOUR_MS);
  return withLifetime({ plan }, { isOver: undefined, endsAt: now + pause, unheeded: unheeded + 1 });
}

/**
 * Whether an accepted stop should have taken effect by now. Edgegap carries out a stop when the deployment is ready or
 * has failed.
 */
function isUnheeded({ status, stopAskedAt, readyAt, errorAt, endedAt }: Facts, now: number): boolean {
  if (stopAskedAt === undefined || endedAt !== undefined) return false;
  if (status !== 'READY' && status !== 'ERROR') return false;
  return [stopAskedAt, readyAt, errorAt].every(
    (at) => at === undefined || ageOf(at, now) >= STOP_PATIENCE_MS,
  );
}

/**
 * Whether the deployment has already gone beyond the event, so that its status no longer shows that the event happened.
 */
export function isBeyond({ current_status }: DeploymentStatus, event: 'ready' | 'error'): boolean {
  return ORDER.indexOf(current_status) > ORDER.indexOf(event === 'ready' ? 'READY' : 'ERROR');
}

function fromStatus(deployment: Facts, said: Said, now: number): Step {
  const { status: snapshot, events = [], since = {} } = said;
  // The status belongs to another deployment, so it is no news about this deployment.
  if (deployment.requestId !== undefined && deployment.requestId !== snapshot.request_id) return nothing;
  const adopted = adopt(deployment, snapshot.request_id, now);
  const status = snapshot.current_status;
  // If an event happened before this status, the status no longer shows the event. The name of a callback may then be
  // the only sign that the event happened.
  const wasBefore = (event: 'ready' | 'error') => events.includes(event) && isBeyond(snapshot, event);
  const failed = status === 'ERROR' || snapshot.error || wasBefore('error');
  const ended = status === 'TERMINATED';
  const ready = status === 'READY' || wasBefore('ready');
  const reached = rankOf(deployment);
  const over = deployment.endedAt !== undefined || reached > ORDER.indexOf('READY');
  const changes: { -readonly [Key in keyof Facts]?: Facts[Key] } = {};
  const happened: Happening[] = [];
  // A status that this version does not know has no rank. Such a status replaces the present status.
  const rank = ORDER.indexOf(status);
  const forward = deployment.endedAt === undefined && (rank < 0 || rank >= reached);
  if (forward && deployment.missingAt !== undefined) changes.missingAt = undefined;
  if (forward || (ended && endIsInferred(deployment))) {
    changes.snapshot = snapshot;
    // A deployment of the bot always has the bot's own tag. So an empty list means that Edgegap left the tags out of
    // the answer.
    if (snapshot.tags.length > 0) changes.tags = snapshot.tags;
    changes.status = status;
  }
  const readyNow = ready && deployment.readyAt === undefined;
  const late = over || wasBefore('ready');
  // If the event happened before this status, the arrival of its callback counts as the time of the event. If the
  // status is TERMINATED, the present time is used instead.
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
  // The line about a server that became ready earlier comes last, because it speaks of the past.
  if (readyNow && late) happened.push('late-ready');
  return merge(adopted, { changes, happened });
}

/**
 * The rank of the furthest status that the deployment has certainly reached. Earlier events still count if the present
 * status is unknown to the bot.
 */
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
