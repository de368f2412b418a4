import type { Selectable } from 'kysely';
import type { Address, MessageRef } from '../chat/port.ts';
import { ageOf } from '../clock.ts';
import type { DeployUser } from '../edgegap/requests.ts';
import type { DeploymentStatus } from '../edgegap/schema.ts';
import type { DeploymentsTable } from '../store/schema.ts';

/**
 * How far a deployment has come, as far as the bot knows. `requesting`: the request is under way; `unknown`: the
 * request may or may not have reached Edgegap; `lost`: the deployment was searched for in vain, and may have started
 * all the same; `refused`: surely not started; `live`: has a request_id; `ended`: terminated.
 */
export type Phase = 'requesting' | 'unknown' | 'lost' | 'refused' | 'live' | 'ended';

/** The events about which Edgegap calls back. */
export const CALLBACK_EVENTS = ['ready', 'error', 'terminated'] as const;
export type CallbackEvent = (typeof CALLBACK_EVENTS)[number];

/** The rest of an order to deploy, beside application and version. */
export interface DeployPlan {
  readonly users: readonly DeployUser[];
  /** For people: `Montreal, Canada`, or the IPs. */
  readonly place: string;
  readonly tags: readonly string[];
}

/** A person's order to deploy. */
export interface DeployOrder {
  readonly invocationId: string;
  readonly application: string;
  readonly version: string;
  readonly plan: DeployPlan;
  readonly asker: { readonly id: string; readonly name: string };
  readonly at: Address;
  /** The live card, posted before the request leaves: proof that news can be delivered. */
  readonly card: MessageRef;
}

/** A deployment that was asked for in chat. Times are epoch milliseconds. */
export interface Deployment extends DeployOrder {
  readonly id: string;
  readonly account: string;
  readonly secret: string;
  readonly phase: Phase;
  readonly requestId: string | undefined;
  /** Edgegap's bare status; undefined before the first status. */
  readonly status: string | undefined;
  readonly snapshot: DeploymentStatus | undefined;
  /** The tags as Edgegap last told them; before that, the tags of the plan. */
  readonly tags: readonly string[];
  readonly errorDetail: string | undefined;
  readonly replacedBy: string | undefined;
  readonly createdAt: number;
  readonly heardAt: number;
  readonly acceptedAt: number | undefined;
  readonly readyAt: number | undefined;
  readonly errorAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly checkAt: number | undefined;
  readonly checks: number;
  /** The name of the person whose stop Edgegap accepted. */
  readonly stopAskedBy: string | undefined;
  readonly stopAskedAt: number | undefined;
  /** Since when Edgegap has answered that there is no such deployment. */
  readonly missingAt: number | undefined;
  /**
   * A status that was seen by asking, and whose event a callback should have reported. The callback gets some time;
   * the event is reported with the next news at the latest.
   */
  readonly doubted: DeploymentStatus | undefined;
}

export function fromRow(row: Selectable<DeploymentsTable>): Deployment {
  const plan: DeployPlan = JSON.parse(row.plan_json);
  return {
    id: row.id,
    account: row.account,
    secret: row.secret,
    invocationId: row.invocation_id,
    application: row.application,
    version: row.version,
    plan,
    asker: { id: row.asker_id, name: row.asker_name },
    at: {
      platform: row.platform,
      workspace: row.workspace,
      channel: row.channel,
      ...(row.thread === null ? {} : { thread: row.thread }),
    },
    card: JSON.parse(row.card_json),
    phase: row.phase as Phase,
    requestId: row.request_id ?? undefined,
    status: row.status ?? undefined,
    snapshot: row.snapshot_json === null ? undefined : JSON.parse(row.snapshot_json),
    tags: row.tags_json === null ? plan.tags : JSON.parse(row.tags_json),
    errorDetail: row.error_detail ?? undefined,
    replacedBy: row.replaced_by ?? undefined,
    createdAt: row.created_at,
    heardAt: row.heard_at,
    acceptedAt: row.accepted_at ?? undefined,
    readyAt: row.ready_at ?? undefined,
    errorAt: row.error_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    checkAt: row.check_at ?? undefined,
    checks: row.checks,
    stopAskedBy: row.stop_asked_by ?? undefined,
    stopAskedAt: row.stop_asked_at ?? undefined,
    missingAt: row.missing_at ?? undefined,
    // An older version stored the event's name here; without a status, Edgegap is asked again.
    doubted: row.doubted?.startsWith('{') ? JSON.parse(row.doubted) : undefined,
  };
}

