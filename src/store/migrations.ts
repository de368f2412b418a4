import { type Kysely, SqliteAdapter, sql } from 'kysely';
import type { Migration, MigrationProvider } from 'kysely/migration';

/**
 * A schema change as SQL that both databases understand. `;` separates several statements and must not appear within a
 * statement.
 */
function statements(text: (sqlite: boolean) => string): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const all = text(db.getExecutor().adapter instanceof SqliteAdapter).split(';');
      for (const statement of all.map((one) => one.trim()).filter(Boolean))
        await sql.raw(statement).execute(db);
    },
  };
}

// The two databases differ only in how they generate ids.
const initial = statements(
  (sqlite) => `
    create table deployments (
      id text primary key, account text not null, secret text not null, invocation_id text not null unique,
      application text not null, version text not null, plan_json text not null,
      asker_id text not null, asker_name text not null,
      platform text not null, workspace text not null, channel text not null, thread text,
      card_json text not null, phase text not null, request_id text, status text, snapshot_json text,
      tags_json text, error_detail text, replaced_by text, revision integer not null,
      created_at bigint not null, heard_at bigint not null, accepted_at bigint, ready_at bigint,
      error_at bigint, ended_at bigint, check_at bigint, checks integer not null,
      stop_asked_by text, stop_asked_at bigint, missing_at bigint
    );
    create unique index deployments_request_id on deployments (request_id, account) where request_id is not null;
    create index deployments_channel on deployments (platform, workspace, channel, created_at);
    create index deployments_phase on deployments (phase);
    create index deployments_check on deployments (check_at);
    create table callbacks (
      deployment_id text not null, event text not null, body text not null, received_at bigint not null,
      handled_at bigint, constraint callbacks_key primary key (deployment_id, event)
    );
    create index callbacks_unhandled on callbacks (received_at) where handled_at is null;
    create table invocations (
      id text primary key, platform text not null, workspace text not null, channel text not null, thread text,
      asker_id text not null, asker_name text not null, what text not null, changes integer not null,
      state text not null, created_at bigint not null, finished_at bigint
    );
    create index invocations_state on invocations (state);
    create table outbox (
      id ${sqlite ? 'integer primary key autoincrement' : 'bigserial primary key'}, order_key text not null,
      platform text not null, workspace text not null, channel text not null, thread text,
      kind text not null, target_json text, message_json text not null, also_to_channel integer not null,
      urgent integer not null, key text not null unique, state text not null, uncertain integer not null,
      sent_key text, attempts integer not null, attempted_at bigint, next_at bigint not null,
      created_at bigint not null, sent_at bigint
    );
    create index outbox_state on outbox (state, next_at);
    create index outbox_order on outbox (order_key, state, id);
    create table kept (id text primary key, value_json text not null, created_at bigint not null)`,
);

/**
 * Adds the tables and columns for several processes on the same database, and the reason why a message could not be
 * delivered. Each query reads little more than the rows that it needs. For example, the outbox has small indexes on the
 * rows that are waiting or being sent, so finished rows slow down no query.
 */
const replicas = statements(
  (sqlite) => `
    create table instances (id text primary key, until bigint not null, started_at bigint not null);
    create table leases (name text primary key, holder text, until bigint not null, bookmark text);
    create table channels (
      id text primary key, holder text, next_at bigint not null, next_edit_at bigint not null
    );
    create table rate_buckets (
      id text primary key, paused_until bigint not null, people_until bigint not null
    );
    create table rate_slots (
      bucket text not null, slot integer not null, free_at bigint not null,
      constraint rate_slots_key primary key (bucket, slot)
    );
    alter table deployments add column holder text;
    alter table deployments add column doubted text;
    alter table invocations add column holder text;
    alter table invocations add column reply_json text;
    alter table outbox add column person text;
    alter table outbox add column holder text;
    alter table outbox add column reason_code text;
    alter table outbox add column reason text;
    alter table callbacks add column failures integer;
    alter table callbacks add column next_at bigint;
    ${sqlite ? '' : COMPARED_BY_BYTES};
    drop index deployments_channel;
    drop index deployments_phase;
    drop index deployments_check;
    create index deployments_newest on deployments (platform, workspace, channel, created_at, id)
      where request_id is not null;
    create index deployments_prefix on deployments (platform, workspace, channel, request_id)
      where request_id is not null;
    create index deployments_phase on deployments (phase, heard_at);
    create index deployments_check on deployments (check_at) where check_at is not null;
    create index invocations_age on invocations (created_at);
    create index kept_age on kept (created_at);
    drop index outbox_state;
    drop index outbox_order;
    create index outbox_waiting on outbox (platform, workspace, channel, id, kind, next_at)
      where state = 'pending';
    create index outbox_waiting_order on outbox (order_key, id, kind) where state = 'pending';
    create index outbox_leased_order on outbox (order_key, id) where state = 'leased';
    create index outbox_age on outbox (state, created_at)`,
);

