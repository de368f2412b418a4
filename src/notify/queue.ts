import { type ExpressionBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import type { Line } from '../chat/card.ts';
import type { Adapter } from '../chat/port.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Database, OutboxTable, Store } from '../store/schema.ts';
import {
  channelIdOf,
  type Destination,
  everyChannelIdOf,
  hasCome,
  isFree,
  type Lanes,
  LEAD_MS,
  opensAt,
} from './channels.ts';
import { FOLD_AT_MOST, fold, isFoldable } from './digest.ts';
import { FOLDED, fromRow, LEASED, type OutboxRow, PENDING } from './row.ts';

type Adapters = ReadonlyMap<string, Pick<Adapter, 'fits'>>;

/** Reads the outbox for the worker, limited to the platforms of this process. */
export class OutboxQueue {
  readonly #store: Store;
  readonly #membership: Membership;
  readonly #adapters: Adapters;

  constructor(store: Store, membership: Membership, adapters: Adapters) {
    this.#store = store;
    this.#membership = membership;
    this.#adapters = adapters;
  }

  /**
   * Returns the channels with messages to send whose rate limit allows a message now or soon. `nextAt` is the time at
   * which the next message of any other channel may be sent.
   */
  async overview(now: number): Promise<{ due: (Destination & { lanes: Lanes })[]; nextAt: number }> {
    const waiting = this.#pending(this.#store)
      .select(['row.platform', 'row.workspace', 'row.channel'])
      .select((eb) => [
        eb.case().when('row.kind', '=', 'edit').then(1).else(0).end().as('edits'),
        eb.fn
          .min(
            eb
              .case()
              .when(hasCome(eb.ref('row.next_at'), now))
              .then(1)
              .else(2)
              .end(),
          )
          .as('due'),
        eb.fn.min(eb.case().when('row.next_at', '>', now).then(eb.ref('row.next_at')).end()).as('later'),
      ])
      .groupBy(['row.platform', 'row.workspace', 'row.channel', 'edits']);
    const rows = await this.#store
      .selectFrom(waiting.as('waiting'))
      .leftJoin('channels', (join) =>
        join.on((eb) =>
          eb(
            'channels.id',
            '=',
            channelIdOf({
              platform: eb.ref('waiting.platform'),
              workspace: eb.ref('waiting.workspace'),
              channel: eb.ref('waiting.channel'),
            }),
          ),
        ),
      )
      // Joins the pauses that apply to all channels of the platform.
      .leftJoin('channels as every', (join) =>
        join.on((eb) => eb('every.id', '=', everyChannelIdOf(eb.ref('waiting.platform')))),
      )
      .selectAll('waiting')
      .select(['channels.next_at', 'channels.next_edit_at'])
      .select(['every.next_at as all_at', 'every.next_edit_at as all_edits_at'])
      .select((eb) =>
        eb
          .case()
          .when(isFree(this.#membership, eb.ref('channels.holder')))
          .then(1)
          .else(0)
          .end()
          .as('free'),
      )
      .execute();
    const due = new Map<string, Destination & { lanes: Lanes }>();
    let nextAt = Number.POSITIVE_INFINITY;
    for (const { platform, workspace, channel, ...row } of rows) {
      const times = row.edits ? [row.next_edit_at, row.all_edits_at] : [row.next_at, row.all_at];
      const openAt = opensAt(times, now) - LEAD_MS;
      if (row.later !== null) nextAt = Math.min(nextAt, Math.max(row.later, openAt));
      if (row.due !== 1) continue;
      if (openAt > now) nextAt = Math.min(nextAt, openAt);
      else if (row.free) {
        const id = JSON.stringify([platform, workspace, channel]);
        const { posts, edits } = due.get(id)?.lanes ?? { posts: false, edits: false };
        const lanes = { posts: posts || !row.edits, edits: edits || row.edits === 1 };
        due.set(id, { platform, workspace, channel, lanes });
      }
    }
    return { due: [...due.values()], nextAt };
  }

  /**
   * Selects the rows that are sent to a channel next. A message about a failure comes first, and is sent alone. If an
   * older row with the same order key must precede it, the older row comes first, and is also sent alone. If no failure
   * waits, the oldest row is sent. If many lines wait, a digest of the oldest lines is sent.
   */
  async next(db: Store, place: Destination, lanes: Lanes, now: number): Promise<readonly OutboxRow[]> {
    const ready = this.#ready(db, place, lanes, now);
    const pressing = await ready
      // The deployment's rows that precede the failure must not wait behind rows of other deployments, because the
      // failure would also wait.
      .where('row.order_key', 'in', (eb) =>
        at(eb.selectFrom('outbox as row'), place).select('row.order_key').where('row.urgent', '=', 1),
      )
      .limit(1)
      .executeTakeFirst();
    const first = pressing ?? (await ready.limit(1).executeTakeFirst());
    if (!first) return [];
    const head = fromRow(first);
    if (pressing || !isFoldable(head)) return [head];
    const lines = await ready
      // A digest contains only lines for the channel itself, or only lines for a single thread.
      .where('row.thread', first.thread === null ? 'is' : '=', first.thread)
      .where('row.kind', '=', head.kind)
      .where('row.sent_key', 'is', null)
      .limit(FOLD_AT_MOST)
      .execute();
    return fold(lines.map(fromRow).filter(isFoldable), (digest) => this.#fits(place, digest));
  }

  /**
   * Whether the digest fits into a message. Returns false if a row is damaged. That row is then sent alone, so that the
   * other rows do not fail with it.
   */
  #fits({ platform }: Destination, digest: Line): boolean {
    try {
      return this.#adapters.get(platform)?.fits(digest) ?? false;
    } catch {
      return false;
    }
  }

  /** Whether there is a waiting row that was never attempted and can be sent. */
  async isFresh(): Promise<boolean> {
    const row = await this.#pending(this.#store)
      .select('row.id')
      .where('attempts', '=', 0)
      .where(isNext)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  /**
   * Returns the rows of a channel that may be sent now, oldest first. Each row is the first post or the first edit with
   * its order key.
   */
  #ready(db: Store, place: Destination, { posts, edits }: Lanes, now: number) {
    const every = at(db.selectFrom('outbox as row'), place)
      .selectAll('row')
      .where((eb) => hasCome(eb.ref('row.next_at'), now))
      .where(isNext)
      .orderBy('row.id');
    if (posts && edits) return every;
    return every.where('row.kind', edits ? '=' : '!=', 'edit');
  }

  #pending(db: Store) {
    return db
      .selectFrom('outbox as row')
      .where('row.state', '=', PENDING)
      .where('row.platform', 'in', [...this.#adapters.keys()]);
  }
}

type RowTables = Database & { row: OutboxTable };

function at(
  rows: SelectQueryBuilder<RowTables, 'row', object>,
  { platform, workspace, channel }: Destination,
) {
  return rows
    .where('row.state', '=', PENDING)
    .where('row.platform', '=', platform)
    .where('row.workspace', '=', workspace)
    .where('row.channel', '=', channel);
}

/**
 * Whether the row may be sent before all other rows with the same order key. None of these rows may be in the process
 * of being sent. An earlier post must precede a post, and an earlier edit must precede an edit. Posts and edits do not
 * wait for each other, because a line reports an event, and the card shows the present state. A slow or failing post
 * therefore delays no edit, and a slow or failing edit delays no post.
 */
function isNext({ not, exists, selectFrom }: ExpressionBuilder<RowTables, 'row'>) {
  return not(
    exists(
      selectFrom('outbox as earlier')
        .select('earlier.id')
        .whereRef('earlier.order_key', '=', 'row.order_key')
        .whereRef('earlier.id', '<', 'row.id')
        .where((eb) =>
          eb.or([
            eb('earlier.state', '=', LEASED),
            eb.and([eb('earlier.state', '=', FOLDED), eb('row.kind', '!=', 'edit')]),
            eb.and([
              eb('earlier.state', '=', PENDING),
              sql<SqlBool>`(earlier.kind = 'edit') = (row.kind = 'edit')`,
            ]),
          ]),
        ),
    ),
  );
}
