import { randomBytes } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import type { MessageRef } from '../chat/port.ts';
import { ageOf, type Clock } from '../clock.ts';
import { InputError } from '../errors.ts';
import { enqueue } from '../notify/outbox.ts';
import { deleteSome } from '../store/purge.ts';
import type { PlanItemsTable, PlansTable, Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';
import { schedule } from '../work/task.ts';
import { planProgress } from './cards.ts';
import type { Item, ItemState, Order, Planner, Result, RunningPlan, Target } from './plan.ts';

export const BULK = 'bulk';
/** How long a plan can be confirmed. After this time, the person may have forgotten which servers the plan contains. */
const ANSWER_MS = 15 * 60_000;
/** The maximum number of rows in one statement, because databases limit the number of values. */
const ROWS_AT_ONCE = 500;
const PURGED_AT_ONCE = 20;

export interface PlansParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly account: string;
  /**
   * Marks the invocation as ended, in the transaction `tx`. Throws if another process has taken over the invocation.
   */
  readonly conclude: (tx: Store, invocationId: string) => Promise<void>;
}

/** The plans of an account that change many deployments at once. */
export class Plans {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #account: string;
  readonly #conclude: PlansParts['conclude'];

  constructor({ store, clock, account, conclude }: PlansParts) {
    this.#store = store;
    this.#clock = clock;
    this.#account = account;
    this.#conclude = conclude;
  }

  /** Stores a plan that waits for its confirmation. Returns the plan's id. */
  async create(order: Order, targets: readonly Target[]): Promise<string> {
    const id = randomBytes(12).toString('hex');
    const created_at = this.#clock.now();
    const rows = targets.map(({ request_id, cells }, place) => ({
      plan_id: id,
      request_id,
      place,
      cells_json: JSON.stringify(cells),
      state: 'planned',
      changed_at: created_at,
    }));
    const plan_json = JSON.stringify(order);
    await transact(this.#store, async (tx) => {
      await tx
        .insertInto('plans')
        .values({ id, account: this.#account, plan_json, state: 'asked', created_at })
        .execute();
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE)
        await tx
          .insertInto('plan_items')
          .values(rows.slice(from, from + ROWS_AT_ONCE))
          .execute();
    });
    return id;
  }

