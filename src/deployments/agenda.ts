import type { Clock } from '../clock.ts';
import type { Store } from '../store/store.ts';
import { type Deployment, fromRow, type Phase } from './deployment.ts';

/** A live deployment as the list can confirm it. */
export interface Believed {
  readonly id: string;
  readonly requestId: string;
  readonly status: string | null;
  readonly wasReady: boolean;
  /** It is to be asked about anyway. */
  readonly checked: boolean;
}

/** When to ask about which deployment, and what is left to ask about. Reads no more of a row than that takes. */
export class Agenda {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Sets when to ask about a deployment next, and how often it was asked for already. */
  async schedule(id: string, checkAt: number | undefined, checks?: number): Promise<void> {
    await this.#store
      .updateTable('deployments')
      .set({ check_at: checkAt ?? null, ...(checks === undefined ? {} : { checks }) })
      .where('id', '=', id)
      .execute();
  }

  async idsInPhase(phase: Phase): Promise<string[]> {
    const rows = await this.#store
      .selectFrom('deployments')
      .select('id')
      .where('phase', '=', phase)
      .orderBy('created_at')
      .execute();
    return rows.map(({ id }) => id);
  }

  async isAnyLive(): Promise<boolean> {
    const row = await this.#store
      .selectFrom('deployments')
      .select('id')
      .where('phase', '=', 'live')
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** What is believed of the live ones not heard of since `before` (epoch ms), as far as the list can confirm it. */
  async believedLive(before: number): Promise<Believed[]> {
    const rows = await this.#store
      .selectFrom('deployments')
      .select(['id', 'request_id', 'status', 'ready_at', 'check_at'])
      .where('phase', '=', 'live')
      .where('heard_at', '<=', before)
      .orderBy('created_at')
      .execute();
    return rows.flatMap(({ id, request_id, status, ready_at, check_at }) =>
      request_id === null
        ? []
        : [{ id, requestId: request_id, status, wasReady: ready_at !== null, checked: check_at !== null }],
    );
  }

  /** Those that are to be asked about by now. */
  async due(limit: number): Promise<Deployment[]> {
    const rows = await this.#store
      .selectFrom('deployments')
      .selectAll()
      .where('check_at', '<=', this.#clock.now())
      .orderBy('check_at')
      .limit(limit)
      .execute();
    return rows.map(fromRow);
  }

  async nextCheckAt(): Promise<number | undefined> {
    const row = await this.#store
      .selectFrom('deployments')
      .select((eb) => eb.fn.min('check_at').as('at'))
      .executeTakeFirst();
    return row?.at ?? undefined;
  }

  /** Forgets deployments that ended before `before` (epoch ms), and their callbacks. */
  async purge(before: number): Promise<void> {
    await this.#store.transaction().execute(async (tx) => {
      const old = tx
        .selectFrom('deployments')
        .select('id')
        .where('phase', 'in', ['ended', 'refused', 'lost'])
        .where('heard_at', '<', before);
      await tx.deleteFrom('callbacks').where('deployment_id', 'in', old).execute();
      await tx
        .deleteFrom('deployments')
        .where('phase', 'in', ['ended', 'refused', 'lost'])
        .where('heard_at', '<', before)
        .execute();
    });
  }
}
