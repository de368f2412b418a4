import { type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import { type Clock, farthest } from '../clock.ts';
import type { DeploymentStatus } from '../edgegap/schema.ts';
import type { Membership } from '../replicas/membership.ts';
import { deleteSome } from '../store/purge.ts';
import { type Database, passingOverLocked, type Store } from '../store/schema.ts';
import { transact, wroteTo } from '../store/transact.ts';
import { type Deployment, fromRow } from './deployment.ts';
import { DOUBT_END_MS, POLL_FAILED_MAX_MS } from './timing.ts';

/** Few enough that nobody waits for them to go. */
const PURGE_AT_ONCE = 200;

/** A live deployment as the list can confirm it. */
export interface Believed {
  readonly id: string;
  readonly requestId: string;
  readonly status: string | null;
  readonly wasReady: boolean;
  /** It is to be asked about anyway. */
  readonly checked: boolean;
}

/** A deployment to be asked about now. */
export interface DueDeployment {
  readonly id: string;
  /** Throws where its row is damaged; the others are asked about all the same. */
  readonly read: () => Deployment;
}

/** When to ask about which deployment of an account, and what is left to ask about. Reads no more of a row than that takes. */
export class DeploymentSchedule {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Sets when to ask about a deployment next, and what is to be remembered until then. */
  async set(
    id: string,
    checkAt: number | undefined,
    { doubted, ...remember }: { readonly checks?: number; readonly doubted?: DeploymentStatus } = {},
    db: Store = this.#store,
  ): Promise<void> {
    await db
      .updateTable('deployments')
      .set({
        check_at: checkAt ?? null,
        ...remember,
        ...(doubted ? { doubted: JSON.stringify(doubted) } : {}),
      })
      .where('id', '=', id)
      .execute();
    wroteTo(db, 'deployments');
  }

  /** Those whose request was sent, or not, by a process that is no more. */
  async abandoned(account: string, membership: Pick<Membership, 'gone'>): Promise<string[]> {
    const left = this.#store
      .selectFrom('deployments')
      .select('id')
      .where('account', '=', account)
      .where('phase', '=', 'requesting')
      .where((eb) => membership.gone(eb.ref('deployments.holder')))
      .orderBy('created_at');
    const rows = await passingOverLocked(left, this.#store).execute();
    return rows.map(({ id }) => id);
  }

  async isAnyLive(account: string): Promise<boolean> {
    const row = await this.#store
      .selectFrom('deployments')
      .select('id')
      .where('account', '=', account)
      .where('phase', '=', 'live')
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** What is believed of the live ones not heard of since `before` (epoch ms), as far as the list can confirm it. */
  async believedLive(account: string, before: number): Promise<Believed[]> {
    const rows = await this.#store
      .selectFrom('deployments')
      .select(['id', 'request_id', 'status', 'ready_at', 'check_at'])
      .where('account', '=', account)
      .where('phase', '=', 'live')
      .where((eb) => eb.or([eb('heard_at', '<=', before), eb('heard_at', '>', farthest(this.#clock.now()))]))
      .orderBy('created_at')
      .execute();
    return rows.flatMap(({ id, request_id, status, ready_at, check_at }) =>
      request_id === null
        ? []
        : [{ id, requestId: request_id, status, wasReady: ready_at !== null, checked: check_at !== null }],
    );
  }

  /**
   * Takes up to `limit` of those that are to be asked about by now. They are not due again for `leaseMs`: to nobody else
   * while they are asked about, and to somebody should whoever took them die over it.
   */
  async claimDue(account: string, limit: number, leaseMs: number): Promise<DueDeployment[]> {
    const now = this.#clock.now();
    const due = this.#store
      .selectFrom('deployments')
      .select('id')
      .where('account', '=', account)
      .where((eb) => isDue(eb, now))
      .orderBy('check_at')
      .limit(limit);
    const rows = await this.#store
      // Materialized, because PostgreSQL may else run the inner query several times, and lock other rows each time.
      .with(
        (cte) => cte('due').materialized(),
        () => passingOverLocked(due, this.#store),
      )
      .updateTable('deployments')
      .set({ check_at: now + leaseMs })
      .where('id', 'in', (eb) => eb.selectFrom('due').select('due.id'))
      // Said again, as the row may have been taken by another while this statement waited for it.
      .where((eb) => isDue(eb, now))
      .returningAll()
      .execute();
    return rows.map((row) => ({ id: row.id, read: () => fromRow(row) }));
  }

  async nextCheckAt(account: string): Promise<number | undefined> {
    const row = await this.#store
      .selectFrom('deployments')
      .select('check_at')
      .where('account', '=', account)
      .where('check_at', 'is not', null)
      .orderBy('check_at')
      .limit(1)
      .executeTakeFirst();
    return row?.check_at ?? undefined;
  }

  /**
   * Forgets some of the deployments that were over before `before` (epoch ms), and their callbacks; true while there
   * may be more. Whatever may still run is kept.
   */
  async purge(before: number): Promise<boolean> {
    const isOver = sql<SqlBool>`phase in ('ended', 'refused', 'lost') and heard_at < ${before} and ${notInDoubt(before)}`;
    return await transact(this.#store, async (tx) => {
      const ids = await deleteSome(tx, 'deployments', isOver, PURGE_AT_ONCE);
      if (ids.length > 0) await tx.deleteFrom('callbacks').where('deployment_id', 'in', ids).execute();
      return ids.length === PURGE_AT_ONCE;
    });
  }
}

/** One that was lost may have turned up in this moment. */
function notInDoubt(before: number) {
  return sql`not exists (select 1 from callbacks where callbacks.deployment_id = deployments.id
    and handled_at is null and received_at >= ${before})`;
}

/** Also where its time is further ahead than any: then it was written by a clock that was. */
function isDue({ and, or, eb }: ExpressionBuilder<Database, 'deployments'>, now: number) {
  return or([
    eb('check_at', '<=', now),
    eb('check_at', '>', farthest(now, DOUBT_END_MS)),
    and([eb('check_at', '>', farthest(now, POLL_FAILED_MAX_MS)), eb('phase', '!=', 'ended')]),
  ]);
}
