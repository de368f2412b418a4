import { type Generated, type Kysely, PostgresAdapter, type SelectQueryBuilder } from 'kysely';

/** The object through which queries are made: the store itself, or a transaction in the store. */
export type Store = Kysely<Database>;

/**
 * Whether several processes can work on the database. This is possible on PostgreSQL. A SQLite file belongs to a single
 * process.
 */
export function isShared(database: string): boolean {
  return /^postgres(ql)?:/i.test(database);
}

/**
 * On PostgreSQL, makes a query skip the rows that another transaction has locked. The process of that transaction may
 * have been stopped in the middle, so waiting for the rows could take long. A later query finds the skipped rows again.
 */
export function passingOverLocked<DB, Table extends keyof DB, Row>(
  rows: SelectQueryBuilder<DB, Table, Row>,
  db: Store,
): SelectQueryBuilder<DB, Table, Row> {
  return db.getExecutor().adapter instanceof PostgresAdapter ? rows.forUpdate().skipLocked() : rows;
}

/** All times are whole milliseconds since the epoch. Columns named `*_json` contain JSON text. */
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
  presets: PresetsTable;
  plans: PlansTable;
  plan_items: PlanItemsTable;
  recordings: RecordingsTable;
}

/** Each row is a deployment that was ordered in chat. The row is written before the request to Edgegap leaves. */
export interface DeploymentsTable {
  /** The id of the intent. It is also part of the callback URLs and of the tag. */
  id: string;
  account: string;
  /**
   * The secret in the callback URLs. The bot gives these URLs only to Edgegap, so a callback with the secret must come
   * from Edgegap.
   */
  secret: string;
  invocation_id: string;
  application: string;
  version: string;
  /** The OrderDetails, as JSON. */
  plan_json: string;
  asker_id: string;
  asker_name: string;
  platform: string;
  workspace: string;
  channel: string;
  thread: string | null;
  /** The MessageRef of the live card, as JSON. */
  card_json: string;
  phase: string;
  request_id: string | null;
  status: string | null;
  /** The newest DeploymentStatus that the bot knows, as JSON. */
  snapshot_json: string | null;
  tags_json: string | null;
  error_detail: string | null;
  /** The id of the deployment that was started to replace this deployment. */
  replaced_by: string | null;
  /**
   * The number of changes so far. A writer first increases the revision. This update locks the row, so that a second
   * writer has to wait.
   */
  revision: number;
  created_at: number;
  /** When news of the deployment last came from Edgegap. */
  heard_at: number;
  accepted_at: number | null;
  ready_at: number | null;
  error_at: number | null;
  ended_at: number | null;
  /** When to ask Edgegap about the deployment next. Null if there is no reason to ask. */
  check_at: number | null;
  checks: number;
  stop_asked_by: string | null;
  stop_asked_at: number | null;
  /** The time of Edgegap's first answer that there is no such deployment. */
  missing_at: number | null;
  /** The process that sends the request to deploy, as long as `phase` is `requesting`. */
  holder: string | null;
  /**
   * A DeploymentStatus, as JSON, that a status poll found before a callback reported it. The callback may still be on
   * its way.
   */
  doubted: string | null;
  /** The plan that stops the deployment, if the card of the plan stands in the deployment's own channel. */
  stop_plan: string | null;
}

/**
 * The callbacks that arrived. There is one row for each deployment and event, even if the same callback arrives several
 * times.
 */
export interface CallbacksTable {
  deployment_id: string;
  event: string;
  body: string;
  received_at: number;
  handled_at: number | null;
  /** How many attempts to handle the callback have failed. `next_at` is when the bot tries again. */
  failures: number | null;
  next_at: number | null;
}

/**
 * Commands and button presses. Their key is the id that the platform gave them, so that a repeated request is
 * recognised.
 */
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
  /** The process that carries out the invocation, as long as `state` is `running`. */
  holder: string | null;
  /**
   * The data with which another process can still answer the invocation, in a form that the platform defines. Null
   * after the invocation has ended.
   */
  reply_json: string | null;
}

/** The messages and edits that are to be sent to channels and persons. */
export interface OutboxTable {
  /** A number below zero means that the row is a digest of other rows. */
  id: Generated<number>;
  /** Rows with the same order key are sent one after the other, oldest first. */
  order_key: string;
  platform: string;
  workspace: string;
  channel: string;
  thread: string | null;
  /** `post`, `edit`, `answer` (to an invocation, sent by another process) or `tell` (a direct message). */
  kind: string;
  /**
   * The MessageRef of the message to edit, or of the card under which to post. For an answer, this is the data with
   * which the platform accepts the answer.
   */
  target_json: string | null;
  /** The id of the person on the platform, if `kind` is `tell`. */
  person: string | null;
  message_json: string;
  also_to_channel: number;
  urgent: number;
  key: string;
  /** `pending`, `leased` (is being sent), `folded` (is part of a digest), `sent`, or `dead` (was given up). */
  state: string;
  /**
   * 1 as long as an attempt may have sent the message without the bot's knowledge. An attempt sets 1 at its beginning.
   * The value becomes 0 as soon as the bot knows whether the message was sent.
   */
  uncertain: number;
  /** The key with which the last attempt was sent. If the row is part of a digest, this is the key of the digest. */
  sent_key: string | null;
  attempts: number;
  attempted_at: number | null;
  next_at: number;
  created_at: number;
  sent_at: number | null;
  /** The process that sends the message, as long as `state` is `leased`. */
  holder: string | null;
  /** Why the last attempt failed. `reason_code` is an error code, and `reason` is a sentence for an operator. */
  reason_code: string | null;
  reason: string | null;
}

