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

/** News about a deployment from any source. */
export type News =
  /**
   * A status. `snapshot`: the status in an answer that Edgegap gave just now. `called-back`: the status in a callback,
   * which may arrive long after the event. `events` lists the events of all callbacks that have arrived. The body of a
   * callback may report a status that differs from its event.
   */
  | {
      readonly kind: 'snapshot' | 'called-back';
      readonly status: DeploymentStatus;
      readonly events?: readonly CallbackEvent[];
      readonly since?: Since;
    }
  /** Edgegap accepted the request to deploy. */
  | { readonly kind: 'accepted'; readonly requestId: string }
  /** Edgegap had no capacity for the server. A deployment with the status ERROR remains. */
  | { readonly kind: 'unplaced'; readonly requestId: string; readonly detail: string }
  /** Edgegap says that the deployment has terminated. */
  | { readonly kind: 'terminated' }
  /**
   * Edgegap answers that the deployment does not exist. The first such answer may be a mistake. A second such answer
   * some time later means that the deployment has ended.
   */
  | { readonly kind: 'missing' }
  /** Edgegap accepted a stop. `atEnd` is true if the bot stopped the deployment because its lifetime was over. */
  | { readonly kind: 'stopping'; readonly by: string; readonly atEnd?: boolean | undefined }
  /** A person has changed or removed the end of the deployment. */
  | { readonly kind: 'lifetime'; readonly lifetime: Lifetime | undefined }
  /** A person has taken over the server of a person who left the chat. */
  | { readonly kind: 'taken-over'; readonly asker: Deployment['asker']; readonly lifetime: Lifetime }
  /** All tags that the deployment has now. */
  | { readonly kind: 'tags'; readonly tags: readonly string[] }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'unknown-outcome' }
  | { readonly kind: 'not-found' };

/** A change that the bot reports to people. */
export type Happening =
  | 'ready'
  | 'late-ready'
  | 'error'
  | 'terminated'
  /** The deployment is running, although the bot had reported its end. */
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
 * Returns the changes that news makes to a deployment. The function has no side effects, and repeated news changes
 * nothing. Events may arrive late, twice or out of order. The state only moves forward, and each happening is reported
 * once. The bot takes back only two inferences: the end of a deployment that Edgegap never reported, and a stop that
 * had no effect.
 */
