import { EdgegapError } from '../edgegap/errors.ts';
import { STOP_BATCH } from '../edgegap/stop.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { TaskKind } from '../work/task.ts';
import type { Change, Item, ItemState, Result, RunningPlan } from './plan.ts';
import { BULK } from './plans.ts';
import { BACKGROUND, type BulkAccount, ending, hasTag, leftOut } from './recheck.ts';

/** Each tag is a request of its own, so a batch is smaller than a batch of stops, which is a single request. */
const TAG_BATCH = 20;

/** The task that carries out the confirmed plans of an account, batch by batch. */
export function carryingOut({
  accountOf,
  readOnly,
  log,
}: {
  readonly accountOf: (id: string) => BulkAccount;
  /** If true, nothing more is changed, not even for plans that were confirmed before. */
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
        // Every plan learns first what a dead process has done for the plan: another plan may hold the same servers.
        for (const batch of batches) await batch.settle();
        // The plans take turns, so a short plan need not wait for the end of a long plan.
        for (const batch of batches) {
          signal.throwIfAborted();
          await (readOnly ? batch.giveUp('I am set to read-only now') : batch.run());
        }
      }
    },
  };
}

/** A step of a plan. */
class Batch {
  readonly #account: BulkAccount;
  readonly #plan: RunningPlan;
  readonly #signal: AbortSignal;
  readonly #log: Logger;

  constructor(account: BulkAccount, plan: RunningPlan, signal: AbortSignal, log: Logger) {
    this.#account = account;
    this.#plan = plan;
    this.#signal = signal;
    this.#log = log;
  }

  /** Finds out what a dead process has done. A change that was not made is asked for again. */
  async settle(): Promise<void> {
    const left = await this.#account.plans.items(this.#plan.id, 'sending');
    if (left.length > 0) await this.#write(await this.#lookUp(left, { state: 'planned' }));
  }

  /** Names all deployments that have not been changed yet as failed. */
  async giveUp(reason: string): Promise<void> {
    const open = await this.#account.plans.items(this.#plan.id, 'planned');
    await this.#write(open.map(({ request_id }) => result(request_id, 'failed', reason)));
  }

  /** Changes the next deployments. */
  async run(): Promise<void> {
    const { id, change } = this.#plan;
    const { plans } = this.#account;
    const size = change.kind === 'stop' ? STOP_BATCH : TAG_BATCH;
    const next = await plans.items(id, 'planned', size);
    if (next.length === 0) return await this.#write([]);
    const out = await this.#leftOut(next);
    const fit = next.filter(({ request_id }) => !out.has(request_id));
    await this.#write([
      ...out.values(),
      ...fit.map(({ request_id }) => ({ request_id, state: 'sending' as const })),
    ]);
    if (fit.length === 0) return;
    this.#signal.throwIfAborted();
    await this.#write(await (change.kind === 'stop' ? this.#stop(fit) : this.#tag(fit, change.tag)));
  }

  /** The deployments that are not changed, because they have changed since the plan or cannot be asked about. */
  async #leftOut(items: readonly Item[]): Promise<ReadonlyMap<string, Result>> {
    const ids = items.map(({ request_id }) => request_id);
    const results = await leftOut(this.#account, this.#plan, ids).then(
      (reasons) => [...reasons].map(([id, reason]) => result(id, 'left-out', reason)),
      (error: unknown) => {
        const reason = this.#reason(error);
        return ids.map((id) => result(id, 'failed', reason));
      },
    );
    return new Map(results.map((one) => [one.request_id, one]));
  }

  async #stop(items: readonly Item[]): Promise<Result[]> {
    const ids = items.map(({ request_id }) => request_id);
    await this.#account.beforeStop(ids);
    try {
      const taken = new Set((await this.#account.api.stopMany(ids, BACKGROUND)).taken);
      const refused = items.filter(({ request_id }) => !taken.has(request_id));
      const missing = await Promise.all(refused.map(({ request_id }) => this.#notTaken(request_id)));
      return [...[...taken].map((id) => result(id, 'done')), ...missing];
    } catch (error) {
      return await this.#afterError(items, error);
    }
  }

  /** Edgegap's answer did not contain the deployment: either the deployment has ended, or the stop failed. */
  async #notTaken(id: string): Promise<Result> {
    const over = await ending(this.#account, id).catch(() => undefined);
    return over ? result(id, 'left-out', over) : result(id, 'failed', 'Edgegap did not accept the stop');
  }

  async #tag(items: readonly Item[], tag: string): Promise<Result[]> {
    const add = async (item: Item): Promise<Result[]> => {
      try {
        await this.#account.api.addTag(item.request_id, tag, BACKGROUND);
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

  /** The results of deployments for which the change may have been made; `otherwise` if the change was not made. */
  async #lookUp(items: readonly Item[], otherwise: Omit<Result, 'request_id'>): Promise<Result[]> {
    const { change } = this.#plan;
    return await Promise.all(
      items.map(async ({ request_id }): Promise<Result> => {
        try {
          const made = await this.#isMade(request_id, change);
          return made ? result(request_id, 'done') : { request_id, ...otherwise };
        } catch (error) {
          return result(request_id, 'failed', this.#reason(error));
        }
      }),
    );
  }

  async #isMade(id: string, change: Change): Promise<boolean> {
    if (change.kind === 'stop') return (await ending(this.#account, id)) !== undefined;
    return (await this.#account.api.tags(id, BACKGROUND)).includes(change.tag);
  }

  /** The failure in words for people. Throws if this process is stopping: another process then goes on. */
  #reason(error: unknown): string {
    this.#signal.throwIfAborted();
    if (!(error instanceof AppError)) throw error;
    const { code, userMessage } = error;
    this.#log.warn({ plan: this.#plan.id, code, problem: userMessage }, 'bulk: a batch failed');
    return userMessage;
  }

  /** Tells the bot's own deployments about the change, and writes the results. */
  async #write(results: readonly Result[]): Promise<void> {
    const { deployments, plans } = this.#account;
    const { id, change, asker } = this.#plan;
    const inState = (...states: ItemState[]) =>
      results.flatMap(({ request_id, state }) => (states.includes(state) ? [request_id] : []));
    for (const request_id of inState('done')) {
      if (change.kind === 'stop') await deployments.stopping(request_id, asker.name);
      else await deployments.tagged(request_id, change.tag);
    }
    await plans.record(this.#plan, results, async (tx) => {
      if (change.kind !== 'stop') return;
      // The note is written before the stop is sent, because the news of the end may be faster than the answer.
      const about = { at: asker.at, plan: id };
      await deployments.stopsByPlan(tx, { ...about, stops: true }, inState('sending'));
      await deployments.stopsByPlan(tx, { ...about, stops: false }, inState('failed', 'left-out', 'planned'));
    });
  }
}

function result(request_id: string, state: ItemState, reason?: string): Result {
  return { request_id, state, reason };
}
