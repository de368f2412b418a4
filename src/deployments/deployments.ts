import { EdgegapError, isNoSuchDeployment } from '../edgegap/errors.ts';
import type { DeployRequest } from '../edgegap/requests.ts';
import type { DeploymentStatus } from '../edgegap/schema.ts';
import type { StopOptions, StopResult } from '../edgegap/stop.ts';
import { AppError, StoreError } from '../errors.ts';
import type { Store } from '../store/schema.ts';
import { type AdoptOrder, adopt, takeOver } from './adoption.ts';
import { sendDeploy } from './deploy-request.ts';
import type { Deployment, DeployOrder } from './deployment.ts';
import { type Intent, newId } from './intent.ts';
import { KnownDeployments } from './known.ts';
import type { News } from './state.ts';
import { isSettling, isStopUnderWay } from './timing.ts';

/**
 * `already-stopping`: another person stopped the deployment first. `missing`: the bot deployed the server, but Edgegap
 * no longer lists the deployment.
 */
export type StopOutcome = StopResult | 'already-stopping' | 'missing';

type HowToStop = Pick<StopOptions, 'logStorage' | 'summary'> & {
  /** Whether the bot stops the deployment because the lifetime has ended. */
  readonly atEnd?: boolean | undefined;
};

/**
 * The deployments of an account and the changes that people request in chat. To deploy, this class stores the intent,
 * sends the request to Edgegap and applies the answer. This class also stops deployments.
 */
export class Deployments extends KnownDeployments {
  /** The stops that this process is currently sending to Edgegap, by request_id. */
  readonly #stops = new Map<string, Promise<StopOutcome>>();

  /**
   * Deploys. The bot commits the intent before it sends the request to Edgegap, and shows the outcome on the card. If
   * the invocation already has a deployment, nothing is sent. `replaces` is the id of a lost deployment that the new
   * deployment replaces. Throws InputError if the lost deployment was already replaced, or if the bot has found it.
   * `claim` runs in the transaction of the intent. If `claim` or a limit throws, nothing is written or sent.
   */
  async deploy(
    order: DeployOrder,
    replaces?: string,
    claim?: (tx: Store) => Promise<void>,
  ): Promise<Deployment & { readonly problem?: string | undefined }> {
    const { repository, account, membership, confirm } = this.parts;
    const admit = async (tx: Store, inserted: Deployment) => {
      await claim?.(tx);
      await this.parts.admit?.(tx, inserted);
    };
    const isUnbroken = membership.sinceNow();
    const intent = { ...order, id: newId(), account, holder: membership.id };
    const { deployment, created } = await repository
      .create(intent, replaces, confirm, admit)
      .catch((error: unknown) => this.#notSent(intent, error, replaces));
    if (!created) return deployment;
    const { problem, ...news } = await this.#request(deployment, () => mayLeave(isUnbroken));
    const written = await this.surely(() =>
      repository.change([deployment.id], (tx, [before]) => this.#conclude(tx, before, news, replaces)),
    );
    return { ...(written ?? deployment), problem };
  }

  /**
   * Applies the outcome of the request. If Edgegap refused the new deployment, the lost deployment no longer counts as
   * replaced.
   */
  async #conclude(
    tx: Store,
    before: Deployment | undefined,
    news: News,
    replaces: string | undefined,
  ): Promise<Deployment | undefined> {
    const after = before && (await this.learnIn(tx, before, news, 'asked'));
    if (before && after?.phase === 'refused' && replaces !== undefined)
      await this.parts.repository.giveBack(tx, replaces, before);
    return after;
  }

  /**
   * Marks the intent as refused, because no request will be sent. A commit that seemed to fail may still succeed later,
   * so the store may contain the intent.
   */
  #notSent(intent: Intent & { readonly id: string }, error: unknown, replaces: string | undefined): never {
    if (error instanceof StoreError) {
      const news: News = { kind: 'refused', detail: 'I lost my database, so nothing was sent.' };
      this.surely(
        () =>
          this.parts.repository.changeUnsure(intent, (tx, [before]) =>
            this.#conclude(tx, before, news, replaces),
          ),
        // If this write also fails, the next process that starts finds the intent and marks its outcome as unknown.
      ).catch(() => undefined);
    }
    throw error;
  }

