import type { Address } from '../chat/port.ts';
import type { Clock } from '../clock.ts';
import { InputError } from '../errors.ts';
import type { Store } from '../store/schema.ts';
import { transact, wroteTo } from '../store/transact.ts';
import { announce, drawCard, type NewsSource } from './announce.ts';
import type { Additions } from './card.ts';
import { type Deployment, fromRow, hasSurelyEnded, toColumns, withoutValues } from './deployment.ts';
import { type EventsBehind, eventsBehind } from './events-behind.ts';
import { type Intent, insertIntent, newId } from './intent.ts';
import { setTimers } from './lifetimes.ts';
import { endEarly } from './planned-stops.ts';
import { scheduleReports } from './reports.ts';
import { DeploymentSchedule } from './schedule.ts';
import { Search } from './search.ts';
import { advance, type Happening, hasStatus, type News } from './state.ts';

/** How the bot learned the news, and when to ask about the deployment again. */
export interface Learning {
  readonly source: NewsSource;
  readonly checkAt?: (deployment: Deployment) => number | undefined;
}

/** The table of deployments. Apart from this class, only DeploymentSchedule and Search access the table. */
export class DeploymentRepository {
  readonly schedule: DeploymentSchedule;
  readonly search: Search;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #dashboard: string | undefined;

  /**
   * `dashboard` is the address of Edgegap's dashboard. A card links to the dashboard if its note refers to the
   * dashboard.
   */
  constructor(store: Store, clock: Clock, dashboard?: string) {
    this.schedule = new DeploymentSchedule(store, clock);
    this.search = new Search(store);
    this.#store = store;
    this.#clock = clock;
    this.#dashboard = dashboard;
  }

  /**
   * Stores an intent. If the invocation already has a deployment, the request is a repetition, and `create` returns
   * that deployment with `created: false`. `replaces` is the id of a lost deployment that the new deployment replaces. If
   * two people replace the same deployment at the same time, the second person gets an InputError. `confirm` runs before the insert, and `admit` after the insert. If one of them throws, nothing is
   * written.
   */
  async create(
    intent: Intent,
    replaces?: string,
    confirm?: (tx: Store, invocationId: string) => Promise<void>,
    admit?: (tx: Store, deployment: Deployment) => Promise<void>,
  ): Promise<{ deployment: Deployment; created: boolean }> {
    return await transact(this.#store, async (tx) => {
      await confirm?.(tx, intent.invocationId);
      const id = intent.id ?? newId();
      const inserted = await insertIntent(tx, { ...intent, id }, this.#clock.now());
      if (inserted) {
        await admit?.(tx, fromRow(inserted));
        if (replaces) await this.#replace(tx, replaces, id);
        return { deployment: fromRow(inserted), created: true };
      }
      const row = await tx
        .selectFrom('deployments')
        .selectAll()
        .where('invocation_id', '=', intent.invocationId)
        .executeTakeFirstOrThrow();
      return { deployment: fromRow(row), created: false };
    });
  }

  /**
   * Works like `change`, for an intent that `create` may or may not have stored. A commit may hang (for example if the
   * database's standby is down) and succeed after `create` gave up. Both inserts contain the same unique values, so the
   * insert here waits for that commit. If that commit fails, this insert stores the intent.
   */
  async changeUnsure<Result>(
    intent: Intent & { readonly id: string },
    work: (tx: Store, deployments: readonly Deployment[]) => Promise<Result>,
  ): Promise<Result> {
    return await transact(this.#store, async (tx) => {
      await insertIntent(tx, intent, this.#clock.now());
      return await work(tx, await lock(tx, [intent.id]));
    });
  }