/**
 * Compares request_ids byte by byte, as SQLite does. Only this order keeps request_ids with the same prefix next to
 * each other.
 */
const COMPARED_BY_BYTES = 'alter table deployments alter column request_id type text collate "C"';

/** Adds the table of tasks. */
const tasks = statements(
  () => `
    create table tasks (
      kind text not null, key text not null, account text not null, run_at bigint, written_at bigint not null,
      payload_json text, failures integer not null, revision integer not null, holder text,
      constraint tasks_key primary key (kind, key)
    );
    create index tasks_due on tasks (run_at)`,
);

/** Assigns the payloads of buttons to an account. Before this change, the only account was `default`. */
const keptAccount = statements(() => `alter table kept add column account text not null default 'default'`);

/**
 * Allows a digest to be a row of the outbox. While a digest waits to be sent, its lines have the state `folded`, and
 * their `sent_key` is the key of the digest.
 */
const digests = statements(
  () => `
    create index outbox_folded_order on outbox (order_key, id) where state = 'folded';
    create index outbox_folded on outbox (sent_key) where state = 'folded'`,
);

/**
 * Adds an index that counts a person's deployments quickly, even in a large database. The index must not begin with the
 * account. Otherwise SQLite would also use it for the queries of the schedule, which select by account.
 */
const askers = statements(
  () => `create index deployments_asker on deployments (asker_id, workspace, platform, created_at)`,
);

/** Adds the table of presets. */
const presets = statements(
  () => `
    create table presets (
      account text not null, platform text not null, workspace text not null, name text not null,
      options_json text not null, saved_by text not null, saved_at bigint not null,
      constraint presets_key primary key (account, platform, workspace, name)
    )`,
);

/** Adds the plans that change many deployments at once, and a mark for deployments that a plan stops. */
const plans = statements(
  () => `
    create table plans (
      id text primary key, account text not null, plan_json text not null, state text not null, card_json text,
      created_at bigint not null
    );
    create index plans_state on plans (state, created_at);
    create table plan_items (
      plan_id text not null, request_id text not null, place integer not null, cells_json text not null,
      state text not null, reason text, changed_at bigint not null,
      constraint plan_items_key primary key (plan_id, request_id)
    );
    create index plan_items_request on plan_items (request_id);
    alter table deployments add column stop_plan text`,
);

/**
 * Adds the saved logs, and an index that finds the newest deployments of a version. The index does not begin with the
 * account: see `askers`.
 */
const recordings = statements(
  (sqlite) => `
    create table recordings (
      id text primary key, log ${sqlite ? 'blob' : 'bytea'} not null, recorded_at bigint not null
    );
    create index recordings_age on recordings (recorded_at);
    create index deployments_version on deployments (application, version, created_at)`,
);

/** All schema changes in order. The effect of a released change must never be altered. */
export const migrations: MigrationProvider = {
  getMigrations: async () => ({
    '0001-initial': initial,
    '0002-replicas': replicas,
    '0003-tasks': tasks,
    '0004-kept-account': keptAccount,
    '0005-digests': digests,
    '0006-askers': askers,
    '0007-presets': presets,
    '0008-plans': plans,
    '0013-recordings': recordings,
  }),
};
