import { type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import { type Clock, farthest } from '../clock.ts';
import type { DeploymentStatus } from '../edgegap/schema.ts';
import type { Membership } from '../replicas/membership.ts';
import { deleteSome } from '../store/purge.ts';
import { type Database, passingOverLocked, type Store } from '../store/schema.ts';
import { transact, wroteTo } from '../store/transact.ts';
import { type Deployment, fromRow } from './deployment.ts';
import { DOUBT_END_MS, POLL_FAILED_MAX_MS } from './timing.ts';

/** Few enough that no other work waits noticeably. */
const PURGE_AT_ONCE = 200;

/** The facts about a live deployment that Edgegap's list can confirm. */
export interface Believed {
  readonly id: string;
  readonly requestId: string;
  readonly status: string | null;
  readonly wasReady: boolean;
  /** Whether a check is scheduled anyway. */
  readonly checked: boolean;
}

/** A deployment to be asked about now. */
export interface DueDeployment {
  readonly id: string;
  /** Throws if the row is damaged; the other deployments are asked about all the same. */
  readonly read: () => Deployment;
}

/** When to ask about which deployment of an account. Reads no more columns than that takes. */
export class DeploymentSchedule {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Sets when to ask about a deployment next, and the facts to remember until then. */
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

  /** The ids of deployments with a request that was under way when the process died. */
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

  /** The live deployments without news since `before` (epoch ms). */
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
   * Claims up to `limit` deployments that are to be asked about by now. Claimed deployments are due again after
   * `leaseMs`: no other process asks meanwhile, and another process asks afterwards if this process dies.
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
      // Materialized: otherwise PostgreSQL may run the inner query several times, and lock other rows each time.
      .with(
        (cte) => cte('due').materialized(),
        () => passingOverLocked(due, this.#store),
      )
      .updateTable('deployments')
      .set({ check_at: now + leaseMs })
      .where('id', 'in', (eb) => eb.selectFrom('due').select('due.id'))
      // Repeated, because another process may have claimed the row while this statement waited for the row.
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
   * Deletes some of the deployments that were over before `before` (epoch ms), and their callbacks; true while there
   * may be more. A deployment that may still run is kept.
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

/** A lost deployment may have turned up just now, by a callback that is not handled yet. */
function notInDoubt(before: number) {
  return sql`not exists (select 1 from callbacks where callbacks.deployment_id = deployments.id
    and handled_at is null and received_at >= ${before})`;
}

/** A time too far ahead is due as well: the time was written by a clock that was hours ahead. */
function isDue({ and, or, eb }: ExpressionBuilder<Database, 'deployments'>, now: number) {
  return or([
    eb('check_at', '<=', now),
    eb('check_at', '>', farthest(now, DOUBT_END_MS)),
    and([eb('check_at', '>', farthest(now, POLL_FAILED_MAX_MS)), eb('phase', '!=', 'ended')]),
  ]);
}
