import type { Address } from '../adapters/adapter.ts';
import type { Clock } from '../clock.ts';
import type { EdgegapApi, StopResult } from '../edgegap/client.ts';
import { EdgegapError, isNoSuchDeployment } from '../edgegap/errors.ts';
import type { DeploymentStatus } from '../edgegap/schema.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';
import type { Source } from './announce.ts';
import { type Deployment, type DeployOrder, ownTag } from './deployment.ts';
import type { DeploymentRepository } from './repository.ts';
import type { News } from './state.ts';
import { isSettling, nextCheck } from './timing.ts';

/** What the domain needs around it. */
export interface DeploymentsParts {
  readonly repository: DeploymentRepository;
  readonly edgegap: EdgegapApi;
  readonly clock: Clock;
  readonly log: Logger;
  readonly account: string;
  /** Undefined: Edgegap cannot call back. Asked at each deploy, when the server already listens. */
  readonly publicUrl: () => string | undefined;
  /** Called after each transaction that may have written to the outbox. */
  readonly wakeOutbox: () => void;
  /** Called when something is to be asked about at another time than before. */
  readonly wakeReconciler: () => void;
}

/** Deployments asked for in chat: from the intent, over the request, to what becomes of them. */
export class Deployments {
  readonly #parts: DeploymentsParts;

  constructor(parts: DeploymentsParts) {
    this.#parts = parts;
  }

  get callbacksExpected(): boolean {
    return this.#parts.publicUrl() !== undefined;
  }

  /**
   * Deploys. The intent is committed before the request leaves; whatever becomes of the request is on the card.
   * For an invocation that was here before, nothing is sent. `replaces` names a lost one that this is deployed in
   * place of; throws InputError when someone was faster, or when it turned up after all.
   */
  async deploy(order: DeployOrder, replaces?: string): Promise<Deployment> {
    const { repository, account, wakeOutbox } = this.#parts;
    const { deployment, created } = await repository.create({ ...order, account }, replaces);
    if (!created) return deployment;
    if (replaces !== undefined) wakeOutbox();
    return (await this.learn(deployment.id, await this.#request(deployment), 'asked')) ?? deployment;
  }

  async #request(deployment: Deployment): Promise<News> {
    const { application, version, plan } = deployment;
    try {
      const { request_id } = await this.#parts.edgegap.deploy({
        application,
        version,
        users: plan.users,
        tags: [...plan.tags, ownTag(deployment.id)],
        webhooks: this.#webhooks(deployment),
      });
      return { kind: 'accepted', requestId: request_id };
    } catch (error) {
      if (!(error instanceof EdgegapError)) {
        if (error instanceof AppError) return { kind: 'refused', detail: sentences(error) };
        this.#parts.log.error(
          { err: error, deployment: deployment.id },
          'deploy: failed in an unexpected way',
        );
        return { kind: 'unknown-outcome' };
      }
      if (error.outcome === 'done' && error.requestId)
        return { kind: 'unplaced', requestId: error.requestId, detail: sentences(error) };
      return error.outcome === 'not-done'
        ? { kind: 'refused', detail: sentences(error) }
        : { kind: 'unknown-outcome' };
    }
  }

  #webhooks({ id, secret }: Deployment): { ready: string; error: string; terminated: string } | undefined {
    const publicUrl = this.#parts.publicUrl();
    if (publicUrl === undefined) return undefined;
    const url = (event: string) => `${publicUrl}/callbacks/edgegap/${event}/${id}.${secret}`;
    return { ready: url('ready'), error: url('error'), terminated: url('terminated') };
  }

  /** Takes in news of a deployment and lets its channel know. */
  async learn(
    id: string,
    news: News,
    source: Source,
    also?: (tx: Store, deployment: Deployment) => Promise<void>,
  ): Promise<Deployment | undefined> {
    const { repository, clock, wakeOutbox, wakeReconciler } = this.#parts;
    const after = await repository.apply(id, news, {
      source,
      checkAt: (deployment) => nextCheck(deployment, clock.now(), this.callbacksExpected),
      ...(also ? { also } : {}),
    });
    wakeOutbox();
    wakeReconciler();
    return after;
  }

  /** A status that someone asked for is news too, where the deployment is one of ours. */
  async observe(status: DeploymentStatus): Promise<Deployment | undefined> {
    const known = await this.#parts.repository.byRequestId(status.request_id);
    return known && (await this.learn(known.id, { kind: 'snapshot', status }, 'asked'));
  }

  /**
   * Stops any deployment of the account, whatever we believe of it. One that has terminated already is a success;
   * `missing` is one of ours that Edgegap knows no more, and that we did not know to have ended.
   */
  async stop(request_id: string, by: string): Promise<StopResult['outcome'] | 'missing'> {
    const { repository, edgegap, clock } = this.#parts;
    try {
      const { outcome } = await edgegap.stop(request_id);
      const known = await repository.byRequestId(request_id);
      const news: News = outcome === 'already-terminated' ? { kind: 'terminated' } : { kind: 'stopping', by };
      if (known) await this.learn(known.id, news, 'asked');
      return outcome;
    } catch (error) {
      const known = isNoSuchDeployment(error) ? await repository.byRequestId(request_id) : undefined;
      if (!known || isSettling(known, clock.now())) throw error;
      const after = await this.learn(known.id, { kind: 'missing' }, 'asked');
      return after?.endedAt === undefined ? 'missing' : 'already-terminated';
    }
  }

  /** The tags of a deployment as they now are: on its card too, where it is one of ours. */
  async retagged(request_id: string, tags: readonly string[]): Promise<void> {
    const known = await this.#parts.repository.byRequestId(request_id);
    if (known) await this.learn(known.id, { kind: 'tags', tags }, 'asked');
  }

  /** Has the live card drawn anew: whatever it now shows, it will show how things are. */
  async redraw({ id }: Deployment): Promise<void> {
    await this.#parts.repository.redraw(id);
    this.#parts.wakeOutbox();
  }

  byId(id: string): Promise<Deployment | undefined> {
    return this.#parts.repository.byId(id);
  }

  byRequestId(request_id: string): Promise<Deployment | undefined> {
    return this.#parts.repository.byRequestId(request_id);
  }

  /** Up to `limit` deployments of this channel whose request_id begins with `prefix`, newest first. */
  byPrefix(at: Address, prefix: string, limit = 5): Promise<Deployment[]> {
    return this.#parts.repository.byPrefix(at, prefix, limit);
  }

  latest(at: Address): Promise<Deployment | undefined> {
    return this.#parts.repository.latest(at);
  }
}

function sentences(error: AppError): string {
  return error.hint ? `${error.userMessage} ${error.hint}` : error.userMessage;
}
