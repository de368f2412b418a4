import type { Address } from '../chat/port.ts';
import { type Clock, sleep } from '../clock.ts';
import type { EdgegapApi, StopResult } from '../edgegap/client.ts';
import { EdgegapError, isNoSuchDeployment } from '../edgegap/errors.ts';
import { ownTag } from '../edgegap/outside.ts';
import type { DeploymentStatus } from '../edgegap/schema.ts';
import { AppError, StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Store } from '../store/schema.ts';
import type { Source } from './announce.ts';
import { type Deployment, type DeployOrder, isKnown } from './deployment.ts';
import { type Intent, newId } from './intent.ts';
import type { DeploymentRepository } from './repository.ts';
import type { News } from './state.ts';
import { isOnItsWay, isSettling, isStopUnderWay, LOOKS_APART_MS, nextCheck } from './timing.ts';

/** What the domain needs around it. */
export interface DeploymentsParts {
  readonly repository: DeploymentRepository;
  readonly edgegap: EdgegapApi;
  readonly membership: Pick<Membership, 'id' | 'sinceNow'>;
  /** Makes sure that the invocation is still this process's to carry out, until the transaction ends; else throws. */
  readonly confirm?: (tx: Store, invocationId: string) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly account: string;
  /** Undefined: Edgegap cannot call back. Asked at each deploy, when the server already listens. */
  readonly publicUrl: () => string | undefined;
}

/** `already-stopping`: someone was faster. `missing` is one of ours that Edgegap knows no more. */
export type StopOutcome = StopResult['outcome'] | 'already-stopping' | 'missing';

/** Between tries to write down what Edgegap answered, while the store fails. */
const REWRITE_MS = 250;
const REWRITE_MAX_MS = 15_000;

/** Deployments of one account that were asked for in chat: from the intent, over the request, to what becomes of them. */
export class Deployments {
  readonly #parts: DeploymentsParts;
  readonly #over = new AbortController();
  /** Those that are on their way to Edgegap from here, by request_id. */
  readonly #stops = new Map<string, Promise<StopOutcome>>();
  /** The last moment, in epoch milliseconds, that is taken for a look at steps of which no callback tells. */
  #lookAt = 0;

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
  async deploy(
    order: DeployOrder,
    replaces?: string,
  ): Promise<Deployment & { readonly problem?: string | undefined }> {
    const { repository, account, membership, confirm } = this.#parts;
    const isUnbroken = membership.sinceNow();
    const intent = { ...order, id: newId(), account, holder: membership.id };
    const { deployment, created } = await repository
      .create(intent, replaces, confirm)
      .catch((error: unknown) => this.#notSent(intent, error, replaces));
    if (!created) return deployment;
    const { problem, ...news } = await this.#request(deployment, () => mayLeave(isUnbroken));
    const written = await this.#surely(() =>
      repository.change([deployment.id], (tx, [before]) => this.#conclude(tx, before, news, replaces)),
    );
    return { ...(written ?? deployment), problem };
  }

  /** What the request came to. One that was refused has replaced nothing. */
  async #conclude(
    tx: Store,
    before: Deployment | undefined,
    news: News,
    replaces: string | undefined,
  ): Promise<Deployment | undefined> {
    const after = before && (await this.learnIn(tx, before, news, 'asked'));
    if (after?.phase === 'refused' && replaces !== undefined)
      await this.#parts.repository.giveBack(tx, replaces, after.id);
    return after;
  }

