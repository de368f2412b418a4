import { ageOf, type Clock, stopwatch } from '../clock.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { isNoSuchDeployment } from '../edgegap/errors.ts';
import { ownTag } from '../edgegap/outside.ts';
import type { DeploymentStatus } from '../edgegap/schema.ts';
import type { Logger } from '../log.ts';
import type { Leases } from '../replicas/leases.ts';
import type { Store } from '../store/schema.ts';
import { type CallbackEvent, type Deployment, endIsInferred } from './deployment.ts';
import type { Deployments } from './deployments.ts';
import type { DeploymentRepository } from './repository.ts';
import type { News } from './state.ts';
import { isSettling, LOOK_UPS_MS, MISSING_MS, SILENCE_MS } from './timing.ts';

/** How long the bot waits for a callback before the callback counts as lost. */
const CALLBACK_GRACE_MS = 10_000;
const WARN_EVERY_MS = 24 * 60 * 60_000;

/** The types of news that an answer from Edgegap can contain. */
type Seen = Extract<News, { kind: 'snapshot' | 'called-back' | 'missing' }>;

export interface StatusPollParts {
  readonly repository: DeploymentRepository;
  readonly deployments: Deployments;
  readonly edgegap: EdgegapApi;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Asks Edgegap about a deployment whose check is due, and applies the answer. */
export class StatusPoll {
  readonly #parts: StatusPollParts;
  readonly #call: { readonly lane: 'background'; readonly signal: AbortSignal };
  #ranForMs = (): number => 0;

  constructor(parts: StatusPollParts) {
    this.#parts = parts;
    this.#call = { lane: 'background', signal: parts.signal };
  }

  /** Called when callbacks can reach this process. */
  begin(): void {
    this.#ranForMs = stopwatch(this.#parts.clock);
  }

  /** Asks Edgegap about the deployment. Rejects if the request fails. */
  async ask(deployment: Deployment): Promise<void> {
    const { id, phase, requestId } = deployment;
    if (requestId !== undefined && (phase === 'live' || endIsInferred(deployment)))
      await this.#status(deployment, requestId);
    // The news of the end arrived while the doubted status was being stored, so the doubted status was not applied yet.
    else if (phase === 'ended' && deployment.doubted) await this.#apply(deployment, seen(deployment.doubted));
    else if (phase === 'ended' || phase === 'refused')
      await this.#parts.repository.schedule.set(id, undefined);
    else await this.#lookUp(deployment);
  }

  async #status(deployment: Deployment, requestId: string): Promise<void> {
    const { id } = deployment;
    const now = this.#parts.clock.now();
    const news = await this.#statusNews(requestId);
    if (news.kind === 'missing' && isSettling(deployment, now)) {
      await this.#parts.repository.schedule.set(
        id,
        this.#parts.deployments.checkAt(deployment) ?? now + SILENCE_MS,
      );
      return;
    }
    const status = news.kind === 'snapshot' ? news.status : undefined;
    const { doubted } = deployment;
    const again = doubted !== undefined && doubted.current_status === status?.current_status;
    // The deployment is past the doubted status, so no other news will report the event.
    if (doubted && !again) await this.#apply(deployment, seen(doubted));
    // If a status shows an event without its callback, the status is not applied yet, because the callback may still
    // arrive. For a missing deployment, this wait is not needed, because the bot has already waited.
    if (status && !again && (await this.#missedEvent(deployment, news))) {
      // The event may have happened only a moment ago, so the bot waits for the callback.
      const silentAt = Math.max(now, deployment.createdAt + SILENCE_MS);
      await this.#parts.repository.schedule.set(id, silentAt + CALLBACK_GRACE_MS, { doubted: status });
      return;
    }
    await this.#apply(deployment, news);
  }