/** Payloads that are too long for the id of a button. The button contains only a short key. */
export interface KeptTable {
  id: string;
  account: Generated<string>;
  value_json: string;
  created_at: number;
}

/**
 * The processes that work on this store. When the time `until` of a process has passed, the process counts as dead, and
 * its claims are free.
 */
export interface InstancesTable {
  id: string;
  /** On PostgreSQL, this time is by the clock of the database. */
  until: number;
  started_at: number;
}

/**
 * A row is either a role or a turn. A role belongs to only one process at a time, and `holder` is set. A turn is work
 * that only one process does, once in a while, and `until` is set. The guard also has rows that are only locked, with the
 * name `deploys of …`.
 */
export interface LeasesTable {
  name: string;
  holder: string | null;
  until: number;
  /** A note of the holder about how far its work has come, for the next holder. */
  bookmark: string | null;
}

/**
 * The channels to which messages are sent. A row contains the process that is sending to the channel now, and the time
 * from which the next message may be sent.
 */
export interface ChannelsTable {
  /**
   * The id is `platform/workspace/channel`. For direct messages to a person, the channel is `@` followed by the id of
   * the person. The id `platform/*` stands for a pause in all channels that the platform has asked for.
   */
  id: string;
  holder: string | null;
  next_at: number;
  /** The time from which the next edit may be sent. Platforms count edits separately. */
  next_edit_at: number;
}

/** Edgegap's rate limits, which all processes share. The times are by the clock of the database. */
export interface RateBucketsTable {
  /** The id is `account/bucket`. */
  id: string;
  paused_until: number;
  /** Until this time, calls of people are waiting for a permit, and background work takes no permits. */
  people_until: number;
}

/** Each row is a permit: a slot in the window of a bucket. */
export interface RateSlotsTable {
  bucket: string;
  slot: number;
  free_at: number;
}

/** Work to be done at a certain time, by only one process at a time. */
export interface TasksTable {
  /** `kind` decides which code runs the task. `kind` and `key` together identify the task. */
  kind: string;
  key: string;
  account: string;
  /** Null if the task is done, or was cancelled while it was running. */
  run_at: number | null;
  /** When `run_at` was set, by the same clock that `run_at` was calculated with. */
  written_at: number;
  payload_json: string | null;
  /** How many runs have failed since the last run that succeeded. */
  failures: number;
  /** How many times the task was scheduled again or cancelled. */
  revision: number;
  /** The process that is running the task. */
  holder: string | null;
}

/** Options of `deploy` that people saved under a name, for all members of a Discord server or Slack workspace. */
export interface PresetsTable {
  account: string;
  platform: string;
  workspace: string;
  /** In lower case. */
  name: string;
  /** The values as a person would type them, by the name of the option. */
  options_json: string;
  /** The name of the person who saved the preset. */
  saved_by: string;
  saved_at: number;
}

/** Plans to change many deployments at once. A plan holds exactly the deployments that the person was shown. */
export interface PlansTable {
  id: string;
  account: string;
  /** The change, the filter, the person and the channel, as JSON. */
  plan_json: string;
  /** `asked` (not confirmed yet), `running`, `done` or `cancelled`. */
  state: string;
  /** The MessageRef of the public card that shows the progress, as JSON. Null until the plan is confirmed. */
  card_json: string | null;
  created_at: number;
}

/** The deployments of the plans. */
export interface PlanItemsTable {
  plan_id: string;
  request_id: string;
  /** The position in the plan. */
  place: number;
  /** The row of the list that the person was shown, as JSON. */
  cells_json: string;
  /**
   * `planned`, `sending` (the change is being asked for), `done`, `left-out` (the deployment has changed since the plan)
   * or `failed`.
   */
  state: string;
  /** Why the deployment was left out, or why the change failed, in words for people. */
  reason: string | null;
  changed_at: number;
}

/** The logs that the bot saved before their servers ended. */
export interface RecordingsTable {
  /** The account and the request_id, written as `account/request_id`. */
  id: string;
  /** The log as JSON, compressed with gzip. */
  log: Uint8Array;
  recorded_at: number;
}
