import type { Selectable } from 'kysely';
import type { Address, MessageRef } from '../chat/port.ts';
import { ageOf } from '../clock.ts';
import type { DeployRequest, DeployUser, LegacyDeployRequest } from '../edgegap/requests.ts';
import type { DeploymentStatus } from '../edgegap/schema.ts';
import type { DeploymentsTable } from '../store/schema.ts';
import type { Lifetime } from './lifetime.ts';

/**
 * The progress of a deployment, as far as the bot knows. `requesting`: the request to deploy is in progress. `unknown`:
 * the request may or may not have reached Edgegap. `lost`: the bot searched for the deployment and did not find it, but
 * it may still have started. `refused`: the deployment certainly did not start. `live`: the deployment has a
 * request_id. `ended`: the deployment has terminated.
 */
export type Phase = 'requesting' | 'unknown' | 'lost' | 'refused' | 'live' | 'ended';

/** The events for which Edgegap sends a callback. */
export const CALLBACK_EVENTS = ['ready', 'error', 'terminated'] as const;
export type CallbackEvent = (typeof CALLBACK_EVENTS)[number];

/** The parts of an order to deploy, apart from the application and the version. */
export interface OrderDetails {
  readonly users: readonly DeployUser[];
  /** Where to deploy, as shown to people: `Montreal, Canada`, or the IP addresses. */
  readonly place: string;
  readonly tags: readonly string[];
  /** The name of the preset that supplied options. */
  readonly preset?: string | undefined;
  /** Variables for the container. */
  readonly env?: readonly OrderedVariable[] | undefined;
  /** If absent, the deployment uses the resources that the version defines. */
  readonly resources?: DeployRequest['resources'];
  /** Whether Edgegap may use only locations whose cache contains the image. */
  readonly cached?: boolean | undefined;
  /** A private fleet, with the ids of its hosts in order of preference. */
  readonly fleet?: { readonly name: string; readonly hosts: readonly string[] } | undefined;
  /**
   * Set if only Edgegap's older API can carry out the order. The older API sends a callback only for the event `ready`.
   */
  readonly legacy?: LegacyDetails | undefined;
  /** Whether the person omitted the version. If true, the bot used the newest active version. */
  readonly newest?: boolean | undefined;
  /**
   * How long servers of this version usually took to become ready, in milliseconds, as known at the time of the order.
   */
  readonly usualMs?: number | undefined;
  /** Absent if the deployment has no lifetime. */
  readonly lifetime?: Lifetime | undefined;
  /**
   * Whether a person adopted the deployment after it was deployed outside chat. Edgegap sends no callbacks for an
   * adopted deployment.
   */
  readonly adopted?: boolean | undefined;
}

/** A variable with its value. The value is removed when it is no longer needed: see `withoutValues`. */
export interface OrderedVariable {
  readonly key: string;
  readonly value?: string;
  /**
   * The value of a hidden variable, encrypted by the account's vault. The request to Edgegap marks the variable with
   * `is_hidden`.
   */
  readonly sealed?: string;
}

/** The parts of an order that only Edgegap's older API supports. */
export interface LegacyDetails extends Readonly<Pick<LegacyDeployRequest, 'command' | 'arguments'>> {
  /** The name of the endpoint storage (as Edgegap calls it) to which Edgegap writes the log. */
  readonly logStorage?: string | undefined;
}

/** Returns the details without the values of variables, which may be secret. The names of the variables remain. */
export function withoutValues(plan: OrderDetails): OrderDetails {
  return { ...plan, env: plan.env?.map(({ key }) => ({ key })) };
}

/** A person's order to deploy. */
export interface DeployOrder {
  readonly invocationId: string;
  readonly application: string;
  readonly version: string;
  readonly plan: OrderDetails;
  readonly asker: { readonly id: string; readonly name: string };
  readonly at: Address;
  /**
   * The live card. The bot posts the card before it sends the request, which also proves that the bot can post later
   * news.
   */
  readonly card: MessageRef;
}

/** A deployment that was ordered in chat. All times are epoch milliseconds. */
export interface Deployment extends DeployOrder {
  readonly id: string;
  readonly account: string;
  readonly secret: string;
  readonly phase: Phase;
  readonly requestId: string | undefined;
  /** Edgegap's status without the prefix `Status.`. Undefined before the first status. */
  readonly status: string | undefined;
  readonly snapshot: DeploymentStatus | undefined;
  /** The tags in Edgegap's last answer. Before the first answer, these are the tags of the order. */
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
  /** The name of the person whose request to stop was accepted by Edgegap. */
  readonly stopAskedBy: string | undefined;
  readonly stopAskedAt: number | undefined;
  /** The plan that stops the deployment. The plan's card reports the stop and the end in the channel. */
  readonly stopPlan: string | undefined;
  /**
   * The time of Edgegap's first answer that this deployment does not exist. Cleared when Edgegap reports the deployment
   * again.
   */
  readonly missingAt: number | undefined;
  /**
   * A status that the bot learned from its own call although Edgegap should have sent a callback. The callback may
   * still arrive, so the bot waits before it reports the event. If other news arrives first, the bot reports the event
   * together with this news.
   */
  readonly doubted: DeploymentStatus | undefined;
}