  /** Sends the request. In the result, `problem` is an error code for the log. */
  async #request(
    deployment: Deployment,
    mayLeave: () => void,
  ): Promise<News & { readonly problem?: string }> {
    try {
      const webhooks = this.#webhooks(deployment);
      const requestId = await sendDeploy(this.parts, deployment, webhooks, { mayLeave });
      return { kind: 'accepted', requestId };
    } catch (error) {
      if (!(error instanceof EdgegapError)) {
        if (error instanceof AppError)
          return { kind: 'refused', detail: sentences(error), problem: error.code };
        this.parts.log.error(
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

  #webhooks({ id, secret }: Deployment): DeployRequest['webhooks'] {
    const publicUrl = this.parts.publicUrl();
    if (publicUrl === undefined) return undefined;
    const url = (event: string) => `${publicUrl}/callbacks/edgegap/${event}/${id}.${secret}`;
    return { ready: url('ready'), error: url('error'), terminated: url('terminated') };
  }

  /** See `adopt`. */
  async adopt(order: AdoptOrder, status: DeploymentStatus): Promise<Deployment> {
    return await adopt(this.parts, order, status, (after) => this.checkAt(after));
  }

  /** See `takeOver`. */
  async takeOver(order: Parameters<typeof takeOver>[1], known: Deployment): Promise<Deployment> {
    return await takeOver(this.parts, order, known, (after) => this.checkAt(after));
  }

  /**
   * Stops any deployment of the account, whether or not the store contains it. If the deployment has already
   * terminated, the stop succeeds. While a stop is in progress, no second stop is sent.
   */
  async stop(request_id: string, by: string, how: HowToStop = {}): Promise<StopOutcome> {
    const first = this.#stops.get(request_id);
    if (first) return await first.then((outcome) => (outcome === 'stopping' ? 'already-stopping' : outcome));
    const stop = this.#stop(request_id, by, how).finally(() => this.#stops.delete(request_id));
    this.#stops.set(request_id, stop);
    return await stop;
  }

  async #stop(request_id: string, by: string, how: HowToStop): Promise<StopOutcome> {
    const known = await this.byRequestId(request_id);
    if (known && isStopUnderWay(known, this.parts.clock.now())) return afterEarlierStop(known);
    await this.parts.beforeStop?.([request_id]);
    try {
      let told: DeploymentStatus | undefined;
      const summary = (status: DeploymentStatus) => {
        told = status;
        how.summary?.(status);
      };
      const outcome = await this.parts.edgegap.stop(request_id, { ...how, summary });
      // Edgegap answered that this deployment does not exist. The answer does not prove that the deployment has ended.
      // A deployment that still runs costs money.
      if (outcome === 'perhaps-stopped')
        return (await this.#learnMissing(request_id)) === 'already-terminated'
          ? 'already-terminated'
          : outcome;
      const faster = outcome === 'accepted' ? await this.byRequestId(request_id) : undefined;
      const news: News =
        outcome === 'already-terminated'
          ? { kind: 'terminated' }
          : { kind: 'stopping', by, atEnd: how.atEnd };
      await this.learnOf(request_id, news);
      if (told) await this.learnOf(request_id, { kind: 'snapshot', status: told });
      return faster?.stopAskedBy === undefined ? outcome : afterEarlierStop(faster);
    } catch (error) {
      const missed = isNoSuchDeployment(error) ? await this.#learnMissing(request_id) : undefined;
      if (!missed) throw error;
      return missed;
    }
  }

  /**
   * Called when Edgegap answered a stop with the error that the deployment does not exist. Applies this answer. Returns
   * undefined if the answer proves nothing.
   */
  async #learnMissing(request_id: string): Promise<'missing' | 'already-terminated' | undefined> {
    const known = await this.byRequestId(request_id);
    if (!known || isSettling(known, this.parts.clock.now())) return undefined;
    const after = await this.learn(known.id, { kind: 'missing' }, 'asked');
    return after?.endedAt === undefined ? 'missing' : 'already-terminated';
  }
}

/**
 * Called immediately before the request is sent. Throws if other processes have considered this process dead after the
 * intent was written. In this case, they may have searched for the deployment in vain, and a person may have replaced
 * it.
 */
function mayLeave(isUnbroken: () => boolean): void {
  if (isUnbroken()) return;
  throw new AppError('store-away', 'I lost my database while the request waited; nothing was sent.', {
    hint: 'Deploy again in a minute.',
  });
}

/**
 * The outcome of a stop if a different person has already stopped the deployment. Until the server is ready or has
 * failed, the outcome is `accepted`. After that, the outcome is `already-stopping`.
 */
function afterEarlierStop({ readyAt, errorAt }: Deployment): 'accepted' | 'already-stopping' {
  return readyAt === undefined && errorAt === undefined ? 'accepted' : 'already-stopping';
}

function sentences(error: AppError): string {
  return error.hint ? `${error.userMessage} ${error.hint}` : error.userMessage;
}
