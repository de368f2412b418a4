import { EdgegapError } from '../edgegap/errors.ts';
import { STOP_BATCH } from '../edgegap/stop.ts';
import { BACKGROUND, type CallOptions } from '../edgegap/transport.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { TaskKind } from '../work/task.ts';
import type { Change, Item, ItemState, Result, RunningPlan } from './plan.ts';
import { BULK } from './plans.ts';
import { type BulkAccount, ending, hasTag, leftOut } from './recheck.ts';

/**
 * The number of deployments in a batch of tag changes. The number is small, because each tag needs a separate request.
 * A batch of stops needs only one request.
 */
const TAG_BATCH = 20;

interface ChangingAccount extends BulkAccount {
  /** Called before deployments are stopped. Must not reject. */
  readonly beforeStop: (request_ids: readonly string[]) => Promise<void>;
}

/** The task that carries out the confirmed plans of an account in batches. */
export function carryingOut({
  accountOf,
  readOnly,
  log,
}: {
  readonly accountOf: (id: string) => ChangingAccount;
  /** If true, no more changes are made, not even for plans that were confirmed earlier. */
  readonly readOnly: boolean;
  readonly log: Logger;
}): TaskKind {
  return {
    kind: BULK,
    async run({ account, signal }) {
      const parts = accountOf(account);
      for (;;) {
        const plans = await parts.plans.running();
        if (plans.length === 0) return undefined;
        const batches = plans.map((plan) => new Batch(parts, plan, signal, log));
        // First of all, each plan finds out what a dead process has changed, because another plan may contain the same
        // servers.
        for (const batch of batches) await batch.settle();
        // The plans alternate, so a short plan does not have to wait for the end of a long plan.
        for (const batch of batches) {
          signal.throwIfAborted();
          await (readOnly ? batch.giveUp('I am set to read-only now') : batch.run());
        }
      }
    },
  };
}

/** Changes some of a plan's deployments, as one step of the plan. */
class Batch {
  readonly #account: ChangingAccount;
  readonly #plan: RunningPlan;
  readonly #signal: AbortSignal;
  readonly #call: CallOptions;
  readonly #log: Logger;

  constructor(account: ChangingAccount, plan: RunningPlan, signal: AbortSignal, log: Logger) {
    this.#account = account;
    this.#plan = plan;
    this.#signal = signal;
    this.#call = { ...BACKGROUND, signal };
    this.#log = log;
  }

  /**
   * Looks up the deployments to which a dead process was sending the change. If the change was not made, it is planned
   * again.
   */
  async settle(): Promise<void> {
    const left = await this.#account.plans.items(this.#plan.id, 'sending');
    if (left.length > 0) await this.#write('sending', await this.#lookUp(left, { state: 'planned' }));
  }

