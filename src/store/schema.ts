import { type Generated, type Kysely, PostgresAdapter, type SelectQueryBuilder } from 'kysely';

/** A handle for queries: the store itself, or a transaction in it. */
export type Store = Kysely<Database>;

/** Whether several processes can work on the database: on PostgreSQL; a SQLite file belongs to one process. */
export function isShared(database: string): boolean {
  return /^postgres(ql)?:/i.test(database);
}

/**
 * Makes a query on PostgreSQL skip rows that another transaction has locked: that process may be stopped in the
 * middle of the transaction. The next query finds the rows again.
 */
export function passingOverLocked<DB, Table extends keyof DB, Row>(
  rows: SelectQueryBuilder<DB, Table, Row>,
  db: Store,
): SelectQueryBuilder<DB, Table, Row> {
  return db.getExecutor().adapter instanceof PostgresAdapter ? rows.forUpdate().skipLocked() : rows;
}

/** All times are integer milliseconds since the epoch; `*_json` columns hold JSON text. */
export interface Database {
  deployments: DeploymentsTable;
  callbacks: CallbacksTable;
  invocations: InvocationsTable;
  outbox: OutboxTable;
  kept: KeptTable;
  instances: InstancesTable;
  leases: LeasesTable;
  channels: ChannelsTable;
  rate_buckets: RateBucketsTable;
  rate_slots: RateSlotsTable;
  tasks: TasksTable;
}

/** One row per deployment asked for in chat; written before the request to Edgegap leaves. */
export interface DeploymentsTable {
  /** The intent's id: also part of the callback URLs, and of the tag. */
  id: string;
  account: string;
  /** Proves that a callback comes from Edgegap, to whom alone the bot told the URL. */
  secret: string;
  invocation_id: string;
  application: string;
  version: string;
  /** A DeployPlan: users, place and tags. */
  plan_json: string;
  asker_id: string;
  asker_name: string;
  platform: string;
  workspace: string;
  channel: string;
  thread: string | null;
  /** The MessageRef of the live card. */
  card_json: string;
  phase: string;
  request_id: string | null;
  status: string | null;
  /** The newest known DeploymentStatus. */
  snapshot_json: string | null;
  tags_json: string | null;
  error_detail: string | null;
  /** The deployment that was started in place of this one. */
  replaced_by: string | null;
  /** Counts changes. A writer counts up first: the update locks the row, so that a second writer waits. */
  revision: number;
  created_at: number;
  /** When Edgegap last sent news of the deployment. */
  heard_at: number;
  accepted_at: number | null;
  ready_at: number | null;
  error_at: number | null;
  ended_at: number | null;
  /** When to ask Edgegap next; null if there is nothing to find out. */
  check_at: number | null;
  checks: number;
  stop_asked_by: string | null;
  stop_asked_at: number | null;
  /** Since when Edgegap has answered that no such deployment exists. */
  missing_at: number | null;
  /** The process that sends the request to deploy, while `phase` is `requesting`. */
  holder: string | null;
  /** A DeploymentStatus that a status poll found before any callback told of it; that callback may be under way. */
  doubted: string | null;
}

/** The inbox of callbacks: one row per deployment and event, however often the callback is delivered. */
export interface CallbacksTable {
  deployment_id: string;
  event: string;
  body: string;
  received_at: number;
  handled_at: number | null;
  /** How often the callback could not be handled, and when the bot tries again. */
  failures: number | null;
  next_at: number | null;
}

/** Commands and button presses under the platform's own id, so that a retry is recognised. */
export interface InvocationsTable {
  id: string;
  platform: string;
  workspace: string;
  channel: string;
  thread: string | null;
  asker_id: string;
  asker_name: string;
  what: string;
  changes: number;
  state: string;
  created_at: number;
  finished_at: number | null;
  /** The process that carries out the invocation, while `state` is `running`. */
  holder: string | null;
  /** How another process can still answer the invocation, in the platform's own form; null after the end. */
  reply_json: string | null;
}

/** Messages and edits on their way to a channel. */
export interface OutboxTable {
  /** Below zero: a digest of other rows. */
  id: Generated<number>;
  /** Rows with the same order key are sent one after the other, oldest first. */
  order_key: string;
  platform: string;
  workspace: string;
  channel: string;
  thread: string | null;
  /** `post`, `edit`, `answer` (to an invocation, by another process), `tell` (a direct message). */
  kind: string;
  /** The MessageRef of the message to edit or to post under; for an answer, how the platform takes the answer. */
  target_json: string | null;
  /** For `tell`: the person's id on the platform. */
  person: string | null;
  message_json: string;
  also_to_channel: number;
  urgent: number;
  key: string;
  /** `pending`, `leased` (being sent), `folded` (in a digest), `sent`, `dead` (given up). */
  state: string;
  /** 1 from the start of an attempt until the bot knows that the message was not sent. */
  uncertain: number;
  /** The key that the last attempt was sent with; for a row in a digest, the digest's key. */
  sent_key: string | null;
  attempts: number;
  attempted_at: number | null;
  next_at: number;
  created_at: number;
  sent_at: number | null;
  /** The process that sends the message, while `state` is `leased`. */
  holder: string | null;
  /** Why the last attempt failed: an error code, and a sentence for an operator. */
  reason_code: string | null;
  reason: string | null;
}

/** Data too long for a button's id, under a short key. */
export interface KeptTable {
  id: string;
  account: Generated<string>;
  value_json: string;
  created_at: number;
}

/** The processes that work on this store. A process whose time has run out counts as dead and holds no claim. */
export interface InstancesTable {
  id: string;
  /** By the database's clock on PostgreSQL. */
  until: number;
  started_at: number;
}

/** A role of one process at a time (`holder`), or work that any process does once in a while (`until`). */
export interface LeasesTable {
  name: string;
  holder: string | null;
  until: number;
  /** The progress of the holder, for the next holder. */
  bookmark: string | null;
}

/** Each channel with messages: the process that sends there now, and when the next message may go. */
export interface ChannelsTable {
  /**
   * `platform/workspace/channel`; `@` and a person's id for direct messages to that person; `platform/*` for a delay
   * that the platform asks for in all channels.
   */
  id: string;
  holder: string | null;
  next_at: number;
  /** The same for edits, which platforms count apart. */
  next_edit_at: number;
}

/** Edgegap's rate limits, shared by all processes; by the database's clock. */
export interface RateBucketsTable {
  /** `account/bucket`. */
  id: string;
  paused_until: number;
  /** Until then people's calls wait for a permit, and background work takes no permit. */
  people_until: number;
}

/** One permit: a place in a bucket's window. */
export interface RateSlotsTable {
  bucket: string;
  slot: number;
  free_at: number;
}

/** Due work, done by one process at a time. */
export interface TasksTable {
  /** Names the code that runs the task; `kind` and `key` together name the task. */
  kind: string;
  key: string;
  account: string;
  /** Null: the task was cancelled during a run. */
  run_at: number | null;
  /** When `run_at` was set, by the clock that gave `run_at`. */
  written_at: number;
  payload_json: string | null;
  /** Failed runs since the last successful run. */
  failures: number;
  /** Counts how often the task was scheduled anew or cancelled. */
  revision: number;
  /** The process that runs the task. */
  holder: string | null;
}
