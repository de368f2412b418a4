import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { InputError } from '../errors.ts';
import { enqueue } from '../notify/outbox.ts';
import type { Store } from '../store/schema.ts';
import { cancel, schedule } from '../work/task.ts';
import type { Deployment } from './deployment.ts';
import { type Lifetime, laterEnds } from './lifetime.ts';
import { questionCard } from './lifetime-cards.ts';
import type { PlannedStop } from './planned-stop.ts';
import { LIFETIME, locked, taskKey, underWay } from './planned-stops.ts';
import { type End, firstEnd } from './view.ts';

/** The type of the tasks that ask a person what to do with a deployment that ends soon. The key is from `taskKey`. */
export const END_WARNING = 'end-warning';

/**
 * The bot asks the person this long before the end. If less than twice this time remains, the bot asks after half of
 * the remaining time.
 */
const WARNING_MS = 10 * 60_000;
/**
 * Edgegap's answers about a server's start time may differ by seconds. Two ends count as the same end if they differ by
 * less than this.
 */
const SAME_END_MS = 60_000;

/**
 * Updates the timers of a deployment after a change, in the same transaction `tx`. One timer stops the deployment at
 * the end of its lifetime. The second timer asks the person before the earliest end.
 */
export async function setTimers(
  tx: Store,
  clock: Clock,
  before: Deployment,
  after: Deployment,
): Promise<void> {
  const { requestId, account } = after;
  if (requestId === undefined) return;
  const key = taskKey(account, requestId);
  const at = lifetimeEnd(after);
  if (at === undefined && lifetimeEnd(before) !== undefined) await cancel(tx, { kind: LIFETIME, key });
  if (at !== undefined && at !== lifetimeEnd(before))
    await schedule(tx, clock, { kind: LIFETIME, key, account, at, payload: stopOf(after, requestId, at) });
  const end = firstEnd(after);
  if (isSame(firstEnd(before), end)) return;
  const left = end ? end.at - clock.now() : 0;
  if (!end || left <= 0) return await cancel(tx, { kind: END_WARNING, key });
  const warnAt = Math.round(end.at - Math.min(WARNING_MS, left / 2));
  await schedule(tx, clock, { kind: END_WARNING, key, account, at: warnAt, payload: end });
}

/**
 * Writes the question about the end `due`. The transaction `tx` has locked the deployment. If the end has changed, no
 * question is written. The key of the message prevents a second question about the same end.
 */
export async function ask(
  tx: Store,
  clock: Clock,
  deployment: Deployment,
  { due, most }: { readonly due: End; readonly most: number | undefined },
): Promise<void> {
  const end = firstEnd(deployment);
  const now = clock.now();
  if (!end || !isSame(end, due) || end.at <= now) return;
  const { id, at: to, card: under, plan, acceptedAt } = deployment;
  const message = questionCard(deployment, end, laterEnds(plan.lifetime, acceptedAt, most));
  const key = `${id}w${due.at.toString(36)}`;
  await enqueue(tx, clock, { kind: 'post', orderKey: id, key, to, under, urgent: true, message });
}

/** A person's answer to the question before the end of a lifetime. */
export interface Answer {
  readonly how: 'extend' | 'keep';
  /** The end that the question mentioned. */
  readonly endsAt: number;
  /** See `LifetimeLimits.most`. */
  readonly most: number | undefined;
}

/**
 * Returns the lifetime after the answer. Undefined if the deployment no longer has an end. The caller has locked the
 * deployment in `tx`, and this function locks the timer. Throws InputError if the question can no longer be answered.
 */
export async function answered(
  tx: Store,
  deployment: Deployment,
  { how, endsAt, most }: Answer,
): Promise<Lifetime | undefined> {
  const { plan, requestId: request_id = '', stopAskedBy, acceptedAt } = deployment;
  const { lifetime } = plan;
  if (lifetimeEnd(deployment) !== endsAt || !lifetime || stopAskedBy !== undefined) throw closed();
  const stop = await locked(tx, deployment.account, { request_id, isLifetime: true });
  if (stop?.begunAt !== undefined) throw underWay();
  const { extended, kept } = laterEnds(lifetime, acceptedAt, most);
  if (how === 'keep' && kept === 'never') return undefined;
  const later = how === 'keep' && kept !== 'never' ? (kept ?? extended) : extended;
  if (!stop || later === undefined) throw closed();
  return { ...lifetime, endsAt: later };
}

function closed(): InputError {
  return new InputError('lifetime-answered', 'That question is no longer open.', {
    hint: 'Nothing was changed. The card of the server shows whether and when the server ends.',
  });
}

/** The time at which the lifetime of a running deployment ends. */
function lifetimeEnd({ phase, plan }: Deployment): number | undefined {
  return phase === 'live' ? plan.lifetime?.endsAt : undefined;
}

function isSame(a: End | undefined, b: End | undefined): boolean {
  const apart = Math.abs((a?.at ?? 0) - (b?.at ?? 0));
  return a?.by === b?.by && (a?.by === 'edgegap' ? apart < SAME_END_MS : apart === 0);
}

/** The stop at the end of a lifetime. The person who deployed counts as the person who stops. */
function stopOf(deployment: Deployment, request_id: string, at: number): PlannedStop {
  const { application, version, asker, at: place, card } = deployment;
  const id = randomBytes(6).toString('hex');
  return { id, request_id, name: `${application} ${version}`, at, asker, place, card, isLifetime: true };
}
