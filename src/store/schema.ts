import { type Generated, type Kysely, PostgresAdapter, type SelectQueryBuilder } from 'kysely';

/** A handle for queries: the store itself, or a transaction in it. */
export type Store = Kysely<Database>;

/** Whether several processes can work on it: on PostgreSQL; a SQLite file has one. */
export function isShared(database: string): boolean {
  return /^postgres(ql)?:/i.test(database);
}

/**
 * Adds to a choice of rows that those another transaction holds are passed over, where the database can: whoever holds
 * them may be stopped in the middle of it, and they are there at the next look.
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
  /** The intent's id: in its callback URLs, and in its tag. */
  id: string;
  account: string;
  /** Proves that a callback comes from whom we told the URL. */
  secret: string;
  invocation_id: string;
  application: string;
  version: string;
  /** DeployPlan: where, with which tags. */
  plan_json: string;
  asker_id: string;
  asker_name: string;
  platform: string;
  workspace: string;
  channel: string;
  thread: string | null;
  /** MessageRef of the live card. */
  card_json: string;
  phase: string;
  request_id: string | null;
  status: string | null;
  /** The newest DeploymentStatus we know. */
  snapshot_json: string | null;
  tags_json: string | null;
  error_detail: string | null;
  /** The deployment that was started in place of this one. */
  replaced_by: string | null;
  /** Counts changes. A writer counts it up first: that takes the row's lock, so that another waits for its turn. */
  revision: number;
  created_at: number;
  /** When Edgegap last told us anything of it. */
  heard_at: number;
  accepted_at: number | null;
  ready_at: number | null;
  error_at: number | null;
  ended_at: number | null;
  /** When to ask next, where something is to be found out. */
  check_at: number | null;
  checks: number;
  stop_asked_by: string | null;
  stop_asked_at: number | null;
  /** Since when Edgegap has said that it knows no such deployment. */
  missing_at: number | null;
  /** The process that sends the request to deploy, while `phase` is `requesting`. */
  holder: string | null;
  /** The DeploymentStatus that was seen by asking, where it has what no callback has told of; that may be on its way. */
  doubted: string | null;
}

/** The inbox of callbacks: one row per deployment and event, however often it is delivered. */
export interface CallbacksTable {
  deployment_id: string;
  event: string;
  body: string;
  received_at: number;
  handled_at: number | null;
  /** How often it could not be handled, and when it is tried next. */
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
  /** The process that carries it out, while `state` is `running`. */
  holder: string | null;
  /** How another process can still answer it; the platform's own, gone once it is finished. */
  reply_json: string | null;
}

/** Messages and edits on their way to a channel. */
export interface OutboxTable {
  /** Below zero: a digest of other rows. */
  id: Generated<number>;
  /** Rows with the same one are sent one after the other, oldest first. */
  order_key: string;
  platform: string;
  workspace: string;
  channel: string;
  thread: string | null;
  /** `post`, `edit`, `answer` (of an invocation that another process took), `tell` (one person, directly). */
  kind: string;
  /** MessageRef of the message to edit or to post under; for an answer, how it can be given. */
  target_json: string | null;
  /** For `tell`: the person's id on the platform. */
  person: string | null;
  message_json: string;
  also_to_channel: number;
  urgent: number;
  key: string;
  /** `pending`, `leased` (being sent), `folded` (in a digest), `sent`, `dead` (given up). */
  state: string;
  /** 1 from the moment an attempt starts until we know that it did not send. */
  uncertain: number;
  /** The key that the last attempt was sent with; or its digest's. */
  sent_key: string | null;
  attempts: number;
  attempted_at: number | null;
  next_at: number;
  created_at: number;
  sent_at: number | null;
  /** The process that sends it, while `state` is `leased`. */
  holder: string | null;
  /** Why the last attempt failed: an error code, and a sentence for an operator. */
  reason_code: string | null;
  reason: string | null;
}

/** State too long for a button's id, under a short key. */
export interface KeptTable {
  id: string;
  account: Generated<string>;
  value_json: string;
  created_at: number;
}

/** The processes that work on this store. One whose time has run out is taken to be dead, and holds nothing. */
export interface InstancesTable {
  id: string;
  /** By the database's clock, where it is shared. */
  until: number;
  started_at: number;
}

/** What one process at a time does (`holder`), or what is done once in a while by whichever comes first (`until`). */
export interface LeasesTable {
  name: string;
  holder: string | null;
  until: number;
  /** How far its holder has come, for whoever holds it next. */
  bookmark: string | null;
}

/** Each channel that was written to: who sends to it right now, and from when on the next message may go. */
export interface ChannelsTable {
  /**
   * `platform/workspace/channel`; `@` and a person's id stand for what that person is told directly, `platform/*` for
   * what the platform holds up everywhere.
   */
  id: string;
  holder: string | null;
  next_at: number;
  /** The same for edits, which platforms count apart. */
  next_edit_at: number;
}

/** Edgegap's rate limits as all processes share them; by the database's clock. */
export interface RateBucketsTable {
  /** `account/bucket`. */
  id: string;
  paused_until: number;
  /** People wait for a place until then: background work takes none. */
  people_until: number;
}

/** One place in a bucket's window. */
export interface RateSlotsTable {
  bucket: string;
  slot: number;
  free_at: number;
}

/** What is to be done at a time, by one process at a time. */
export interface TasksTable {
  /** Whose code runs it; with `key` it names the task. */
  kind: string;
  key: string;
  account: string;
  /** Null: cancelled while it ran. */
  run_at: number | null;
  /** When `run_at` was set, by the clock that it was set by. */
  written_at: number;
  payload_json: string | null;
  /** How often it failed since it last did not. */
  failures: number;
  /** Counts how often it was scheduled anew or cancelled. */
  revision: number;
  /** The process that runs it. */
  holder: string | null;
}
