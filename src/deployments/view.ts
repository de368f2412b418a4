import { withoutOwnTags } from '../edgegap/outside.ts';
import { type DeploymentPort, type DeploymentStatus, parseEdgegapTime } from '../edgegap/schema.ts';
import type { DeploymentView, PortView } from './card.ts';
import type { Deployment, DeploymentTarget, OrderDetails } from './deployment.ts';
import { NO_ROOM } from './failure-words.ts';
import { orderFields } from './order-fields.ts';

/** The view of a deployment that was deployed from chat. */
export function viewOf(deployment: Deployment): DeploymentView {
  const { snapshot, phase } = deployment;
  const status = statusOf(deployment);
  const mayAgain = phase === 'lost' ? deployment.replacedBy === undefined : isRepeatable(deployment);
  return {
    request_id: deployment.requestId,
    application: deployment.application,
    version: deployment.version,
    status,
    place: locationOf(snapshot) ?? deployment.plan.place,
    fqdn: snapshot?.fqdn,
    public_ip: snapshot?.public_ip,
    ports: portsOf(snapshot),
    tags: withoutOwnTags(deployment.tags),
    ordered: orderFields(deployment.plan, deployment.version),
    askedBy: deployment.asker,
    adopted: deployment.plan.adopted,
    createdAt: deployment.createdAt,
    ...timesOf(deployment),
    failedAt: deployment.errorAt,
    error: deployment.errorDetail,
    note: noteOf(deployment),
    isDoubted: deployment.missingAt !== undefined,
    again: mayAgain ? deployment.id : undefined,
    elsewhere: mayHelpElsewhere(deployment),
    usualMs: deployment.plan.usualMs,
    stopping: deployment.stopAskedBy !== undefined,
    told: snapshot,
    endsAt: firstEnd(deployment)?.at,
  };
}

/**
 * The time at which Edgegap stops the server: `max_duration` minutes after READY. Undefined if `max_duration` is -1,
 * which means no limit.
 */
function endsAt(
  told: DeploymentStatus | undefined,
  status: string,
  readyAt: number | undefined,
): number | undefined {
  const minutes = told?.max_duration ?? -1;
  return status === 'READY' && readyAt !== undefined && minutes > 0 ? readyAt + minutes * 60_000 : undefined;
}

/** The time at which the bot or Edgegap ends a deployment. `by` says which of the two ends the deployment. */
export interface End {
  readonly at: number;
  readonly by: 'lifetime' | 'edgegap';
}

/** The earliest end of a running deployment. Undefined if a person has requested a stop, or if no end is set. */
export function firstEnd(deployment: Deployment): End | undefined {
  const { phase, snapshot, stopAskedBy, plan } = deployment;
  if (phase !== 'live' || stopAskedBy !== undefined) return undefined;
  const edgegap = endsAt(snapshot, statusOf(deployment), timesOf(deployment).readyAt);
  const own = plan.lifetime?.isOver ? undefined : plan.lifetime?.endsAt;
  if (own !== undefined && own <= (edgegap ?? own)) return { at: own, by: 'lifetime' };
  return edgegap === undefined ? undefined : { at: edgegap, by: 'edgegap' };
}

/** How much the clocks of Edgegap and of this machine may differ. */
const SKEW_MS = 5_000;

type Times = Pick<DeploymentView, 'readyAt' | 'endedAt'>;

/**
 * When the deployment became ready, and when it ended. Edgegap's times are used if they are plausible. Otherwise the
 * times at which the news arrived are used, which may be long after the events. If the news of READY arrived after the
 * end, the running time is unknown.
 */
export function timesOf({ createdAt, readyAt, endedAt, snapshot }: Deployment): Times {
  const said = snapshot && timesSaid(snapshot);
  const within = (at: number | undefined, to: number) =>
    at !== undefined && at >= createdAt - SKEW_MS && at <= to + SKEW_MS ? at : undefined;
  const end = endedAt === undefined ? undefined : (within(said?.endedAt, endedAt) ?? endedAt);
  // The server may have been ready even if the bot learned this only after the end. Therefore Edgegap's time of READY
  // is compared with the end, if the end is known.
  const latest = end ?? readyAt;
  if (latest === undefined) return { readyAt: undefined, endedAt: undefined };
  const learned = readyAt !== undefined && (end === undefined || readyAt < end) ? readyAt : undefined;
  return { readyAt: within(said?.readyAt, latest) ?? learned, endedAt: end };
}

/**
 * The times that Edgegap reports. Before READY, `start_time` may be any time. `elapsed_time` is the time since the
 * server became ready.
 */
function timesSaid({ current_status, start_time, removal_time, elapsed_time = 0 }: DeploymentStatus): Times {
  const ended = current_status === 'TERMINATED';
  const endedAt = ended ? parseEdgegapTime(removal_time) : undefined;
  const wasReady = current_status === 'READY' || elapsed_time > 0;
  const since = endedAt !== undefined && wasReady ? endedAt - elapsed_time * 1000 : undefined;
  return { readyAt: wasReady ? (parseEdgegapTime(start_time) ?? since) : undefined, endedAt };
}

/** The view for the card that the bot posts before it sends the request to deploy. */
export function requestingView(order: {
  readonly application: string;
  readonly version: string;
  readonly plan: OrderDetails;
  readonly askedBy: Deployment['asker'];
  readonly createdAt: number;
}): DeploymentView {
  const { application, version, plan, askedBy, createdAt } = order;
  return {
    ...unknownView,
    application,
    version,
    status: 'REQUESTING',
    place: plan.place,
    tags: plan.tags,
    ordered: orderFields(plan, version),
    usualMs: plan.usualMs,
    askedBy,
    createdAt,
  };
}