export function advance(deployment: Facts, news: News, now: number): Step {
  switch (news.kind) {
    case 'accepted':
      return adopt(deployment, news.requestId, now);
    case 'unplaced': {
      const adopted = adopt(deployment, news.requestId, now);
      if (deployment.errorAt !== undefined || deployment.endedAt !== undefined) return adopted;
      // The status ERROR is not set if the deployment is already past ERROR, for example because it is terminating.
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
      // A stored time in the future is ignored, because the clock that wrote the time was hours ahead.
      if (deployment.missingAt === undefined || deployment.missingAt > farthest(now))
        return { changes: { missingAt: now }, happened: [] };
      if (now - deployment.missingAt < MISSING_MS) return nothing;
      return { changes: { phase: 'ended', endedAt: deployment.missingAt }, happened: ['terminated'] };
    case 'stopping': {
      // The callback about the end may arrive before the answer to the stop. The name of the person who stopped the
      // deployment is stored even if the message about the end has already been written.
      const hasEnded = hasSurelyEnded(deployment);
      // Edgegap accepted the stop. If the end was only inferred, the deployment is therefore still running.
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
      // The bot sends only one request to deploy. Edgegap's answer to this request always decides an unknown outcome,
      // even if the answer comes late.
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
 * If the end of the deployment was only inferred, removes the end. Also removes the stop that seemed to have ended the
 * deployment.
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
 * Applies an answer from Edgegap. An answer describes the present, so it can correct the bot's inferences. A callback
 * cannot.
 */
function answered(deployment: Facts, said: Said, now: number): Step {
  const { status: snapshot } = said;
  if (deployment.requestId !== undefined && deployment.requestId !== snapshot.request_id) return nothing;
  const ending = snapshot.current_status === 'TERMINATING' || snapshot.current_status === 'TERMINATED';
  const revived = ending ? nothing : revive(deployment);
  const known = { ...deployment, ...revived.changes };
  // Any status shows that the deployment exists.
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
 * Called if an accepted stop had no effect. If the reason for the stop was the end of the lifetime, the bot tries
 * again, because a running server costs money. The second stop follows immediately. The pause before each further stop
 * doubles, up to an hour.
 */
function endedAgain(plan: OrderDetails, now: number): Pick<Step['changes'], 'plan'> {
  const { isOver, unheeded = 0 } = plan.lifetime ?? {};
  if (!isOver) return {};
  const pause = unheeded === 0 ? 0 : Math.min(STOP_PATIENCE_MS * 2 ** unheeded, HOUR_MS);
  return withLifetime({ plan }, { isOver: undefined, endsAt: now + pause, unheeded: unheeded + 1 });
}

/**
 * Whether an accepted stop should already have taken effect. Edgegap carries out a stop when the deployment is ready or
 * has failed.
 */
function isUnheeded({ status, stopAskedAt, readyAt, errorAt, endedAt }: Facts, now: number): boolean {
  if (stopAskedAt === undefined || endedAt !== undefined) return false;
  if (status !== 'READY' && status !== 'ERROR') return false;
  return [stopAskedAt, readyAt, errorAt].every(
    (at) => at === undefined || ageOf(at, now) >= STOP_PATIENCE_MS,
  );
}

/** Whether the deployment's status is past the event. The status then no longer shows that the event happened. */
export function isBeyond({ current_status }: DeploymentStatus, event: 'ready' | 'error'): boolean {
  return ORDER.indexOf(current_status) > ORDER.indexOf(event === 'ready' ? 'READY' : 'ERROR');
}

function fromStatus(deployment: Facts, said: Said, now: number): Step {
  const { status: snapshot, events = [], since = {} } = said;
  // The status belongs to a different deployment.
  if (deployment.requestId !== undefined && deployment.requestId !== snapshot.request_id) return nothing;
  const adopted = adopt(deployment, snapshot.request_id, now);
  const status = snapshot.current_status;
  // A status after an event no longer shows the event. The name of a callback may then be the only evidence of the
  // event.
  const wasBefore = (event: 'ready' | 'error') => events.includes(event) && isBeyond(snapshot, event);
  const failed = status === 'ERROR' || snapshot.error || wasBefore('error');
  const ended = status === 'TERMINATED';
  const ready = status === 'READY' || wasBefore('ready');
  const reached = rankOf(deployment);
  const over = deployment.endedAt !== undefined || reached > ORDER.indexOf('READY');
  const changes: { -readonly [Key in keyof Facts]?: Facts[Key] } = {};
  const happened: Happening[] = [];
  // A status that this version of the bot does not know has no rank. Such a status replaces the stored status.
  const rank = ORDER.indexOf(status);
  const forward = deployment.endedAt === undefined && (rank < 0 || rank >= reached);
  if (forward && deployment.missingAt !== undefined) changes.missingAt = undefined;
  if (forward || (ended && endIsInferred(deployment))) {
    changes.snapshot = snapshot;
    // A deployment of the bot always has the bot's own tag. An empty list therefore means that Edgegap omitted the
    // tags.
    if (snapshot.tags.length > 0) changes.tags = snapshot.tags;
    changes.status = status;
  }
  const readyNow = ready && deployment.readyAt === undefined;
  const late = over || wasBefore('ready');
  // If the event happened before this status, the arrival of its callback counts as the time of the event. For the
  // status TERMINATED, the present time is used instead.
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
  // The line about a server that became ready earlier comes last, because it describes the past.
  if (readyNow && late) happened.push('late-ready');
  return merge(adopted, { changes, happened });
}

/**
 * The rank of the furthest status that the deployment has certainly reached. Earlier events count even if the bot does
 * not know the present status.
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
