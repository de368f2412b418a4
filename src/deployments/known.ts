import { LRUCache } from 'lru-cache';
import type { Address, MessageRef } from '../chat/port.ts';
import { type Clock, sleep, stopwatch } from '../clock.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import type { DeploymentRow, DeploymentStatus } from '../edgegap/schema.ts';
import type { CallOptions } from '../edgegap/transport.ts';
import type { Vault } from '../edgegap/vault.ts';
import type { Logger } from '../log.ts';
import { enqueue } from '../notify/outbox.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Store } from '../store/schema.ts';
import type { NewsSource } from './announce.ts';
import { type Deployment, isKnown } from './deployment.ts';
import { answeredCard } from './lifetime-cards.ts';
import { type Answer, answered, ask } from './lifetimes.ts';
import type { DeploymentRepository } from './repository.ts';
import type { Search } from './search.ts';
import type { News } from './state.ts';
import { isOnItsWay, nextCheck, POLLS_APART_MS } from './timing.ts';
import type { End } from './view.ts';

/** The objects that the deployments of an account use. */
export interface DeploymentsParts {
  readonly repository: DeploymentRepository;
  readonly edgegap: EdgegapApi;
  /** Decrypts the hidden values of an order. */
  readonly vault: Vault;
  readonly membership: Pick<Membership, 'id' | 'sinceNow'>;
  /**
   * Ensures that this process holds the claim on the invocation until the transaction ends. Throws if the process has
   * lost the claim.
   */
  readonly confirm?: (tx: Store, invocationId: string) => Promise<void>;
  /** Throws if the intent exceeds a limit. `tx` has already inserted the intent. */
  readonly admit?: (tx: Store, intent: Deployment) => Promise<void>;
  /** Called before a deployment is stopped. Must not reject. */
  readonly beforeStop?: (request_ids: readonly string[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly account: string;
  /**
   * The public URL. Undefined if Edgegap cannot send callbacks. Called at each deploy, when the HTTP server is already
   * listening.
   */
  readonly publicUrl: () => string | undefined;
}

/** The first pause, in milliseconds, before the bot retries a failed write of an answer from Edgegap. */
const REWRITE_MS = 250;
const REWRITE_MAX_MS = 15_000;

/**
 * The maximum number of cached statuses of deployments that were not deployed from chat. A status is cached for
 * SETTLED_MS if the server is ready or has failed, and for MOVING_MS in all other cases.
 */
const REMEMBERED = 5_000;
const SETTLED_MS = 10 * 60_000;
const MOVING_MS = 10_000;

const DAY_MS = 24 * 60 * 60_000;

/** The stored deployments of an account. Finds deployments and applies news to them. */
export class KnownDeployments {
  protected readonly parts: DeploymentsParts;
  readonly #statuses = new LRUCache<string, { readonly is: DeploymentStatus; readonly ageMs: () => number }>({
    max: REMEMBERED,
  });
  readonly #over = new AbortController();
  /** The time of the last planned status poll of a deployment in progress, in epoch milliseconds. */
  #pollAt = 0;

  constructor(parts: DeploymentsParts) {
    this.parts = parts;
  }

  get callbacksExpected(): boolean {
    return this.parts.publicUrl() !== undefined;
  }

  /**
   * Ends the retries of failed writes. The next process marks the affected requests as unknown, and asks Edgegap about
   * them.
   */
  close(): void {
    this.#over.abort();
  }

  /**
   * Stores an answer from Edgegap. Edgegap does not repeat the answer, so a failed write is retried until the store
   * works again.
   */
  protected async surely<Result>(write: () => Promise<Result>): Promise<Result> {
    for (let pause = REWRITE_MS; ; pause = Math.min(pause * 2, REWRITE_MAX_MS)) {
      try {
        return await write();
      } catch (error) {
        if (this.#over.signal.aborted) throw error;
        this.parts.log.error({ err: error }, 'deployments: an answer cannot be written down yet');
        await sleep(this.parts.clock, pause, this.#over.signal).catch(() => {
          // The store's error is thrown here, not the reason for the abort. That reason says that the bot is shutting
          // down, and would suggest that nothing was done although Edgegap has already answered.
          throw error;
        });
      }
    }
  }

