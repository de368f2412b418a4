import type { StopResult } from '../edgegap/client.ts';
import { EdgegapError, isNoSuchDeployment } from '../edgegap/errors.ts';
import { ownTag } from '../edgegap/outside.ts';
import { AppError, StoreError } from '../errors.ts';
import type { Store } from '../store/schema.ts';
import type { Deployment, DeployOrder } from './deployment.ts';
import { type Intent, newId } from './intent.ts';
import { KnownDeployments } from './known.ts';
import type { News } from './state.ts';
import { isSettling, isStopUnderWay } from './timing.ts';

/** `already-stopping`: someone was faster. `missing` is one of ours that Edgegap knows no more. */
export type StopOutcome = StopResult['outcome'] | 'already-stopping' | 'missing';

/** The deployments of one account with what people ask for in chat: deploys, from the intent to the answer, and stops. */
export class Deployments extends KnownDeployments {
  /** Those that are on their way to Edgegap from here, by request_id. */
  readonly #stops = new Map<string, Promise<StopOutcome>>();

  /**
   * Deploys. The intent is committed before the request leaves; whatever becomes of the request is on the card.
   * For an invocation that was here before, nothing is sent. `replaces` names a lost one that this is deployed in
   * place of; throws InputError when someone was faster, or when it turned up after all. `claim` runs in the intent's
   * transaction. `claim` and the limits may throw; then nothing was written or sent.
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

  /** What the request came to. One that was refused has replaced nothing. */
  async #conclude(
    tx: Store,
    before: Deployment | undefined,
    news: News,
    replaces: string | undefined,
  ): Promise<Deployment | undefined> {
    const after = before && (await this.learnIn(tx, before, news, 'asked'));
    if (after?.phase === 'refused' && replaces !== undefined)
      await this.parts.repository.giveBack(tx, replaces, after.id);
    return after;
  }

  /** It may be written down all the same, now or later, by a commit that nobody was told of; nothing will come of it. */
  #notSent(intent: Intent & { readonly id: string }, error: unknown, replaces: string | undefined): never {
    if (error instanceof StoreError) {
      const news: News = { kind: 'refused', detail: 'I lost my database on the way; nothing was sent.' };
      this.surely(
        () =>
          this.parts.repository.changeUnsure(intent, (tx, [before]) =>
            this.#conclude(tx, before, news, replaces),
          ),
        // The next start finds it.
      ).catch(() => undefined);
    }
    throw error;
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
      const { request_id } = await this.parts.edgegap.deploy(order, { mayLeave });
      return { kind: 'accepted', requestId: request_id };
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

  #webhooks({ id, secret }: Deployment): { ready: string; error: string; terminated: string } | undefined {
    const publicUrl = this.parts.publicUrl();
    if (publicUrl === undefined) return undefined;
    const url = (event: string) => `${publicUrl}/callbacks/edgegap/${event}/${id}.${secret}`;
    return { ready: url('ready'), error: url('error'), terminated: url('terminated') };
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
    if (known && isStopUnderWay(known, this.parts.clock.now())) return taken(known);
    try {
      const { outcome } = await this.parts.edgegap.stop(request_id);
      // That Edgegap did not know it is not yet its end: what runs on unseen is billed.
      if (outcome === 'perhaps-stopped')
        return (await this.#missed(request_id)) === 'already-terminated' ? 'already-terminated' : outcome;
      const faster = outcome === 'accepted' ? await this.byRequestId(request_id) : undefined;
      const news: News = outcome === 'already-terminated' ? { kind: 'terminated' } : { kind: 'stopping', by };
      await this.learnOf(request_id, news);
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
    if (!known || isSettling(known, this.parts.clock.now())) return undefined;
    const after = await this.learn(known.id, { kind: 'missing' }, 'asked');
    return after?.endedAt === undefined ? 'missing' : 'already-terminated';
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
