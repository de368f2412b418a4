import { type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import { type Clock, farthest } from '../clock.ts';
import type { DeploymentStatus } from '../edgegap/schema.ts';
import type { Membership } from '../replicas/membership.ts';
import { deleteSome } from '../store/purge.ts';
import { type Database, passingOverLocked, type Store } from '../store/schema.ts';
import { transact, wroteTo } from '../store/transact.ts';
import { type Deployment, fromRow } from './deployment.ts';
import { DOUBT_END_MS, POLL_FAILED_MAX_MS } from './timing.ts';

/** The number of deployments that one statement purges. The number is small, so that other work is hardly delayed. */
const PURGE_AT_ONCE = 200;

/** The stored facts about a live deployment that the bot compares with Edgegap's list. */
export interface Believed {
  readonly id: string;
  readonly requestId: string;
  readonly status: string | null;
  readonly wasReady: boolean;
  /** Whether a check of the deployment is already scheduled. */
  readonly checked: boolean;
}

/** A deployment whose check is due. */
export interface DueDeployment {
  readonly id: string;
  /** Reads the deployment. Throws if the row is damaged. Other deployments can still be checked. */
  readonly read: () => Deployment;
}

/** Stores when to ask Edgegap about each deployment of an account. Reads only the columns that the schedule needs. */
export class DeploymentSchedule {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Sets the time of the next check, and stores facts that the check needs. */
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

  /** The ids of deployments whose process died while it was sending the request. */
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

  /** The live deployments about which the bot received no news since `before` (epoch ms). */
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
   * Claims at most `limit` deployments whose check is due. Until `leaseMs` has passed, no other process checks these
   * deployments. After `leaseMs`, the check is due again, because this process may have died.
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
      // Without `materialized`, PostgreSQL may run the inner query several times and lock different rows each time.
      .with(
        (cte) => cte('due').materialized(),
        () => passingOverLocked(due, this.#store),
      )
      .updateTable('deployments')
      .set({ check_at: now + leaseMs })
      .where('id', 'in', (eb) => eb.selectFrom('due').select('due.id'))
      // The condition is repeated, because a different process may have claimed the row while this statement waited for
      // the lock.
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
   * Deletes some of the deployments that were already over at the time `before` (epoch ms), together with their
   * callbacks. Returns true if more deployments may have to be deleted. Deployments that may still run are kept.
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

/**
 * An SQL condition, which is true if the deployment has no unhandled callback. An unhandled callback could show that a
 * lost deployment exists.
 */
function notInDoubt(before: number) {
  return sql`not exists (select 1 from callbacks where callbacks.deployment_id = deployments.id
    and handled_at is null and received_at >= ${before})`;
}

/**
 * An SQL condition, which is true if the check is due. A check too far in the future is also due, because the clock
 * that wrote its time was hours ahead.
 */
function isDue({ and, or, eb }: ExpressionBuilder<Database, 'deployments'>, now: number) {
  return or([
    eb('check_at', '<=', now),
    eb('check_at', '>', farthest(now, DOUBT_END_MS)),
    and([eb('check_at', '>', farthest(now, POLL_FAILED_MAX_MS)), eb('phase', '!=', 'ended')]),
  ]);
}