  /** Returns the plan that waits for an answer from this person. Throws InputError if no such plan is waiting. */
  async asked(id: string, { id: person, at }: Planner): Promise<Order & { readonly count: number }> {
    const row = await this.#plan(id);
    const { asker, ...order }: Partial<Order> = row ? JSON.parse(row.plan_json) : {};
    const isTheirs =
      asker?.id === person && asker.at.platform === at.platform && asker.at.workspace === at.workspace;
    if (!row || !isTheirs || row.state !== 'asked') throw answered();
    if (ageOf(row.created_at, this.#clock.now()) > ANSWER_MS)
      throw new InputError('plan-late', 'I showed you this plan more than 15 minutes ago.', {
        hint: 'Nothing was done. Give the command again for a new plan.',
      });
    const counting = this.#store
      .selectFrom('plan_items')
      .select(({ fn }) => fn.countAll<number>().as('count'));
    const { count } = await counting.where('plan_id', '=', id).executeTakeFirstOrThrow();
    return { ...(order as Order), asker, count: Number(count) };
  }

  /**
   * Starts to carry out the plan. A plan can be confirmed only once. The progress is shown on `card`. Throws InputError
   * if the plan cannot be confirmed.
   */
  async confirm(id: string, invocationId: string, card: MessageRef): Promise<void> {
    await transact(this.#store, async (tx) => {
      await this.#conclude(tx, invocationId);
      await this.#answer(tx, id, { state: 'running', card_json: JSON.stringify(card) });
      // A single task carries out all plans of an account, so two plans never change a deployment at the same time.
      const account = this.#account;
      await schedule(tx, this.#clock, { kind: BULK, key: account, account, at: this.#clock.now() });
    });
  }

  /** Cancels the plan. Throws InputError if the plan was already answered. */
  async cancel(id: string): Promise<void> {
    await this.#answer(this.#store, id, { state: 'cancelled' });
  }

  async #answer(tx: Store, id: string, change: { state: string; card_json?: string }): Promise<void> {
    const asked = tx.updateTable('plans').set(change).where('id', '=', id).where('state', '=', 'asked');
    const { numUpdatedRows } = await asked.where('account', '=', this.#account).executeTakeFirst();
    if (numUpdatedRows === 0n) throw answered();
  }

  async #plan(id: string) {
    const own = this.#store.selectFrom('plans').selectAll().where('account', '=', this.#account);
    return await own.where('id', '=', id).executeTakeFirst();
  }

  /**
   * Returns a confirmed plan and the request_ids of the deployments whose change failed. Undefined if the plan was
   * purged.
   */
  async failed(id: string): Promise<{ plan: RunningPlan; ids: readonly string[] } | undefined> {
    const row = await this.#plan(id);
    const items = await this.items(id, 'failed');
    return row && { plan: planOf(row), ids: items.map(({ request_id }) => request_id) };
  }

  /** Returns the plans that are being carried out, oldest first. */
  async running(): Promise<RunningPlan[]> {
    const own = this.#store.selectFrom('plans').selectAll().where('account', '=', this.#account);
    const rows = await own.where('state', '=', 'running').orderBy('created_at').execute();
    return rows.map(planOf);
  }

  /**
   * Returns the deployments of a plan in order. With `state`, returns only deployments in this state, and at most
   * `limit`.
   */
  async items(id: string, state?: ItemState, limit?: number): Promise<Item[]> {
    const rows = await this.#store
      .selectFrom('plan_items')
      .selectAll()
      .where('plan_id', '=', id)
      .$if(state !== undefined, (query) => query.where('state', '=', state ?? ''))
      .orderBy('place')
      .$if(limit !== undefined, (query) => query.limit(limit ?? 0))
      .execute();
    return rows.map(itemOf);
  }

  /** Returns the ids from `request_ids` whose deployments a plan has stopped since the time `since` (epoch ms). */
  async stoppedSince(requestIds: readonly string[], since: number): Promise<ReadonlySet<string>> {
    const rows = await this.#store
      .selectFrom('plan_items')
      .innerJoin('plans', 'plans.id', 'plan_items.plan_id')
      .select(['request_id', 'plan_json'])
      .where('request_id', 'in', requestIds)
      .where('plan_items.state', '=', 'done')
      .where('changed_at', '>', since)
      .where('plans.account', '=', this.#account)
      .execute();
    const stops = rows.filter(({ plan_json }) => (JSON.parse(plan_json) as Order).change.kind === 'stop');
    return new Set(stops.map(({ request_id }) => request_id));
  }

  /**
   * In one transaction, stores `results`, calls `also`, and stores an edit of the plan's card. When every deployment
   * has an outcome, the plan is done. If a deployment is no longer in the state `from`, another process has continued
   * the plan. In this case, the function throws and writes nothing.
   */
  async record(
    plan: RunningPlan,
    from: ItemState,
    results: readonly Result[],
    also?: (tx: Store) => Promise<void>,
  ): Promise<void> {
    const changed_at = this.#clock.now();
    await transact(this.#store, async (tx) => {
      for (const [{ state, reason = null }, ids] of alike(results)) {
        const { numUpdatedRows } = await tx
          .updateTable('plan_items')
          .set({ state, reason, changed_at })
          .where('plan_id', '=', plan.id)
          .where('request_id', 'in', ids)
          .where('state', '=', from)
          .executeTakeFirst();
        if (Number(numUpdatedRows) < ids.length)
          throw new InputError('plan-went-on', 'The plan has gone on in the meantime.', {
            hint: 'See the card of the plan, and ask again if the card still says that servers failed.',
          });
      }
      await also?.(tx);
      const rows = tx.selectFrom('plan_items').selectAll().where('plan_id', '=', plan.id).orderBy('place');
      const items = (await rows.execute()).map(itemOf);
      const isOver = !items.some(isOpen);
      if (isOver) await tx.updateTable('plans').set({ state: 'done' }).where('id', '=', plan.id).execute();
      // After the first edit, the card shows only results. If there are no new results, no edit is needed.
      if (!isOver && results.every(isOpen) && !items.every(isOpen)) return;
      await enqueue(tx, this.#clock, {
        kind: 'edit',
        orderKey: plan.id,
        target: plan.card,
        message: planProgress(plan.id, plan, items),
      });
    });
  }
}

/** Groups the results with the same state and reason. Returns a result and the request_ids for each group. */
function alike(results: readonly Result[]): [Result, string[]][] {
  const groups = Map.groupBy(results, ({ state, reason }) => `${state} ${reason}`).values();
  return [...groups].map((group) => [group[0] as Result, group.map(({ request_id }) => request_id)]);
}

function isOpen({ state }: Pick<Result, 'state'>): boolean {
  return state === 'planned' || state === 'sending';
}

function planOf({ id, plan_json, card_json }: Selectable<PlansTable>): RunningPlan {
  return { ...(JSON.parse(plan_json) as Order), id, card: JSON.parse(card_json ?? 'null') };
}

function itemOf({ request_id, cells_json, state, reason }: Selectable<PlanItemsTable>): Item {
  return {
    request_id,
    cells: JSON.parse(cells_json),
    state: state as ItemState,
    reason: reason ?? undefined,
  };
}

function answered(): InputError {
  return new InputError('plan-answered', 'That plan was answered already.', {
    hint: 'A confirmed plan is carried out, and the card in the channel shows the progress. For a new plan, give the command again.',
  });
}

/**
 * Deletes some plans that were created before the time `before` (epoch ms) and are not being carried out. Returns true
 * if more plans may have to be deleted.
 */
export async function purgePlans(store: Store, before: number): Promise<boolean> {
  return await transact(store, async (tx) => {
    const isOver = sql<boolean>`created_at < ${before} and state <> 'running'`;
    const gone = await deleteSome(tx, 'plans', isOver, PURGED_AT_ONCE);
    if (gone.length > 0) await tx.deleteFrom('plan_items').where('plan_id', 'in', gone).execute();
    return gone.length === PURGED_AT_ONCE;
  });
}