const unknownView = {
  request_id: undefined,
  place: undefined,
  fqdn: undefined,
  public_ip: undefined,
  ports: [],
  tags: [],
  askedBy: undefined,
  createdAt: undefined,
  readyAt: undefined,
  endedAt: undefined,
  error: undefined,
  note: undefined,
  again: undefined,
  stopping: false,
} as const;

/** The view of any deployment of the account. The view is made from Edgegap's status. */
export function viewOfStatus(status: DeploymentStatus): DeploymentView {
  const { current_status, error } = status;
  return {
    ...unknownView,
    request_id: status.request_id,
    application: status.app_name ?? 'unknown application',
    version: status.app_version ?? '',
    status: current_status,
    place: locationOf(status),
    fqdn: status.fqdn,
    public_ip: status.public_ip,
    ports: portsOf(status),
    tags: withoutOwnTags(status.tags),
    ...timesSaid(status),
    error: error ? status.error_detail : undefined,
    told: status,
    endsAt: endsAt(status, current_status, timesSaid(status).readyAt),
  };
}

/** Whether the server has failed or ended, so that a person can deploy it again. */
export function isRepeatable(deployment: Deployment): boolean {
  // An adopted server cannot be deployed again if Edgegap did not report the position of its location.
  if (deployment.plan.adopted && deployment.plan.users.length === 0) return false;
  return deployment.phase === 'ended' || statusOf(deployment) === 'ERROR';
}

/**
 * Whether the server failed because no location had capacity. Always false for Edgegap's older API, which accepts no
 * city.
 */
function mayHelpElsewhere({ errorAt, errorDetail, readyAt, snapshot, plan }: Deployment): boolean {
  if (errorAt === undefined || plan.legacy !== undefined) return false;
  const isUnplaced = readyAt === undefined && snapshot?.last_status === 'SEEKING';
  return isUnplaced || NO_ROOM.test(errorDetail ?? '');
}

/** The status as people see it. The bot may know more than Edgegap's last answer says. */
export function statusOf({
  phase,
  status,
  stopAskedBy,
}: Pick<Deployment, 'phase' | 'status' | 'stopAskedBy'>): string {
  // If the status is READY or ERROR, Edgegap carries out the stop but shows TERMINATING only after some time.
  const isStopping = stopAskedBy !== undefined && (status === 'READY' || status === 'ERROR');
  switch (phase) {
    case 'requesting':
      return 'REQUESTING';
    case 'unknown':
      return 'UNKNOWN';
    case 'lost':
      return 'LOST';
    case 'refused':
      return 'REFUSED';
    case 'live':
      return isStopping ? 'TERMINATING' : (status ?? 'REQUESTED');
    case 'ended':
      return 'TERMINATED';
  }
}

function noteOf(deployment: Deployment): string | undefined {
  const { phase, replacedBy, stopAskedBy, missingAt } = deployment;
  const isOver = deployment.plan.lifetime?.isOver && stopAskedBy !== undefined;
  const over = isOver ? 'Ended by its lifetime.' : undefined;
  switch (phase) {
    case 'unknown':
      return 'Edgegap did not answer clearly, so this server may or may not have started. I am looking for the server, and send nothing twice.';
    case 'lost':
      return replacedBy === undefined
        ? 'Edgegap did not answer, and the server is not listed. It may have started all the same: check the dashboard before you deploy again.'
        : 'The same version was deployed again.';
    case 'live':
      if (missingAt !== undefined)
        return 'Edgegap says that it knows no such server. I ask again before I treat the server as ended.';
      if (stopAskedBy === undefined) return undefined;
      if (statusOf(deployment) === 'TERMINATING') return over;
      return `${over ?? `${stopAskedBy} asked to stop this server.`} Edgegap stops the server once the server is ready or has failed.`;
    case 'ended':
      return over;
    default:
      return undefined;
  }
}

/** The city and the country of the server, for example `Montreal, Canada`. */
export function locationOf(status: DeploymentStatus | undefined): string | undefined {
  const { city, country } = status?.location ?? {};
  const place = [city, country].filter((part) => part !== undefined && part !== '');
  return place.length > 0 ? place.join(', ') : undefined;
}

/**
 * The address of a port for players. Undefined if Edgegap reports no link and the host or the external port is unknown.
 */
export function linkOf(host: string | undefined, { link, external }: DeploymentPort): string | undefined {
  return link ?? (host && external !== undefined ? `${host}:${external}` : undefined);
}

function portsOf(status: DeploymentStatus | undefined): PortView[] {
  if (!status) return [];
  const host = status.fqdn ?? status.public_ip;
  return Object.entries(status.ports).flatMap(([name, port]) => {
    const link = linkOf(host, port);
    if (!link) return [];
    const protocol = [port.protocol, port.tls_upgrade ? 'TLS' : undefined].filter((part) => part).join(', ');
    const { internal, external } = port;
    return [{ name: port.name ?? name, protocol, link, internal, external }];
  });
}

/** The application and the version of a deployment that a person named, as far as the bot knows them. */
export function nameOfTarget({ known, seen }: DeploymentTarget): string {
  const [application = '', version = ''] = known
    ? [known.application, known.version]
    : [seen?.app_name, seen?.app_version];
  return `${application} ${version}`.trim();
}