/** The columns that news of a deployment can change. */
export function toColumns(deployment: Deployment) {
  return {
    phase: deployment.phase,
    request_id: deployment.requestId ?? null,
    status: deployment.status ?? null,
    snapshot_json: deployment.snapshot ? JSON.stringify(deployment.snapshot) : null,
    tags_json: JSON.stringify(deployment.tags),
    error_detail: deployment.errorDetail ?? null,
    accepted_at: deployment.acceptedAt ?? null,
    ready_at: deployment.readyAt ?? null,
    error_at: deployment.errorAt ?? null,
    ended_at: deployment.endedAt ?? null,
    stop_asked_by: deployment.stopAskedBy ?? null,
    stop_asked_at: deployment.stopAskedAt ?? null,
    missing_at: deployment.missingAt ?? null,
    doubted: deployment.doubted ? JSON.stringify(deployment.doubted) : null,
    heard_at: deployment.heardAt,
    check_at: deployment.checkAt ?? null,
  };
}

/**
 * Whether the end was concluded from Edgegap's answers that there is no such deployment: Edgegap never said
 * TERMINATED, and `status` is always Edgegap's own word.
 */
export function endIsInferred({ endedAt, status }: Pick<Deployment, 'endedAt' | 'status'>): boolean {
  return endedAt !== undefined && status !== 'TERMINATED';
}

const ID = /^[0-9a-z]{12}$/;

/** Whether the text has the form of an intent's id. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** Whether the message is the deployment's live card. */
export function isCardOf({ card }: Deployment, message: MessageRef | undefined): boolean {
  return (
    message !== undefined &&
    message.platform === card.platform &&
    message.workspace === card.workspace &&
    message.channel === card.channel &&
    message.message === card.message
  );
}

/** A deployment that a person named, by its full request_id. */
export interface DeploymentTarget {
  readonly request_id: string;
  /** The bot's own record, if the deployment was deployed from chat. */
  readonly known: Deployment | undefined;
  /** The status, if Edgegap had to be asked whether the deployment exists. */
  readonly seen: DeploymentStatus | undefined;
}

export function addressColumns(
  at: Address,
): Pick<DeploymentsTable, 'platform' | 'workspace' | 'channel' | 'thread'> {
  return { platform: at.platform, workspace: at.workspace, channel: at.channel, thread: at.thread ?? null };
}

/**
 * A status that equals the stored status is not written again if Edgegap was heard this short a time ago
 * (milliseconds).
 */
const FRESH_MS = 60_000;

/**
 * Whether the status was the same a moment ago, and there is no open question that the status could settle: a stop, a
 * missing deployment, a doubted status.
 */
export function isKnown(known: Deployment, status: DeploymentStatus, now: number): boolean {
  const { snapshot, heardAt, stopAskedAt, missingAt, doubted } = known;
  const open = stopAskedAt !== undefined || missingAt !== undefined || doubted !== undefined;
  if (open || !snapshot || ageOf(heardAt, now) >= FRESH_MS) return false;
  return asText({ ...snapshot, tags: [...known.tags] }) === asText(status);
}

/** The status as text, without the elapsed time, which grows with every answer. */
function asText({ elapsed_time: _, ...status }: DeploymentStatus): string {
  return JSON.stringify(status);
}
