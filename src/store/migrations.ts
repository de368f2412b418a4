import { type Kysely, SqliteAdapter, sql } from 'kysely';
import type { Migration, MigrationProvider } from 'kysely/migration';

const initial: Migration = {
  async up(db: Kysely<unknown>) {
    // The dialects differ in nothing but how an id counts up by itself.
    const sqlite = db.getExecutor().adapter instanceof SqliteAdapter;
    await db.schema
      .createTable('deployments')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('account', 'text', (column) => column.notNull())
      .addColumn('secret', 'text', (column) => column.notNull())
      .addColumn('invocation_id', 'text', (column) => column.notNull().unique())
      .addColumn('application', 'text', (column) => column.notNull())
      .addColumn('version', 'text', (column) => column.notNull())
      .addColumn('plan_json', 'text', (column) => column.notNull())
      .addColumn('asker_id', 'text', (column) => column.notNull())
      .addColumn('asker_name', 'text', (column) => column.notNull())
      .addColumn('platform', 'text', (column) => column.notNull())
      .addColumn('workspace', 'text', (column) => column.notNull())
      .addColumn('channel', 'text', (column) => column.notNull())
      .addColumn('thread', 'text')
      .addColumn('card_json', 'text', (column) => column.notNull())
      .addColumn('phase', 'text', (column) => column.notNull())
      .addColumn('request_id', 'text')
      .addColumn('status', 'text')
      .addColumn('snapshot_json', 'text')
      .addColumn('tags_json', 'text')
      .addColumn('error_detail', 'text')
      .addColumn('replaced_by', 'text')
      .addColumn('revision', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('heard_at', 'bigint', (column) => column.notNull())
      .addColumn('accepted_at', 'bigint')
      .addColumn('ready_at', 'bigint')
      .addColumn('error_at', 'bigint')
      .addColumn('ended_at', 'bigint')
      .addColumn('check_at', 'bigint')
      .addColumn('checks', 'integer', (column) => column.notNull())
      .addColumn('stop_asked_by', 'text')
      .addColumn('stop_asked_at', 'bigint')
      .addColumn('missing_at', 'bigint')
      .execute();
    await db.schema
      .createIndex('deployments_request_id')
      .on('deployments')
      .columns(['request_id', 'account'])
      .unique()
      .where(sql.ref('request_id'), 'is not', null)
      .execute();
    await db.schema
      .createIndex('deployments_channel')
      .on('deployments')
      .columns(['platform', 'workspace', 'channel', 'created_at'])
      .execute();
    await db.schema.createIndex('deployments_phase').on('deployments').column('phase').execute();
    await db.schema.createIndex('deployments_check').on('deployments').column('check_at').execute();
    await db.schema
      .createTable('callbacks')
      .addColumn('deployment_id', 'text', (column) => column.notNull())
      .addColumn('event', 'text', (column) => column.notNull())
      .addColumn('body', 'text', (column) => column.notNull())
      .addColumn('received_at', 'bigint', (column) => column.notNull())
      .addColumn('handled_at', 'bigint')
      .addPrimaryKeyConstraint('callbacks_key', ['deployment_id', 'event'])
      .execute();
    await db.schema
      .createIndex('callbacks_unhandled')
      .on('callbacks')
      .column('received_at')
      .where(sql.ref('handled_at'), 'is', null)
      .execute();
    await db.schema
      .createTable('invocations')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('platform', 'text', (column) => column.notNull())
      .addColumn('workspace', 'text', (column) => column.notNull())
      .addColumn('channel', 'text', (column) => column.notNull())
      .addColumn('thread', 'text')
      .addColumn('asker_id', 'text', (column) => column.notNull())
      .addColumn('asker_name', 'text', (column) => column.notNull())
      .addColumn('what', 'text', (column) => column.notNull())
      .addColumn('changes', 'integer', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('finished_at', 'bigint')
      .execute();
    await db.schema.createIndex('invocations_state').on('invocations').column('state').execute();
    await db.schema
      .createTable('outbox')
      .addColumn('id', sqlite ? 'integer' : 'bigserial', (column) =>
        sqlite ? column.primaryKey().autoIncrement() : column.primaryKey(),
      )
      .addColumn('order_key', 'text', (column) => column.notNull())
      .addColumn('platform', 'text', (column) => column.notNull())
      .addColumn('workspace', 'text', (column) => column.notNull())
      .addColumn('channel', 'text', (column) => column.notNull())
      .addColumn('thread', 'text')
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('target_json', 'text')
      .addColumn('message_json', 'text', (column) => column.notNull())
      .addColumn('also_to_channel', 'integer', (column) => column.notNull())
      .addColumn('urgent', 'integer', (column) => column.notNull())
      .addColumn('key', 'text', (column) => column.notNull().unique())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('uncertain', 'integer', (column) => column.notNull())
      .addColumn('sent_key', 'text')
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('attempted_at', 'bigint')
      .addColumn('next_at', 'bigint', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('sent_at', 'bigint')
      .execute();
    await db.schema.createIndex('outbox_state').on('outbox').columns(['state', 'next_at']).execute();
    await db.schema.createIndex('outbox_order').on('outbox').columns(['order_key', 'state', 'id']).execute();
    await db.schema
      .createTable('kept')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('value_json', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .execute();
  },
};

/** What several processes on one database need, and why a message could not be delivered. */
const replicas: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('instances')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('until', 'bigint', (column) => column.notNull())
      .addColumn('started_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('leases')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('holder', 'text')
      .addColumn('until', 'bigint', (column) => column.notNull())
      .addColumn('bookmark', 'text')
      .execute();
    await db.schema
      .createTable('channels')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('holder', 'text')
      .addColumn('next_at', 'bigint', (column) => column.notNull())
      .addColumn('next_edit_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('rate_buckets')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('paused_until', 'bigint', (column) => column.notNull())
      .addColumn('people_until', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('rate_slots')
      .addColumn('bucket', 'text', (column) => column.notNull())
      .addColumn('slot', 'integer', (column) => column.notNull())
      .addColumn('free_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('rate_slots_key', ['bucket', 'slot'])
      .execute();
    for (const [table, column] of [
      ['deployments', 'holder'],
      ['deployments', 'doubted'],
      ['invocations', 'holder'],
      ['invocations', 'reply_json'],
      ['outbox', 'person'],
      ['outbox', 'holder'],
      ['outbox', 'reason_code'],
      ['outbox', 'reason'],
    ] as const)
      await db.schema.alterTable(table).addColumn(column, 'text').execute();
    await db.schema.alterTable('callbacks').addColumn('failures', 'integer').execute();
    await db.schema.alterTable('callbacks').addColumn('next_at', 'bigint').execute();
    await forManyRows(db);
    await outboxIndexes(db);
  },
};

/** Each query reads what it looks for and little else, however many rows there are. */
async function forManyRows(db: Kysely<unknown>): Promise<void> {
  // Compared byte by byte, as SQLite does anyway: the beginning of a request_id is a range in no other order.
  if (!(db.getExecutor().adapter instanceof SqliteAdapter))
    await sql`alter table deployments alter column request_id type text collate "C"`.execute(db);
  for (const name of ['deployments_channel', 'deployments_phase', 'deployments_check'])
    await db.schema.dropIndex(name).execute();
  await db.schema
    .createIndex('deployments_newest')
    .on('deployments')
    .columns(['platform', 'workspace', 'channel', 'created_at', 'id'])
    .where(sql.ref('request_id'), 'is not', null)
    .execute();
  await db.schema
    .createIndex('deployments_prefix')
    .on('deployments')
    .columns(['platform', 'workspace', 'channel', 'request_id'])
    .where(sql.ref('request_id'), 'is not', null)
    .execute();
  await db.schema.createIndex('deployments_phase').on('deployments').columns(['phase', 'heard_at']).execute();
  await db.schema
    .createIndex('deployments_check')
    .on('deployments')
    .column('check_at')
    .where(sql.ref('check_at'), 'is not', null)
    .execute();
  for (const table of ['invocations', 'kept'])
    await db.schema.createIndex(`${table}_age`).on(table).column('created_at').execute();
}

/** Small ones for what waits and is being sent, so that what is over and kept for a while slows nothing down. */
async function outboxIndexes(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('outbox_state').execute();
  await db.schema.dropIndex('outbox_order').execute();
  const open = [
    ['outbox_waiting', 'pending', ['platform', 'workspace', 'channel', 'id', 'kind', 'next_at']],
    ['outbox_waiting_order', 'pending', ['order_key', 'id', 'kind']],
    ['outbox_leased_order', 'leased', ['order_key', 'id']],
  ] as const;
  for (const [name, state, columns] of open)
    await db.schema
      .createIndex(name)
      .on('outbox')
      .columns([...columns])
      .where(sql.ref('state'), '=', sql.lit(state))
      .execute();
  await db.schema.createIndex('outbox_age').on('outbox').columns(['state', 'created_at']).execute();
}

/** Due work. */
const tasks: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('tasks')
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('key', 'text', (column) => column.notNull())
      .addColumn('account', 'text', (column) => column.notNull())
      .addColumn('run_at', 'bigint')
      .addColumn('written_at', 'bigint', (column) => column.notNull())
      .addColumn('payload_json', 'text')
      .addColumn('failures', 'integer', (column) => column.notNull())
      .addColumn('revision', 'integer', (column) => column.notNull())
      .addColumn('holder', 'text')
      .addPrimaryKeyConstraint('tasks_key', ['kind', 'key'])
      .execute();
    await db.schema.createIndex('tasks_due').on('tasks').column('run_at').execute();
  },
};

/** Every change of the schema, in order. A released one is never edited. */
export const migrations: MigrationProvider = {
  getMigrations: async () => ({ '0001-initial': initial, '0002-replicas': replicas, '0003-tasks': tasks }),
};