  /** All deployments that are not changed yet get the state `failed`. */
  async giveUp(reason: string): Promise<void> {
    const open = await this.#account.plans.items(this.#plan.id, 'planned');
    await this.#write(
      'planned',
      open.map(({ request_id }) => result(request_id, 'failed', reason)),
    );
  }

  /** Changes the next deployments. */
  async run(): Promise<void> {
    const { id, change } = this.#plan;
    const { plans } = this.#account;
    const size = change.kind === 'stop' ? STOP_BATCH : TAG_BATCH;
    const next = await plans.items(id, 'planned', size);
    if (next.length === 0) return await this.#write('planned', []);
    const out = await this.#leftOut(next);
    const fit = next.filter(({ request_id }) => !out.has(request_id));
    await this.#write('planned', [
      ...out.values(),
      ...fit.map(({ request_id }) => result(request_id, 'sending')),
    ]);
    if (fit.length === 0) return;
    await this.#write(
      'sending',
      await (change.kind === 'stop' ? this.#stop(fit) : this.#tag(fit, change.tag)),
    );
  }

  /**
   * Returns the deployments that are left out, because they have changed since the plan or because Edgegap did not
   * answer.
   */
  async #leftOut(items: readonly Item[]): Promise<ReadonlyMap<string, Result>> {
    const ids = items.map(({ request_id }) => request_id);
    const out = new Map<string, Result>();
    try {
      for (const [n, check] of (await leftOut(this.#account, this.#plan, ids, this.#call)).entries()) {
        const id = ids[n] as string;
        if (check.status === 'rejected') out.set(id, result(id, 'failed', this.#reason(check.reason)));
        else if (check.value !== undefined) out.set(id, result(id, 'left-out', check.value));
      }
    } catch (error) {
      const reason = this.#reason(error);
      for (const id of ids) out.set(id, result(id, 'failed', reason));
    }
    return out;
  }

  async #stop(items: readonly Item[]): Promise<Result[]> {
    const ids = items.map(({ request_id }) => request_id);
    await this.#account.beforeStop(ids);
    try {
      const { taken, perhaps } = await this.#account.api.stopMany(ids, this.#call);
      const unclear = items.filter(({ request_id }) => perhaps.includes(request_id));
      const known = new Set([...taken, ...perhaps]);
      const missing = items.filter(({ request_id }) => !known.has(request_id));
      const refused = { state: 'failed', reason: 'Edgegap did not accept the stop' } as const;
      return [
        ...taken.map((id) => result(id, 'done')),
        ...(await this.#lookUp(unclear, refused)),
        // If Edgegap did not accept the stop, the deployment may have ended for another reason. The deployment is then
        // left out.
        ...(await this.#lookUp(missing, refused, 'left-out')),
      ];
    } catch (error) {
      return await this.#afterError(items, error);
    }
  }

  async #tag(items: readonly Item[], tag: string): Promise<Result[]> {
    const add = async (item: Item): Promise<Result[]> => {
      try {
        await this.#account.api.addTag(item.request_id, tag, this.#call);
        return [result(item.request_id, 'done')];
      } catch (error) {
        if (error instanceof EdgegapError && error.code === 'edgegap-conflict')
          return [result(item.request_id, 'left-out', hasTag(tag))];
        return await this.#afterError([item], error);
      }
    };
    return (await Promise.all(items.map(add))).flat();
  }

  /** If the outcome is unknown, finds out whether the change was made. */
  async #afterError(items: readonly Item[], error: unknown): Promise<Result[]> {
    const state = 'failed';
    const reason = this.#reason(error);
    if (error instanceof EdgegapError && error.outcome !== 'not-done')
      return await this.#lookUp(items, { state, reason });
    return items.map(({ request_id }) => ({ request_id, state, reason }));
  }

  /**
   * Finds out which deployments have been changed. The result of a deployment is `changed` if it was changed, and
   * `otherwise` if not.
   */
  async #lookUp(
    items: readonly Item[],
    otherwise: Omit<Result, 'request_id'>,
    changed: 'done' | 'left-out' = 'done',
  ): Promise<Result[]> {
    const { change } = this.#plan;
    return await Promise.all(
      items.map(async ({ request_id }): Promise<Result> => {
        try {
          const why = await this.#made(request_id, change);
          if (why === undefined) return { request_id, ...otherwise };
          return result(request_id, changed, changed === 'done' ? undefined : why);
        } catch (error) {
          return result(request_id, 'failed', this.#reason(error));
        }
      }),
    );
  }

  /**
   * Returns a text that says how the deployment has been changed, by the plan or in another way. Undefined if it has
   * not been changed.
   */
  async #made(id: string, change: Change): Promise<string | undefined> {
    if (change.kind === 'stop') return await ending(this.#account, id, this.#call);
    const tags = await this.#account.api.tags(id, this.#call);
    return tags.includes(change.tag) ? hasTag(change.tag) : undefined;
  }

  /**
   * Returns the failure as a text for people. Throws if this process is stopping, because another process then
   * continues the plan.
   */
  #reason(error: unknown): string {
    this.#signal.throwIfAborted();
    if (!(error instanceof AppError)) throw error;
    const { code, userMessage } = error;
    this.#log.warn({ plan: this.#plan.id, code, problem: userMessage }, 'bulk: a batch failed');
    return userMessage;
  }

  /**
   * Updates the stored deployments after the change, and writes the results of deployments that are in the state
   * `from`. Throws if another process may have taken over the plan.
   */
  async #write(from: ItemState, results: readonly Result[]): Promise<void> {
    this.#signal.throwIfAborted();
    const { deployments, plans } = this.#account;
    const { id, change, asker } = this.#plan;
    const inState = (...states: ItemState[]) =>
      results.flatMap(({ request_id, state }) => (states.includes(state) ? [request_id] : []));
    for (const request_id of inState('done')) {
      if (change.kind === 'stop') await deployments.stopping(request_id, asker.name);
      else await deployments.tagged(request_id, change.tag);
    }
    await plans.record(this.#plan, from, results, async (tx) => {
      // A request to stop this process may have arrived while the transaction waited for the database.
      this.#signal.throwIfAborted();
      if (change.kind !== 'stop') return;
      // The store records the plan before the stop is sent, because the news of the end may arrive before the answer to
      // the stop.
      const about = { at: asker.at, plan: id };
      await deployments.stopsByPlan(tx, { ...about, stops: true }, inState('sending'));
      await deployments.stopsByPlan(tx, { ...about, stops: false }, inState('failed', 'left-out', 'planned'));
    });
  }
}

function result(request_id: string, state: ItemState, reason?: string): Result {
  return { request_id, state, reason };
}
