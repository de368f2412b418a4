import { LRUCache } from 'lru-cache';
import type { Address } from '../chat/port.ts';
import { type Clock, sleep, stopwatch } from '../clock.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import type { DeploymentRow, DeploymentStatus } from '../edgegap/schema.ts';
import type { Logger } from '../log.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Store } from '../store/schema.ts';
import type { NewsSource } from './announce.ts';
import { type Deployment, isKnown } from './deployment.ts';
import type { DeploymentRepository } from './repository.ts';
import type { Search } from './search.ts';
import type { News } from './state.ts';
import { isOnItsWay, LOOKS_APART_MS, nextCheck } from './timing.ts';

/** What the domain needs around it. */
export interface DeploymentsParts {
  readonly repository: DeploymentRepository;
  readonly edgegap: EdgegapApi;
  readonly membership: Pick<Membership, 'id' | 'sinceNow'>;
  /** Makes sure that the invocation is still this process's to carry out, until the transaction ends; else throws. */
  readonly confirm?: (tx: Store, invocationId: string) => Promise<void>;
  /** Throws where a limit stands against the intent, which `tx` has inserted. */
  readonly admit?: (tx: Store, intent: Deployment) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly account: string;
  /** Undefined: Edgegap cannot call back. Asked at each deploy, when the server already listens. */
  readonly publicUrl: () => string | undefined;
}

/** Between tries to write down what Edgegap answered, while the store fails. */
const REWRITE_MS = 250;
const REWRITE_MAX_MS = 15_000;

/** How many statuses of deployments that were not deployed from chat are remembered, and for how long, in milliseconds. */
const REMEMBERED = 5_000;
const SETTLED_MS = 10 * 60_000;
const MOVING_MS = 10_000;

const DAY_MS = 24 * 60 * 60_000;

/** The deployments of one account as far as they are known: which there are, and what is learned of them. */
export class KnownDeployments {
  protected readonly parts: DeploymentsParts;
  readonly #statuses = new LRUCache<string, { readonly is: DeploymentStatus; readonly ageMs: () => number }>({
    max: REMEMBERED,
  });
  readonly #over = new AbortController();
  /** The last moment, in epoch milliseconds, that is taken for a look at steps of which no callback tells. */
  #lookAt = 0;

  constructor(parts: DeploymentsParts) {
    this.parts = parts;
  }

  get callbacksExpected(): boolean {
    return this.parts.publicUrl() !== undefined;
  }

  /** What was not written down by then is settled by the process that comes after. */
  close(): void {
    this.#over.abort();
  }

  /** Writes down an answer of Edgegap, which is given once only: a store that fails is tried until it does not fail. */
  protected async surely<Result>(write: () => Promise<Result>): Promise<Result> {
    for (let pause = REWRITE_MS; ; pause = Math.min(pause * 2, REWRITE_MAX_MS)) {
      try {
        return await write();
      } catch (error) {
        if (this.#over.signal.aborted) throw error;
        this.parts.log.error({ err: error }, 'deployments: an answer cannot be written down yet');
        await sleep(this.parts.clock, pause, this.#over.signal).catch(() => {
          // Edgegap has answered: that the bot stops would sound as if nothing had been done.
          throw error;
        });
      }
    }
  }

  /** Takes in news of a deployment and lets its channel know. */
  learn(id: string, news: News, source: NewsSource): Promise<Deployment | undefined> {
    return this.parts.repository.change(
      [id],
      async (tx, [before]) => before && this.learnIn(tx, before, news, source),
    );
  }

  /** The same in a transaction that has the deployment to itself. */
  learnIn(tx: Store, before: Deployment, news: News, source: NewsSource): Promise<Deployment> {
    const checkAt = (after: Deployment) => this.checkAt(after);
    return this.parts.repository.write(tx, before, news, { source, checkAt });
  }

  /** When to ask about a deployment next, in epoch milliseconds; undefined where there is nothing to ask. */
  checkAt(deployment: Deployment): number | undefined {
    const now = this.parts.clock.now();
    const at = nextCheck(deployment, now, this.callbacksExpected);
    const soon = isOnItsWay(deployment) ? nextCheck(deployment, now, false) : undefined;
    if (!this.callbacksExpected || at === undefined || soon === undefined) return at;
    this.#lookAt = Math.min(at, Math.max(soon, this.#lookAt + LOOKS_APART_MS));
    return this.#lookAt;
  }

  /** A status that someone asked for is news too, where the deployment is one of ours and the status says anything new. */
  async observe(status: DeploymentStatus): Promise<Deployment | undefined> {
    const known = await this.byRequestId(status.request_id);
    if (!known) this.#statuses.set(status.request_id, { is: status, ageMs: stopwatch(this.parts.clock) });
    if (!known || isKnown(known, status, this.parts.clock.now())) return known;
    return await this.learn(known.id, { kind: 'snapshot', status }, 'asked');
  }

  /**
   * The status of a listed deployment that was not deployed from chat: remembered, as long as the row does not contradict
   * the status, else asked for. Undefined where Edgegap does not answer.
   */
  async statusInList({ request_id, ready }: DeploymentRow): Promise<DeploymentStatus | undefined> {
    const { is, ageMs } = this.#statuses.get(request_id) ?? {};
    const settled = is?.current_status === (ready ? 'READY' : 'ERROR');
    if (is && ageMs && ageMs() < (settled ? SETTLED_MS : MOVING_MS)) return is;
    const status = await this.parts.edgegap.status(request_id).catch(() => undefined);
    if (status) await this.observe(status);
    return status;
  }

  /** The request_ids of up to `limit` running deployments that the person asked for, newest first. */
  askedBy(
    { id, at }: { readonly id: string; readonly at: Address },
    limit: number,
    applications?: readonly string[],
  ): Promise<string[]> {
    const person = { id, platform: at.platform };
    return this.parts.repository.search.askedBy(this.parts.account, person, limit, applications);
  }

  /** The tags of a deployment as they now are: on its card too, where it is one of ours. */
  async retagged(request_id: string, tags: readonly string[]): Promise<void> {
    await this.learnOf(request_id, { kind: 'tags', tags });
  }

  /** What Edgegap answered of a deployment, where it is one of ours. */
  protected async learnOf(request_id: string, news: News): Promise<void> {
    await this.surely(async () => {
      const known = await this.byRequestId(request_id);
      if (known) await this.learn(known.id, news, 'asked');
    });
  }

  /** Has the live card drawn anew: whatever it now shows, it will show how things are. */
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

  /** Up to five deployments of this channel and of `applications` whose request_id begins with `prefix`, newest first. */
  byPrefix(at: Address, prefix: string, applications?: readonly string[]): Promise<Deployment[]> {
    return this.parts.repository.byPrefix(this.parts.account, at, prefix, 5, applications);
  }

  /** Those of `applications` (undefined: of all) that were deployed from chat, failed, and were not stopped. */
  failed(applications?: readonly string[]): ReturnType<Search['failed']> {
    return this.parts.repository.search.failed(this.parts.account, applications);
  }

  /** Up to 200 of `applications` in that phase that Edgegap has told anything with `host` of; `ended`: within a day. */
  byHost(host: string, phase: 'live' | 'ended', applications?: readonly string[]): Promise<Deployment[]> {
    const since = phase === 'ended' ? this.parts.clock.now() - DAY_MS : 0;
    return this.parts.repository.search.byHost(this.parts.account, { host, phase, since }, applications);
  }

  latest(at: Address): Promise<Deployment | undefined> {
    return this.parts.repository.latest(this.parts.account, at);
  }
}
