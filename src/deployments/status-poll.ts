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

/** A callback that is only just on its way is not a lost one. */
const CALLBACK_GRACE_MS = 10_000;
const WARN_EVERY_MS = 24 * 60 * 60_000;

/** What asking finds. */
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

/** Asks Edgegap about one deployment that is due, and passes on what it says. */
export class StatusPoll {
  readonly #parts: StatusPollParts;
  readonly #call: { readonly lane: 'background'; readonly signal: AbortSignal };
  #ranForMs = (): number => 0;

  constructor(parts: StatusPollParts) {
    this.#parts = parts;
    this.#call = { lane: 'background', signal: parts.signal };
  }

  /** From now on somebody is there to be called back. */
  begin(): void {
    this.#ranForMs = stopwatch(this.#parts.clock);
  }

  /** Rejects where Edgegap could not be asked. */
  async ask(deployment: Deployment): Promise<void> {
    const { id, phase, requestId } = deployment;
    if (requestId !== undefined && (phase === 'live' || endIsInferred(deployment)))
      await this.#status(deployment, requestId);
    // Written down while its end was learned.
    else if (phase === 'ended' && deployment.doubted) await this.#pass(deployment, seen(deployment.doubted));
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
    // It has gone on since, so that nobody else tells of what was seen.
    if (doubted && !again) await this.#pass(deployment, seen(doubted));
    // What was missing has been waited for already.
    if (status && !again && (await this.#untold(deployment, news))) {
      // It may have happened this moment, with the callback on its way.
      const silentAt = Math.max(now, deployment.createdAt + SILENCE_MS);
      await this.#parts.repository.schedule.set(id, silentAt + CALLBACK_GRACE_MS, { doubted: status });
      return;
    }
    await this.#pass(deployment, news);
  }

  async #pass(deployment: Deployment, news: Seen): Promise<void> {
    const event = await this.#untold(deployment, news);
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

  /** The event in this news that a callback should have brought and did not. */
  async #untold(
    { id, createdAt, missingAt, ...known }: Deployment,
    news: Seen,
    tx?: Store,
  ): Promise<CallbackEvent | undefined> {
    const now = this.#parts.clock.now();
    // One from before this process: its callback may have come while nobody was there to be called.
    if (!this.#parts.deployments.callbacksExpected || ageOf(createdAt, now) > this.#ranForMs())
      return undefined;
    const ends = missingAt !== undefined && now - missingAt >= MISSING_MS;
    const status = news.kind !== 'missing' ? news.status.current_status : ends ? 'TERMINATED' : undefined;
    const event =
      (status === 'READY' && known.readyAt === undefined && 'ready') ||
      (status === 'ERROR' && known.errorAt === undefined && 'error') ||
      (status === 'TERMINATED' && known.endedAt === undefined && 'terminated') ||
      undefined;
    return event && !(await this.#parts.repository.wasCalledBack(id, event, tx)) ? event : undefined;
  }

  /**
   * The first rescue says so, in the log and in chat; no other one, by whichever process, for a day. Whose news is not
   * written down has not said it.
   */
  async #rescue({ id, requestId }: Deployment, news: Seen, event: CallbackEvent): Promise<void> {
    const first = await this.#parts.repository.change([id], async (tx, [before]) => {
      if (!before) return false;
      // It may have come while this waited for the row: then nothing is amiss.
      const amiss = (await this.#untold(before, news, tx)) !== undefined;
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

  /** Looks for one whose request may or may not have arrived, by its tag. */
  async #lookUp({ id, checks }: Deployment): Promise<void> {
    const tag = ownTag(id);
    const filters = [{ field: 'tags', operator: 'in', value: [tag] }] as const;
    const { rows } = await this.#parts.edgegap.deployments({ filters }, this.#call);
    // Whatever else is in the answer is somebody else's.
    const found = rows.find((row) => row.tags.includes(tag));
    const adopted =
      found &&
      (await this.#parts.deployments.learn(id, { kind: 'accepted', requestId: found.request_id }, 'asked'));
    if (adopted?.requestId !== undefined)
      return this.#parts.repository.schedule.set(id, this.#parts.clock.now());
    const tried = checks + 1;
    const pause = LOOK_UPS_MS[tried];
    await this.#parts.repository.change([id], async (tx, [before]) => {
      // Something called back meanwhile: it is looked for anew.
      if (!before || before.checks !== checks) return;
      if (pause === undefined)
        await this.#parts.deployments.learnIn(tx, before, { kind: 'not-found' }, 'asked');
      else
        await this.#parts.repository.schedule.set(id, this.#parts.clock.now() + pause, { checks: tried }, tx);
    });
  }
}

/** It no longer describes this moment. */
function seen(status: DeploymentStatus): Seen {
  return { kind: 'called-back', status };
}