  async #apply(deployment: Deployment, news: Seen): Promise<void> {
    const event = await this.#missedEvent(deployment, news);
    if (event) await this.#rescue(deployment, news, event);
    else await this.#parts.deployments.learn(deployment.id, news, 'asked');
  }

  async #statusNews(requestId: string): Promise<Seen> {
    try {
      return { kind: 'snapshot', status: await this.#parts.edgegap.status(requestId, this.#call) };
    } catch (error) {
      if (!isNoSuchDeployment(error)) throw error;
      return { kind: 'missing' };
    }
  }

  /** Returns the event in this news whose callback should have arrived but did not. */
  async #missedEvent(
    { id, createdAt, missingAt, ...known }: Deployment,
    news: Seen,
    tx?: Store,
  ): Promise<CallbackEvent | undefined> {
    const now = this.#parts.clock.now();
    // If the deployment is older than this process, its callback may have been sent while no process was running.
    if (!this.#parts.deployments.callbacksExpected || ageOf(createdAt, now) > this.#ranForMs())
      return undefined;
    const ends = missingAt !== undefined && now - missingAt >= MISSING_MS;
    const status = news.kind !== 'missing' ? news.status.current_status : ends ? 'TERMINATED' : undefined;
    const event =
      (status === 'READY' && known.readyAt === undefined && 'ready') ||
      (status === 'ERROR' && known.errorAt === undefined && 'error') ||
      (status === 'TERMINATED' && known.endedAt === undefined && 'terminated') ||
      undefined;
    const { legacy, adopted } = known.plan;
    if (event === undefined || adopted || (legacy && event !== 'ready')) return undefined;
    return (await this.#parts.repository.wasCalledBack(id, event, tx)) ? undefined : event;
  }

  /**
   * Applies news that no callback reported. At most once a day, one of the processes warns about this in the log and in
   * the chat. The right to warn is taken in the same transaction as the news. If the transaction fails, the warning can
   * be given later.
   */
  async #rescue({ id, requestId }: Deployment, news: Seen, event: CallbackEvent): Promise<void> {
    const first = await this.#parts.repository.change([id], async (tx, [before]) => {
      if (!before) return false;
      // The callback may have arrived while this transaction waited for the row. In this case, no warning is needed.
      const amiss = (await this.#missedEvent(before, news, tx)) !== undefined;
      const first = amiss && (await this.#parts.leases.takeTurn('warn-of-callbacks', WARN_EVERY_MS, tx));
      await this.#parts.deployments.learnIn(tx, before, news, first ? 'rescued' : 'asked');
      return first;
    });
    if (!first) return;
    this.#parts.log.warn(
      { request_id: requestId, event },
      'callbacks do not arrive: PUBLIC_URL must reach this process from the internet; asking instead',
    );
  }

  /** Searches Edgegap's list for a deployment with an unknown outcome. The bot recognises the deployment by its tag. */
  async #lookUp({ id, checks }: Deployment): Promise<void> {
    const tag = ownTag(id);
    const filters = [{ field: 'tags', operator: 'in', value: [tag] }] as const;
    const { rows } = await this.#parts.edgegap.deployments({ filters }, this.#call);
    // Rows without the tag belong to other deployments.
    const found = rows.find((row) => row.tags.includes(tag));
    const adopted =
      found &&
      (await this.#parts.deployments.learn(id, { kind: 'accepted', requestId: found.request_id }, 'asked'));
    if (adopted?.requestId !== undefined)
      return this.#parts.repository.schedule.set(id, this.#parts.clock.now());
    const tried = checks + 1;
    const pause = LOOK_UPS_MS[tried];
    await this.#parts.repository.change([id], async (tx, [before]) => {
      // A callback has restarted the search, so this result is outdated.
      if (!before || before.checks !== checks) return;
      if (pause === undefined)
        await this.#parts.deployments.learnIn(tx, before, { kind: 'not-found' }, 'asked');
      else
        await this.#parts.repository.schedule.set(id, this.#parts.clock.now() + pause, { checks: tried }, tx);
    });
  }
}

/**
 * Turns a doubted status into news. The news has the type `called-back`, because the status no longer describes this
 * moment.
 */
function seen(status: DeploymentStatus): Seen {
  return { kind: 'called-back', status };
}