  /** Applies news to a deployment, and writes the messages about the change. */
  learn(id: string, news: News, source: NewsSource): Promise<Deployment | undefined> {
    return this.parts.repository.change(
      [id],
      async (tx, [before]) => before && this.learnIn(tx, before, news, source),
    );
  }

  /** Works like `learn`, in a transaction that has already locked the deployment. */
  learnIn(tx: Store, before: Deployment, news: News, source: NewsSource): Promise<Deployment> {
    const checkAt = (after: Deployment) => this.checkAt(after);
    return this.parts.repository.write(tx, before, news, { source, checkAt });
  }

  /**
   * The next time to ask Edgegap about a deployment, in epoch milliseconds. Undefined if the bot has no reason to ask.
   */
  checkAt(deployment: Deployment): number | undefined {
    const now = this.parts.clock.now();
    const at = nextCheck(deployment, now, this.callbacksExpected);
    const soon = isOnItsWay(deployment) ? nextCheck(deployment, now, false) : undefined;
    if (!this.callbacksExpected || at === undefined || soon === undefined) return at;
    this.#pollAt = Math.min(at, Math.max(soon, this.#pollAt + POLLS_APART_MS));
    return this.#pollAt;
  }

  /**
   * Applies a status that the bot read to answer a person. Ignores the status if it is not new or if the store does not
   * contain the deployment.
   */
  async observe(status: DeploymentStatus): Promise<Deployment | undefined> {
    const known = await this.byRequestId(status.request_id);
    if (!known) this.#statuses.set(status.request_id, { is: status, ageMs: stopwatch(this.parts.clock) });
    if (!known || isKnown(known, status, this.parts.clock.now())) return known;
    return await this.learn(known.id, { kind: 'snapshot', status }, 'asked');
  }

  /**
   * Returns the status of a deployment that is in Edgegap's list but was not deployed from chat. A cached status is
   * used for SETTLED_MS if the list's row confirms the status, and otherwise for MOVING_MS. After this time, the bot
   * asks Edgegap. Returns undefined if Edgegap does not answer.
   */
  async statusInList(
    { request_id, ready }: DeploymentRow,
    call?: CallOptions,
  ): Promise<DeploymentStatus | undefined> {
    const { is, ageMs } = this.#statuses.get(request_id) ?? {};
    const settled = is?.current_status === (ready ? 'READY' : 'ERROR');
    if (is && ageMs && ageMs() < (settled ? SETTLED_MS : MOVING_MS)) return is;
    const status = await this.parts.edgegap.status(request_id, call).catch(() => undefined);
    if (status) await this.observe(status);
    return status;
  }

  /** The request_ids of at most `limit` running deployments that this person ordered, newest first. */
  askedBy(
    { id, at }: { readonly id: string; readonly at: Address },
    limit: number,
    applications?: readonly string[],
  ): Promise<string[]> {
    const person = { id, platform: at.platform };
    return this.parts.repository.search.askedBy(this.parts.account, person, limit, applications);
  }

  /** Records that Edgegap accepted the stop of a deployment, if the deployment was deployed by the bot. */
  async stopping(request_id: string, by: string): Promise<void> {
    await this.learnOf(request_id, { kind: 'stopping', by });
  }

  /** See `DeploymentRepository.stopsByPlan`. */
  async stopsByPlan(
    tx: Store,
    about: { readonly at: Address; readonly plan: string; readonly stops: boolean },
    requestIds: readonly string[],
  ): Promise<void> {
    await this.parts.repository.stopsByPlan(tx, { ...about, account: this.parts.account }, requestIds);
  }

  /** Records a new tag of a deployment, if the deployment was deployed by the bot. */
  async tagged(request_id: string, tag: string): Promise<void> {
    const known = await this.byRequestId(request_id);
    if (known && !known.tags.includes(tag)) await this.retagged(request_id, [...known.tags, tag]);
  }

  /** Applies the new tags of a deployment, if the deployment was deployed by the bot. */
  async retagged(request_id: string, tags: readonly string[]): Promise<void> {
    await this.learnOf(request_id, { kind: 'tags', tags });
  }

  /** Applies Edgegap's answer about a deployment, if the deployment was deployed by the bot. */
  protected async learnOf(request_id: string, news: News): Promise<void> {
    await this.surely(async () => {
      const known = await this.byRequestId(request_id);
      if (known) await this.learn(known.id, news, 'asked');
    });
  }

