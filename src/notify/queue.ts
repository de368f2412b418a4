import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Database, OutboxTable } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { FOLD_AT_MOST } from './batch.ts';
import { fromRow, type OutboxRow } from './row.ts';

/** What waits for one channel. */
export interface Waiting {
  readonly channel: string;
  /** What is next by the order of each deployment: a failure's first, else the oldest. */
  readonly head: OutboxRow;
  /** Whether a failure waits in or behind it. */
  readonly pressing: boolean;
  /** Lines that may be sent as one message, oldest first: each the first line of its deployment that is unsent. */
  readonly lines: readonly OutboxRow[];
}

/** The outbox as the worker reads it, for the platforms that are here. */
export class OutboxQueue {
  readonly #store: Store;
  readonly #platforms: readonly string[];

  constructor(store: Store, platforms: readonly string[]) {
    this.#store = store;
    this.#platforms = platforms;
  }

  /** Each channel that something is due for at `now`. However many rows wait for one, every other has its turn. */
  async due(now: number): Promise<Waiting[]> {
    const heads = await this.#heads(now);
    if (heads.length === 0) return [];
    const lines = Map.groupBy(await this.#lines(now), channelOf);
    return heads.map(({ row, pressing }) => {
      const channel = channelOf(row);
      return { channel, head: row, pressing, lines: lines.get(channel) ?? [] };
    });
  }

  /** When the next row falls due after `now`; undefined when there is none. */
  async nextAt(now: number): Promise<number | undefined> {
    const row = await this.#pending()
      .select((eb) => eb.fn.min('next_at').as('at'))
      .where('next_at', '>', now)
      .executeTakeFirst();
    return row?.at ?? undefined;
  }

  /** Whether something waits that was never attempted and that nothing holds back. */
  async isFresh(): Promise<boolean> {
    const row = await this.#pending()
      .select('row.id')
      .where('attempts', '=', 0)
      .where(isFirst)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  #pending() {
    return this.#store
      .selectFrom('outbox as row')
      .where('row.state', '=', 'pending')
      .where('row.platform', 'in', this.#platforms);
  }

  /** One row for each channel, of the oldest unsent ones of each order key. */
  async #heads(now: number): Promise<{ row: OutboxRow; pressing: boolean }[]> {
    const heads = this.#pending()
      .select(['row.id', 'row.platform', 'row.workspace', 'row.channel'])
      // What stands before a failure in its own deployment's order must not hold it back behind the others'.
      .select((eb) =>
        eb
          .selectFrom('outbox as failure')
          .select((count) => count.fn.countAll<number>().as('failures'))
          .whereRef('failure.order_key', '=', 'row.order_key')
          .where('failure.state', '=', 'pending')
          .where('failure.urgent', '=', 1)
          .as('failures'),
      )
      .where('row.next_at', '<=', now)
      .where(isFirst);
    const ranked = this.#store
      .selectFrom(heads.as('head'))
      .select(['head.id', 'head.failures'])
      .select((eb) =>
        eb.fn
          .agg<number>('row_number')
          .over((over) =>
            over
              .partitionBy(['head.platform', 'head.workspace', 'head.channel'])
              .orderBy((order) => order.case().when('head.failures', '>', 0).then(0).else(1).end())
              .orderBy('head.id'),
          )
          .as('nth'),
      );
    const rows = await this.#store
      .selectFrom(ranked.as('ranked'))
      .innerJoin('outbox', 'outbox.id', 'ranked.id')
      .selectAll('outbox')
      .select('ranked.failures')
      .where('ranked.nth', '=', 1)
      .orderBy('outbox.id')
      .execute();
    return rows.flatMap((selected) => {
      const row = fromRow(selected);
      return row ? [{ row, pressing: Number(selected.failures) > 0 }] : [];
    });
  }

  /**
   * Lines that fold. Of its own deployment nothing may wait before such a line but edits of the card: they show how
   * things are, not what happened, and may as well come after it.
   */
  async #lines(now: number): Promise<OutboxRow[]> {
    const foldable = this.#pending()
      .select(['row.id'])
      .select((eb) =>
        eb.fn
          .agg<number>('row_number')
          .over((over) =>
            over
              .partitionBy(['row.platform', 'row.workspace', 'row.channel', 'row.thread'])
              .orderBy('row.id'),
          )
          .as('nth'),
      )
      .where('row.kind', 'in', ['post', 'tell'])
      .where('row.urgent', '=', 0)
      .where('row.uncertain', '=', 0)
      // What was sent by itself stays by itself: it may be what a digest was refused for.
      .where((eb) => eb.or([eb('row.sent_key', 'is', null), eb('row.sent_key', '!=', eb.ref('row.key'))]))
      .where('row.next_at', '<=', now)
      .where(isFirstLine);
    const rows = await this.#store
      .selectFrom(foldable.as('foldable'))
      .innerJoin('outbox', 'outbox.id', 'foldable.id')
      .selectAll('outbox')
      .where('foldable.nth', '<=', FOLD_AT_MOST)
      .orderBy('outbox.id')
      .execute();
    return rows.map(fromRow).filter((row) => row !== undefined && row.message.kind === 'line') as OutboxRow[];
  }
}

type Tables = Database & { row: OutboxTable; earlier: OutboxTable };
type Rows = ExpressionBuilder<Tables, 'row'>;
type Pairs = ExpressionBuilder<Tables, 'row' | 'earlier'>;

/** Of its own order nothing waits before a row: neither what is being sent, nor what `holdsBack` of the pending. */
function isNext({ not, exists, selectFrom }: Rows, holdsBack: (eb: Pairs) => Expression<SqlBool>) {
  return not(
    exists(
      selectFrom('outbox as earlier')
        .select('earlier.id')
        .whereRef('earlier.order_key', '=', 'row.order_key')
        .whereRef('earlier.id', '<', 'row.id')
        .where((eb) =>
          eb.or([
            eb('earlier.state', '=', 'leased'),
            eb.and([eb('earlier.state', '=', 'pending'), holdsBack(eb)]),
          ]),
        ),
    ),
  );
}

/**
 * A post does not wait for an edit that has failed: that may go on failing for a day, and what happened must be told
 * all the same.
 */
function isFirst(rows: Rows) {
  return isNext(rows, (eb) =>
    eb.or([
      eb('earlier.kind', '!=', 'edit'),
      eb('earlier.attempts', '=', 0),
      eb(eb.ref('row.kind'), '=', 'edit'),
    ]),
  );
}

/** The same, but for edits that are still to be begun. */
function isFirstLine(rows: Rows) {
  return isNext(rows, (eb) => eb('earlier.kind', '!=', 'edit'));
}

function channelOf({ to }: OutboxRow): string {
  return `${to.platform}/${to.workspace}/${to.channel}`;
}