  /** Marks a lost deployment as replaced, and removes the button from its card. */
  async #replace(tx: Store, id: string, by: string): Promise<void> {
    const [before] = await lock(tx, [id]);
    if (before?.phase !== 'lost' || before.replacedBy !== undefined)
      throw new InputError('again-done', 'There is nothing to deploy again.', {
        hint: before?.replacedBy ? 'Someone was faster.' : 'The server has started: see its card.',
      });
    // From now on, only the new deployment stores the values of variables.
    const plan_json = JSON.stringify(withoutValues(before.plan));
    await tx.updateTable('deployments').set({ replaced_by: by, plan_json }).where('id', '=', id).execute();
    const after = { ...before, replacedBy: by };
    await announce(tx, this.#clock, {
      before,
      after,
      happened: [],
      source: 'asked',
      dashboard: this.#dashboard,
    });
  }

  /**
   * Undoes, in the transaction `tx`, the replacement of the deployment `id` by the deployment `by`. The card of `id`
   * shows its button again, and its row contains the values of variables again.
   */
  async giveBack(tx: Store, id: string, by: Pick<Deployment, 'id' | 'plan'>): Promise<void> {
    const [before] = await lock(tx, [id]);
    if (before?.replacedBy !== by.id) return;
    const columns = { replaced_by: null, plan_json: JSON.stringify({ ...before.plan, env: by.plan.env }) };
    await tx.updateTable('deployments').set(columns).where('id', '=', id).execute();
    const after = { ...before, replacedBy: undefined };
    await announce(tx, this.#clock, {
      before,
      after,
      happened: [],
      source: 'asked',
      dashboard: this.#dashboard,
    });
  }

  /**
   * Runs `work` in a transaction that has locked these deployments. Other news about them waits until the transaction
   * ends. The bot therefore applies news one after another, and writes the messages in the same order.
   */
  async change<Result>(
    ids: readonly string[],
    work: (tx: Store, deployments: readonly Deployment[]) => Promise<Result>,
  ): Promise<Result> {
    return await transact(this.#store, async (tx) => work(tx, await lock(tx, ids)));
  }

  /**
   * Applies news to a deployment that `change` has locked, and writes the messages. Returns the deployment after the
   * change.
   */
  async write(tx: Store, before: Deployment, news: News, { source, checkAt }: Learning): Promise<Deployment> {
    const now = this.#clock.now();
    const behind = await eventsBehind(tx, before, news);
    const { known, told } = withDoubted(before, behind, now);
    let { changes, happened } = advance(known, hasStatus(news) ? { ...news, ...behind } : news, now);
    let deaf = news.kind === 'unknown-outcome' || news.kind === 'not-found';
    if (changes.requestId !== undefined && (await this.isAnothers(tx, before, changes.requestId))) {
      // Each request_id belongs to only one deployment, so this news is about a different deployment.
      deaf = true;
      ({ changes, happened } = advance(known, { kind: 'unknown-outcome' }, now));
    }
    const learned: Deployment = { ...known, ...changes, heardAt: deaf ? before.heardAt : now };
    const after: Deployment = { ...learned, checkAt: checkAt ? checkAt(learned) : before.checkAt };
    // If a different deployment has received this request_id, the update fails, and the transaction is repeated from
    // the beginning.
    await tx.updateTable('deployments').set(toColumns(after)).where('id', '=', before.id).execute();
    wroteTo(tx, 'deployments');
    const all = [...told, ...happened];
    const [clock, dashboard] = [this.#clock, this.#dashboard];
    await announce(tx, clock, { before, after, happened: all, source, dashboard });
    await scheduleReports(tx, this.#clock, after, all);
    await setTimers(tx, this.#clock, before, after);
    // If the bot only inferred that a server has ended, the server may still run. The planned stop then remains, and is
    // carried out on time.
    if (after.requestId !== undefined && hasSurelyEnded(after) && !hasSurelyEnded(before))
      await endEarly(tx, this.#clock, after.account, after.requestId);
    return after;
  }

  /**
   * Records that the plan stops these deployments of the account. With `stops: false`, removes this record. Only
   * deployments from the channel `at` are recorded, because the plan's card is in this channel.
   */
  async stopsByPlan(
    tx: Store,
    { account, at, plan, stops }: { account: string; at: Address; plan: string; stops: boolean },
    requestIds: readonly string[],
  ): Promise<void> {
    if (requestIds.length === 0) return;
    await tx
      .updateTable('deployments')
      .set((eb) => ({ stop_plan: stops ? plan : null, revision: eb('revision', '+', 1) }))
      .where('request_id', 'in', requestIds)
      .where('account', '=', account)
      .$if(!stops, (query) => query.where('stop_plan', '=', plan))
      .where('platform', '=', at.platform)
      .where('workspace', '=', at.workspace)
      .where('channel', '=', at.channel)
      .execute();
  }

  /** Runs `work` in a transaction that locks no deployment. */
  async transact<Result>(work: (tx: Store) => Promise<Result>): Promise<Result> {
    return await transact(this.#store, work);
  }

  /** Whether a different deployment of the account has this request_id. */
  async isAnothers(
    tx: Store,
    { id, account }: Pick<Deployment, 'id' | 'account'>,
    requestId: string,
  ): Promise<boolean> {
    const row = await tx
      .selectFrom('deployments')
      .select('id')
      .where('request_id', '=', requestId)
      .where('account', '=', account)
      .where('id', '!=', id)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Whether Edgegap has sent a callback for this event. The callback may be handled or not. */
  async wasCalledBack(id: string, event: string, db: Store = this.#store): Promise<boolean> {
    const row = await db
      .selectFrom('callbacks')
      .select('event')
      .where('deployment_id', '=', id)
      .where('event', '=', event)
      .executeTakeFirst();
    return row !== undefined;
  }

  /**
   * Writes an edit of the live card that shows the present time as the time of the check. The edit is written even if
   * nothing has changed, and is sent in order with the other messages.
   */
  async redraw(id: string): Promise<void> {
    const additions: Additions = { checkedAt: this.#clock.now(), dashboard: this.#dashboard };
    const draw = (tx: Store, deployment: Deployment) => drawCard(tx, this.#clock, deployment, additions);
    await this.change([id], async (tx, [deployment]) => deployment && draw(tx, deployment));
  }

  /**
   * Returns the secrets of these deployments, by the deployments' ids. The bot first checks a callback's secret, and
   * reads the whole deployment only if the secret is correct.
   */
  async secretsOf(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#store
      .selectFrom('deployments')
      .select(['id', 'secret'])
      .where('id', 'in', ids)
      .execute();
    return new Map(rows.map(({ id, secret }) => [id, secret]));
  }

  async byId(id: string): Promise<Deployment | undefined> {
    const row = this.#store.selectFrom('deployments').selectAll().where('id', '=', id);
    return this.#one(row.executeTakeFirst());
  }

  async byRequestId(account: string, requestId: string): Promise<Deployment | undefined> {
    return this.#one(this.#of(account).where('request_id', '=', requestId).executeTakeFirst());
  }

  /**
   * The account's deployments from this channel whose request_id begins with `prefix`, newest first. Only deployments
   * of `applications` are returned. If `applications` is undefined, all are returned.
   */
  async byPrefix(
    account: string,
    at: Address,
    prefix: string,
    limit: number,
    applications?: readonly string[],
  ): Promise<Deployment[]> {
    if (applications?.length === 0) return [];
    const rows = await this.#inChannel(account, at)
      .$if(applications !== undefined, (query) => query.where('application', 'in', applications ?? []))
      .where('request_id', '>=', prefix)
      .where('request_id', '<', `${prefix}\uffff`)
      .limit(limit)
      .execute();
    return rows.map(fromRow);
  }

  /** The account's newest deployment from this channel that has a request_id. */
  async latest(account: string, at: Address): Promise<Deployment | undefined> {
    const newest = this.#inChannel(account, at).where('request_id', 'is not', null).limit(1);
    return this.#one(newest.executeTakeFirst());
  }

  #of(account: string) {
    return this.#store.selectFrom('deployments').selectAll().where('account', '=', account);
  }

  #inChannel(account: string, at: Address) {
    return this.#of(account)
      .where('platform', '=', at.platform)
      .where('workspace', '=', at.workspace)
      .where('channel', '=', at.channel)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc');
  }

  async #one(row: Promise<Parameters<typeof fromRow>[0] | undefined>): Promise<Deployment | undefined> {
    const found = await row;
    return found && fromRow(found);
  }
}

/** Applies the doubted status before other news, because Edgegap may never report the doubted status again. */
function withDoubted(
  before: Deployment,
  behind: EventsBehind,
  now: number,
): { known: Deployment; told: readonly Happening[] } {
  if (!before.doubted) return { known: before, told: [] };
  const { changes, happened } = advance(
    before,
    { kind: 'called-back', status: before.doubted, ...behind },
    now,
  );
  return { known: { ...before, ...changes, doubted: undefined }, told: happened };
}

/** Locks the rows by incrementing their revision. An update locks a row on every database. */
async function lock(tx: Store, ids: readonly string[]): Promise<Deployment[]> {
  const rows = await tx
    .updateTable('deployments')
    .set((eb) => ({ revision: eb('revision', '+', 1) }))
    .where('id', 'in', ids)
    .returningAll()
    .execute();
  return rows.map(fromRow);
}
