import { type Generated, type Kysely, PostgresAdapter, type SelectQueryBuilder } from 'kysely';

/** The object that runs queries: the store, or a transaction in the store. */
export type Store = Kysely<Database>;

/** Whether several processes can use the database at the same time. PostgreSQL allows this, but SQLite does not. */
export function isShared(database: string): boolean {
  return /^postgres(ql)?:/i.test(database);
}

/**
 * On PostgreSQL, makes a query skip rows that another transaction has locked. The process of that transaction may be
 * suspended, so waiting for the rows could take long. A later query returns the skipped rows.
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

/** Each row is a deployment that was ordered in chat. The bot writes the row before it sends the request to Edgegap. */
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
  /** The id of the deployment that replaces this deployment. */
  replaced_by: string | null;
  /**
   * The number of changes so far. A writer begins with an increment of the revision. This update locks the row, so
   * other writers wait.
   */
  revision: number;
  created_at: number;
  /** The time of Edgegap's last news about the deployment. */
  heard_at: number;
  accepted_at: number | null;
  ready_at: number | null;
  error_at: number | null;
  ended_at: number | null;
  /** The time of the next check of the deployment. Null if no check is necessary. */
  check_at: number | null;
  checks: number;
  stop_asked_by: string | null;
  stop_asked_at: number | null;
  /** The time of Edgegap's first answer that the deployment does not exist. */
  missing_at: number | null;
  /** The process that sends the request to deploy, while `phase` is `requesting`. */
  holder: string | null;
  /**
   * A DeploymentStatus, as JSON, from a status poll that saw an event before its callback arrived. The callback may
   * still arrive.
   */
  doubted: string | null;
  /** The plan that stops the deployment, if the plan's card is in the deployment's own channel. */
  stop_plan: string | null;
}

/** The received callbacks. A repeated callback adds no row, so each deployment and event has at most one row. */
export interface CallbacksTable {
  deployment_id: string;
  event: string;
  body: string;
  received_at: number;
  handled_at: number | null;
  /** The number of failed attempts to handle the callback. `next_at` is the time of the next attempt. */
  failures: number | null;
  next_at: number | null;
}

/** Commands and button presses. Their key is the platform's id, by which the bot recognises a repeated request. */
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
  /**
   * The data with which another process can answer the invocation, in a format that the platform's adapter defines.
   * Null after the invocation has ended.
   */
  reply_json: string | null;
}

/** The messages and edits that wait to be sent to channels and people. */
export interface OutboxTable {
  /** A negative number means that the row is a digest of other rows. */
  id: Generated<number>;
  /** Rows with the same order key are sent one after another, oldest first. */
  order_key: string;
  platform: string;
  workspace: string;
  channel: string;
  thread: string | null;
  /** `post`, `edit`, `answer` (to an invocation, sent by another process) or `tell` (a direct message). */
  kind: string;
  /**
   * The MessageRef of the message to edit, or of the card below which to post. For an answer, the data with which the
   * platform accepts the answer.
   */
  target_json: string | null;
  /** The id of the person on the platform, if `kind` is `tell`. */
  person: string | null;
  message_json: string;
  also_to_channel: number;
  urgent: number;
  key: string;
  /**
   * `pending`, `leased` (is being sent), `folded` (is part of a digest), `sent`, or `dead` (will not be sent again).
   */
  state: string;
  /**
   * 1 if the last attempt may have sent the message without the bot's knowledge. The bot sets 1 when an attempt starts,
   * and 0 when the bot knows the outcome.
   */
  uncertain: number;
  /** The idempotency key of the last attempt. If the row is part of a digest, this is the key of the digest. */
  sent_key: string | null;
  attempts: number;
  attempted_at: number | null;
  next_at: number;
  created_at: number;
  sent_at: number | null;
  /** The process that sends the message, while `state` is `leased`. */
  holder: string | null;
  /** Why the last attempt failed. `reason_code` is an error code, and `reason` is a sentence for an operator. */
  reason_code: string | null;
  reason: string | null;
}

/** Payloads of buttons that are too long for the button itself. The button contains only a short key. */
export interface KeptTable {
  id: string;
  account: Generated<string>;
  value_json: string;
  created_at: number;
}

/** The processes that use this store. After the time `until`, a process counts as dead, and its claims expire. */
export interface InstancesTable {
  id: string;
  /** On PostgreSQL, this time comes from the database's clock. */
  until: number;
  started_at: number;
}

/**
 * A row is either a role or a turn. A role belongs to only one process at a time, and `holder` is the id of that
 * process. A turn is work that one process does once per interval, and `until` is the end of the interval. The guard
 * also locks rows with the name `deploys of …`, and uses them only as locks.
 */
export interface LeasesTable {
  name: string;
  holder: string | null;
  until: number;
  /** A note about the holder's progress, for the next holder. */
  bookmark: string | null;
}

/**
 * The channels to which the bot sends messages. A row contains the process that is sending to the channel, and the
 * earliest time of the next message.
 */
export interface ChannelsTable {
  /**
   * The id is `platform/workspace/channel`. For direct messages to a person, the channel is `@` followed by the
   * person's id. The row with the id `platform/*` is for all channels of the platform, if the platform has requested
   * such a pause.
   */
  id: string;
  holder: string | null;
  next_at: number;
  /** The earliest time of the next edit. Platforms count edits separately from posts. */
  next_edit_at: number;
}

/** The use of Edgegap's rate limits, which all processes share. The times come from the database's clock. */
export interface RateBucketsTable {
  /** The id is `account/bucket`. */
  id: string;
  paused_until: number;
  /** Until this time, calls of people wait for a permit, so background work takes no permits. */
  people_until: number;
}

/** Each row is a permit: a slot in the window of a bucket. */
export interface RateSlotsTable {
  bucket: string;
  slot: number;
  free_at: number;
}

/** Work that is scheduled for a certain time. Only one process at a time runs a task. */
export interface TasksTable {
  /** `kind` selects the code that runs the task. `kind` and `key` together identify the task. */
  kind: string;
  key: string;
  account: string;
  /** Null if the task is done, or was cancelled during its run. */
  run_at: number | null;
  /** The time at which `run_at` was set, by the clock from which `run_at` was calculated. */
  written_at: number;
  payload_json: string | null;
  /** The number of failed runs since the last successful run. */
  failures: number;
  /** How many times the task was scheduled again or cancelled. */
  revision: number;
  /** The process that is running the task. */
  holder: string | null;
}

/**
 * Options of `deploy` that people saved under a name. All members of the Discord server or Slack workspace can use
 * them.
 */
export interface PresetsTable {
  account: string;
  platform: string;
  workspace: string;
  /** The name in lower case. */
  name: string;
  /** The value of each option, by the option's name. The values are written as a person would type them. */
  options_json: string;
  /** The name of the person who saved the preset. */
  saved_by: string;
  saved_at: number;
}

/**
 * Plans that change many deployments at once. A plan contains exactly the deployments that the bot showed to the
 * person.
 */
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
  /** The row of the list that the bot showed to the person, as JSON. */
  cells_json: string;
  /**
   * `planned`, `sending` (the request for the change is being sent), `done`, `left-out` (the deployment has changed
   * since the plan) or `failed`.
   */
  state: string;
  /** A text for people that says why the deployment was left out, or why the change failed. */
  reason: string | null;
  changed_at: number;
}

/** The logs that the bot saved before the end of their servers. */
export interface RecordingsTable {
  /** The account and the request_id, written as `account/request_id`. */
  id: string;
  /** The log as JSON, compressed with gzip. */
  log: Uint8Array;
  recorded_at: number;
}
