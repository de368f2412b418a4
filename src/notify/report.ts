import { sql } from 'kysely';
import type { Membership } from '../replicas/membership.ts';
import { purge } from '../store/purge.ts';
import type { Store } from '../store/schema.ts';

/** The maximum number of rows in the report. The counts include all rows. */
const ROWS = 200;

export type OutboxCounts = {
  /** Messages that were not sent yet, for any reason. */
  readonly waiting: number;
  /** The messages among `waiting` that failed at least once. */
  readonly failing: number;
  /** Messages that were given up and are not purged yet. */
  readonly undelivered: number;
};

/**
 * Counts the messages of the outbox. A digest counts as its lines. The query reads only waiting and undelivered rows,
 * so delivered rows do not slow it down.
 */
export async function countOutbox(store: Store): Promise<OutboxCounts> {
  const waiting = await store
    .selectFrom('outbox')
    .select((eb) => [
      eb.fn.countAll<number>().as('all'),
      eb.fn.count<number>(eb.case().when('reason_code', 'is not', null).then(1).end()).as('failing'),
    ])
    .where('state', 'in', ['pending', 'folded'])
    .where('id', '>', 0)
    .executeTakeFirstOrThrow();
  const ended = await store
    .selectFrom('outbox')
    .select((eb) => eb.fn.countAll<number>().as('all'))
    .where('state', '=', 'dead')
    .executeTakeFirstOrThrow();
  return { waiting: waiting.all, failing: waiting.failing, undelivered: ended.all };
}

/**
 * Returns a table of the waiting and undelivered messages as lines of text, oldest first. The table does not show the
 * text of the messages.
 */
export async function reportOutbox(store: Store): Promise<string[]> {
  const { waiting, failing, undelivered } = await countOutbox(store);
  const rows = await store
    .selectFrom('outbox')
    .select(['state', 'kind', 'platform', 'channel', 'order_key', 'attempts', 'created_at', 'next_at'])
    .select(['reason_code', 'reason'])
    .where('state', 'in', ['pending', 'folded', 'leased', 'dead'])
    .where('id', '>', 0)
    .orderBy(sql`case when state = 'dead' then 1 else 0 end`)
    .orderBy('id')
    .limit(ROWS)
    .execute();
  const time = (at: number) => new Date(at).toISOString().slice(0, 19).replace('T', ' ');
  const cells = rows.map((row) => [
    row.state === 'dead' ? 'undelivered' : row.state === 'leased' ? 'being sent' : 'waiting',
    row.kind,
    `${row.platform} ${row.channel}`,
    row.order_key,
    time(row.created_at),
    String(row.attempts),
    row.state === 'pending' || row.state === 'folded' ? time(row.next_at) : '',
    [row.reason_code, row.reason].filter(Boolean).join(': '),
  ]);
  const table = [['state', 'kind', 'channel', 'order', 'written (UTC)', 'tries', 'next', 'reason'], ...cells];
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return [
    `${waiting} waiting, ${failing} of them after an attempt that failed; ${undelivered} undelivered.`,
    ...(cells.length === 0
      ? []
      : table.map((row) =>
          row
            .map((cell, column) => cell.padEnd(widths[column] ?? 0))
            .join('  ')
            .trimEnd(),
        )),
    ...(rows.length === ROWS ? [`… No more than ${ROWS} messages are listed.`] : []),
  ];
}

/**
 * Deletes some of the rows that were sent or given up, and that were written before `before` (epoch ms). Returns true
 * if more rows may have to be deleted.
 */
export function purgeOutbox(store: Store, before: number): Promise<boolean> {
  return purge(store, 'outbox', sql`state in ('sent', 'dead') and created_at < ${before}`);
}

/**
 * Deletes some of the rows of channels, if the channels have been unused since `before`. These rows contain only the
 * time of the next message. Returns true if more rows may have to be deleted.
 */
export function purgeChannels(store: Store, membership: Membership, before: number): Promise<boolean> {
  const isFree = membership.gone(sql.ref('channels.holder'));
  return purge(store, 'channels', sql`next_at < ${before} and next_edit_at < ${before} and ${isFree}`);
}