export function fromRow(row: Selectable<DeploymentsTable>): Deployment {
  const plan: OrderDetails = JSON.parse(row.plan_json);
  return {
    id: row.id,
    account: row.account,
    secret: row.secret,
    invocationId: row.invocation_id,
    application: row.application,
    version: row.version,
    plan,
    asker: { id: row.asker_id, name: row.asker_name },
    at: addressOf(row),
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
    stopPlan: row.stop_plan ?? undefined,
    missingAt: row.missing_at ?? undefined,
    // Older versions of the bot stored the name of an event in this column. The name contains no status, so the bot
    // asks Edgegap again.
    doubted: row.doubted?.startsWith('{') ? JSON.parse(row.doubted) : undefined,
  };
}

/** The columns that may change when news of a deployment arrives. */
export function toColumns(deployment: Deployment) {
  const { phase, plan, replacedBy } = deployment;
  // The values of variables are stored only while the bot may still have to send or repeat the order.
  const mayBeSent = ['requesting', 'unknown', 'lost'].includes(phase) && replacedBy === undefined;
  return {
    asker_id: deployment.asker.id,
    asker_name: deployment.asker.name,
    plan_json: JSON.stringify(mayBeSent ? plan : withoutValues(plan)),
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
    stop_plan: deployment.stopPlan ?? null,
    missing_at: deployment.missingAt ?? null,
    doubted: deployment.doubted ? JSON.stringify(deployment.doubted) : null,
    heard_at: deployment.heardAt,
    check_at: deployment.checkAt ?? null,
  };
}

/**
 * Whether the bot only inferred the deployment's end from Edgegap's answer that the deployment does not exist. In this
 * case, Edgegap never reported the status TERMINATED. `status` contains only statuses that Edgegap reported.
 */
export function endIsInferred({ endedAt, status }: Pick<Deployment, 'endedAt' | 'status'>): boolean {
  return endedAt !== undefined && status !== 'TERMINATED';
}

/** Whether Edgegap reported the end of the deployment. */
export function hasSurelyEnded(deployment: Pick<Deployment, 'endedAt' | 'status'>): boolean {
  return deployment.endedAt !== undefined && !endIsInferred(deployment);
}

const ID = /^[0-9a-z]{12}$/;

/** Whether the text has the format of an intent's id. */
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

/** A deployment that a person named. `request_id` is complete, even if the person typed only the beginning. */
export interface DeploymentTarget {
  readonly request_id: string;
  /** The bot's own record of the deployment, if it was deployed from chat. */
  readonly known: Deployment | undefined;
  /** The deployment's status, if the bot asked Edgegap whether the deployment exists. */
  readonly seen: DeploymentStatus | undefined;
}

type AddressColumns = Pick<DeploymentsTable, 'platform' | 'workspace' | 'channel' | 'thread'>;

export function addressColumns(at: Address): AddressColumns {
  return { platform: at.platform, workspace: at.workspace, channel: at.channel, thread: at.thread ?? null };
}

export function addressOf({ platform, workspace, channel, thread }: AddressColumns): Address {
  return { platform, workspace, channel, ...(thread === null ? {} : { thread }) };
}

/**
 * A status that equals the stored status is written again only if Edgegap's last news is at least this old (in
 * milliseconds).
 */
const FRESH_MS = 60_000;

/**
 * Whether Edgegap reported the same status a moment ago and this status answers no open question. An open question is
 * whether a stop has taken effect, whether Edgegap lists the deployment again, or whether a doubted status is
 * confirmed.
 */
export function isKnown(known: Deployment, status: DeploymentStatus, now: number): boolean {
  const { snapshot, heardAt, stopAskedAt, missingAt, doubted } = known;
  const open = stopAskedAt !== undefined || missingAt !== undefined || doubted !== undefined;
  if (open || !snapshot || ageOf(heardAt, now) >= FRESH_MS) return false;
  return asText({ ...snapshot, tags: [...known.tags] }) === asText(status);
}

/** Returns the status as text for comparisons. The elapsed time is left out, because it increases with every answer. */
function asText({ elapsed_time: _, ...status }: DeploymentStatus): string {
  return JSON.stringify(status);
}
