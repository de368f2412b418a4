import type { DeploymentView, PortView } from '../cards/deployment-card.ts';
import { isOwnTag } from '../edgegap/outside.ts';
import { type DeploymentStatus, parseEdgegapTime } from '../edgegap/schema.ts';
import type { Deployment, DeployPlan } from './deployment.ts';

/** A deployment of ours as people see it. */
export function viewOf(deployment: Deployment): DeploymentView {
  const { snapshot, phase } = deployment;
  const mayAgain = phase === 'lost' && deployment.replacedBy === undefined;
  return {
    request_id: deployment.requestId,
    application: deployment.application,
    version: deployment.version,
    status: statusOf(deployment),
    place: locationOf(snapshot) ?? deployment.plan.place,
    fqdn: snapshot?.fqdn,
    public_ip: snapshot?.public_ip,
    ports: portsOf(snapshot),
    tags: deployment.tags.filter((tag) => !isOwnTag(tag)),
    askedBy: deployment.asker.name,
    createdAt: deployment.createdAt,
    readyAt: readyBeforeEnd(deployment),
    endedAt: deployment.endedAt,
    error: deployment.errorDetail,
    note: noteOf(deployment),
    again: mayAgain ? deployment.id : undefined,
    stopping: deployment.stopAskedBy !== undefined,
  };
}

/** When it became ready; undefined where that news came after its end, so that nothing can be said of how long it ran. */
export function readyBeforeEnd({ readyAt, endedAt }: Deployment): number | undefined {
  return readyAt !== undefined && endedAt !== undefined && readyAt >= endedAt ? undefined : readyAt;
}

/** The card that goes out before the request does. */
export function requestingView(order: {
  readonly application: string;
  readonly version: string;
  readonly plan: DeployPlan;
  readonly askedBy: string;
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

/** Any deployment of the account, as its status describes it. */
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
    tags: status.tags.filter((tag) => !isOwnTag(tag)),
    readyAt: current_status === 'READY' ? parseEdgegapTime(status.start_time) : undefined,
    endedAt: current_status === 'TERMINATED' ? parseEdgegapTime(status.removal_time) : undefined,
    error: error ? status.error_detail : undefined,
  };
}

function statusOf({ phase, status, stopAskedBy }: Deployment): string {
  // Edgegap carries out a stop once it is one of these, and is not quick to say so.
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
  switch (phase) {
    case 'unknown':
      return 'Edgegap did not answer clearly, so this may or may not have started. I am looking for it; nothing is sent twice.';
    case 'lost':
      return replacedBy === undefined
        ? 'Edgegap did not answer, and the deployment is not listed. It may have started all the same: check the dashboard before you deploy again.'
        : 'It was deployed again.';
    case 'live':
      if (missingAt !== undefined)
        return 'Edgegap says that it knows no such deployment. I ask again before I take it to have ended.';
      return stopAskedBy !== undefined && statusOf(deployment) !== 'TERMINATING'
        ? `${stopAskedBy} asked to stop it; Edgegap does so as soon as it is ready or failed.`
        : undefined;
    default:
      return undefined;
  }
}

function locationOf(status: DeploymentStatus | undefined): string | undefined {
  const { city, country } = status?.location ?? {};
  const place = [city, country].filter((part) => part !== undefined && part !== '');
  return place.length > 0 ? place.join(', ') : undefined;
}

function portsOf(status: DeploymentStatus | undefined): PortView[] {
  if (!status) return [];
  const host = status.fqdn ?? status.public_ip;
  return Object.entries(status.ports).flatMap(([name, port]) => {
    const link = port.link ?? (host && port.external !== undefined ? `${host}:${port.external}` : undefined);
    return link ? [{ name: port.name ?? name, protocol: port.protocol ?? '', link }] : [];
  });
}