  /**
   * The end of the deployment is near, so the bot asks what to do. The question goes to the person who ordered the
   * deployment.
   */
  async askBeforeEnd(request_id: string, due: End, most: number | undefined): Promise<void> {
    const { repository, clock } = this.parts;
    const known = await this.byRequestId(request_id);
    if (known)
      await repository.change(
        [known.id],
        async (tx, [before]) => before && ask(tx, clock, before, { due, most }),
      );
  }

  /**
   * Sets the later end that a person chose, and replaces the message `question` with the answer. Returns the deployment
   * after the change. Throws InputError if the question can no longer be answered.
   */
  async prolong(
    { id }: Pick<Deployment, 'id'>,
    { by, question, ...answer }: Answer & { readonly by: string; readonly question: MessageRef | undefined },
  ): Promise<Deployment | undefined> {
    const { repository, clock } = this.parts;
    return await repository.change([id], async (tx, [before]) => {
      if (!before) return undefined;
      const lifetime = await answered(tx, before, answer);
      const after = await this.learnIn(tx, before, { kind: 'lifetime', lifetime }, 'asked');
      const message = answeredCard(after, by);
      if (question) await enqueue(tx, clock, { kind: 'edit', orderKey: id, target: question, message });
      return after;
    });
  }

  /** Draws the live card again from the stored state. */
  async redraw({ id }: Deployment): Promise<void> {
    await this.parts.repository.redraw(id);
  }

  async byId(id: string): Promise<Deployment | undefined> {
    const found = await this.parts.repository.byId(id);
    return found?.account === this.parts.account ? found : undefined;
  }

  byRequestId(request_id: string): Promise<Deployment | undefined> {
    return this.parts.repository.byRequestId(this.parts.account, request_id);
  }

  /** See `Search.byCard`. */
  byCard(message: MessageRef): ReturnType<Search['byCard']> {
    return this.parts.repository.search.byCard(this.parts.account, message);
  }

  /**
   * At most five deployments of this channel whose application is in `applications` and whose request_id begins with
   * `prefix`. The newest deployment comes first.
   */
  byPrefix(at: Address, prefix: string, applications?: readonly string[]): Promise<Deployment[]> {
    return this.parts.repository.byPrefix(this.parts.account, at, prefix, 5, applications);
  }

  /**
   * The failed deployments that were deployed from chat and not stopped. Only deployments of `applications` are
   * returned. If `applications` is undefined, all are returned.
   */
  failed(applications?: readonly string[]): ReturnType<Search['failed']> {
    return this.parts.repository.search.failed(this.parts.account, applications);
  }

  /**
   * At most 200 deployments of `applications` in this phase whose last status mentions `host`. Ended deployments are
   * returned only if the bot received news about them within the last day.
   */
  byHost(host: string, phase: 'live' | 'ended', applications?: readonly string[]): Promise<Deployment[]> {
    const since = phase === 'ended' ? this.parts.clock.now() - DAY_MS : 0;
    return this.parts.repository.search.byHost(this.parts.account, { host, phase, since }, applications);
  }

  /** See `Search.failuresOf`. */
  failuresOf(
    person: Parameters<Search['failuresOf']>[1],
    since: number,
    applications?: readonly string[],
  ): ReturnType<Search['failuresOf']> {
    return this.parts.repository.search.failuresOf(this.parts.account, person, since, applications);
  }

  /** See `Search.usualMs`. */
  usualMs(order: Pick<Deployment, 'application' | 'version'>): Promise<number | undefined> {
    return this.parts.repository.search.usualMs({ ...order, account: this.parts.account });
  }

  /** See `Search.lastOf`. */
  lastOf(deployment: Deployment, limit: number): ReturnType<Search['lastOf']> {
    return this.parts.repository.search.lastOf(deployment, limit);
  }

  /** See `Search.heardSince`. */
  heardSince(
    phase: 'live' | 'ended',
    since: number,
    applications?: readonly string[],
  ): ReturnType<Search['heardSince']> {
    return this.parts.repository.search.heardSince(this.parts.account, phase, since, applications);
  }

  latest(at: Address): Promise<Deployment | undefined> {
    return this.parts.repository.latest(this.parts.account, at);
  }
}