  /** It may be written down all the same, now or later, by a commit that nobody was told of; nothing will come of it. */
  #notSent(intent: Intent & { readonly id: string }, error: unknown, replaces: string | undefined): never {
    if (error instanceof StoreError) {
      const news: News = { kind: 'refused', detail: 'I lost my database on the way; nothing was sent.' };
      this.#surely(
        () =>
          this.#parts.repository.changeUnsure(intent, (tx, [before]) =>
            this.#conclude(tx, before, news, replaces),
          ),
        // The next start finds it.
      ).catch(() => undefined);
    }
    throw error;
  }

  /** What was not written down by then is settled by whoever comes after. */
  close(): void {
    this.#over.abort();
  }

  /** Writes down what Edgegap answered: it is not said again, so a store that fails is tried until it does not. */
  async #surely<Result>(write: () => Promise<Result>): Promise<Result> {
    for (let pause = REWRITE_MS; ; pause = Math.min(pause * 2, REWRITE_MAX_MS)) {
      try {
        return await write();
      } catch (error) {
        if (this.#over.signal.aborted) throw error;
        this.#parts.log.error({ err: error }, 'deployments: an answer cannot be written down yet');
        await sleep(this.#parts.clock, pause, this.#over.signal).catch(() => {
          // Edgegap has answered: that the bot stops would sound as if nothing had been done.
          throw error;
        });
      }
    }
  }

  /** `problem`: the code of what came in between, for the log. */
  async #request(
    deployment: Deployment,
    mayLeave: () => void,
  ): Promise<News & { readonly problem?: string }> {
    const { application, version, plan } = deployment;
    try {
      const order = {
        application,
        version,
        users: plan.users,
        tags: [...plan.tags, ownTag(deployment.id)],
        webhooks: this.#webhooks(deployment),
      };
      const { request_id } = await this.#parts.edgegap.deploy(order, { mayLeave });
      return { kind: 'accepted', requestId: request_id };
    } catch (error) {
      if (!(error instanceof EdgegapError)) {
        if (error instanceof AppError)
          return { kind: 'refused', detail: sentences(error), problem: error.code };
        this.#parts.log.error(
          { err: error, deployment: deployment.id },
          'deploy: failed in an unexpected way',
        );
        return { kind: 'unknown-outcome' };
      }
      const { code: problem } = error;
      if (error.outcome === 'done' && error.requestId)
        return { problem, kind: 'unplaced', requestId: error.requestId, detail: sentences(error) };
      return error.outcome === 'not-done'
        ? { problem, kind: 'refused', detail: sentences(error) }
        : { problem, kind: 'unknown-outcome' };
    }
  }

  #webhooks({ id, secret }: Deployment): { ready: string; error: string; terminated: string } | undefined {
    const publicUrl = this.#parts.publicUrl();
    if (publicUrl === undefined) return undefined;
    const url = (event: string) => `${publicUrl}/callbacks/edgegap/${event}/${id}.${secret}`;
    return { ready: url('ready'), error: url('error'), terminated: url('terminated') };
  }

  /** Takes in news of a deployment and lets its channel know. */
  async learn(id: string, news: News, source: Source): Promise<Deployment | undefined> {
    const after = await this.#parts.repository.change(
      [id],
      async (tx, [before]) => before && this.learnIn(tx, before, news, source),
    );
    return after;
  }

  /** The same in a transaction that has the deployment to itself. */
  learnIn(tx: Store, before: Deployment, news: News, source: Source): Promise<Deployment> {
    const checkAt = (after: Deployment) => this.checkAt(after);
    return this.#parts.repository.write(tx, before, news, { source, checkAt });
  }

  /** When to ask about a deployment next, in epoch milliseconds; undefined where there is nothing to ask. */
  checkAt(deployment: Deployment): number | undefined {
    const now = this.#parts.clock.now();
    const at = nextCheck(deployment, now, this.callbacksExpected);
    const soon = isOnItsWay(deployment) ? nextCheck(deployment, now, false) : undefined;
    if (!this.callbacksExpected || at === undefined || soon === undefined) return at;
    this.#lookAt = Math.min(at, Math.max(soon, this.#lookAt + LOOKS_APART_MS));
    return this.#lookAt;
  }

  /** A status that someone asked for is news too, where the deployment is one of ours and the status says anything new. */
  async observe(status: DeploymentStatus): Promise<Deployment | undefined> {
    const known = await this.byRequestId(status.request_id);
    if (!known || isKnown(known, status, this.#parts.clock.now())) return known;
    return await this.learn(known.id, { kind: 'snapshot', status }, 'asked');
  }

  /**
   * Stops any deployment of the account, whatever we believe of it. One that has terminated already is a success, and
   * where a stop of it is under way nothing is sent.
   */
  async stop(request_id: string, by: string): Promise<StopOutcome> {
    const first = this.#stops.get(request_id);
    if (first) return await first.then((outcome) => (outcome === 'stopping' ? 'already-stopping' : outcome));
    const stop = this.#stop(request_id, by).finally(() => this.#stops.delete(request_id));
    this.#stops.set(request_id, stop);
    return await stop;
  }

  async #stop(request_id: string, by: string): Promise<StopOutcome> {
    const known = await this.byRequestId(request_id);
    if (known && isStopUnderWay(known, this.#parts.clock.now())) return taken(known);
    try {
      const { outcome } = await this.#parts.edgegap.stop(request_id);
      // That Edgegap did not know it is not yet its end: what runs on unseen is billed.
      if (outcome === 'perhaps-stopped')
        return (await this.#missed(request_id)) === 'already-terminated' ? 'already-terminated' : outcome;
      const faster = outcome === 'accepted' ? await this.byRequestId(request_id) : undefined;
      const news: News = outcome === 'already-terminated' ? { kind: 'terminated' } : { kind: 'stopping', by };
      await this.#learnOf(request_id, news);
      return faster?.stopAskedBy === undefined ? outcome : taken(faster);
    } catch (error) {
      const missed = isNoSuchDeployment(error) ? await this.#missed(request_id) : undefined;
      if (!missed) throw error;
      return missed;
    }
  }

  /** Edgegap did not know it when it was to be stopped; undefined where nothing is to be learned from that. */
  async #missed(request_id: string): Promise<'missing' | 'already-terminated' | undefined> {
    const known = await this.byRequestId(request_id);
    if (!known || isSettling(known, this.#parts.clock.now())) return undefined;
    const after = await this.learn(known.id, { kind: 'missing' }, 'asked');
    return after?.endedAt === undefined ? 'missing' : 'already-terminated';
  }

  /** The tags of a deployment as they now are: on its card too, where it is one of ours. */
  async retagged(request_id: string, tags: readonly string[]): Promise<void> {
    await this.#learnOf(request_id, { kind: 'tags', tags });
  }

  /** What Edgegap answered of a deployment, where it is one of ours. */
  async #learnOf(request_id: string, news: News): Promise<void> {
    await this.#surely(async () => {
      const known = await this.byRequestId(request_id);
      if (known) await this.learn(known.id, news, 'asked');
    });
  }

  /** Has the live card drawn anew: whatever it now shows, it will show how things are. */
  async redraw({ id }: Deployment): Promise<void> {
    await this.#parts.repository.redraw(id);
  }

  async byId(id: string): Promise<Deployment | undefined> {
    const found = await this.#parts.repository.byId(id);
    return found?.account === this.#parts.account ? found : undefined;
  }

  byRequestId(request_id: string): Promise<Deployment | undefined> {
    return this.#parts.repository.byRequestId(this.#parts.account, request_id);
  }

  /** Up to five deployments of this channel and of `applications` whose request_id begins with `prefix`, newest first. */
  byPrefix(at: Address, prefix: string, applications?: readonly string[]): Promise<Deployment[]> {
    return this.#parts.repository.byPrefix(this.#parts.account, at, prefix, 5, applications);
  }

  /** Those of `applications` (undefined: of all) that were deployed from chat, failed, and were not stopped. */
  failed(applications?: readonly string[]): ReturnType<DeploymentRepository['failed']> {
    return this.#parts.repository.failed(this.#parts.account, applications);
  }

  latest(at: Address): Promise<Deployment | undefined> {
    return this.#parts.repository.latest(this.#parts.account, at);
  }
}

/**
 * Right before a request leaves: whoever was taken for dead since its intent was written down may have been looked for in
 * vain already, and replaced, also where it lives again.
 */
function mayLeave(isUnbroken: () => boolean): void {
  if (isUnbroken()) return;
  throw new AppError('store-away', 'I lost the database while this waited its turn; nothing was sent.', {
    hint: 'Deploy again in a minute.',
  });
}

/** Edgegap took the stop of somebody else: before it was ready, or since. */
function taken({ readyAt, errorAt }: Deployment): 'accepted' | 'already-stopping' {
  return readyAt === undefined && errorAt === undefined ? 'accepted' : 'already-stopping';
}

function sentences(error: AppError): string {
  return error.hint ? `${error.userMessage} ${error.hint}` : error.userMessage;
}
