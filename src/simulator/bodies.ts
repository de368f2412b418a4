import type { CatalogApplication, CatalogHost, CatalogVersion } from './catalog.ts';
import {
  enteredAt,
  phaseOf,
  type SimulatedDeployment,
  type SimulatedPhase,
  type SimulatedTag,
} from './deployment.ts';
import { publicAddress } from './identity.ts';
import type { Settings } from './options.ts';
import { timestamp } from './timestamp.ts';

/** The answer of `GET /v1/status`, and the body of every callback. */
export function statusBody(deployment: SimulatedDeployment, now: number, settings: Settings): object {
  const phase = phaseOf(deployment);
  const ready = enteredAt(deployment, 'READY');
  const ended = enteredAt(deployment, 'TERMINATED');
  const placed = enteredAt(deployment, 'SEEKED') !== undefined;
  const previous = deployment.history.at(-2)?.phase;
  const body = {
    request_id: deployment.request_id,
    fqdn: deployment.fqdn,
    public_ip: placed ? deployment.publicIp : '',
    app_name: deployment.application,
    app_version: deployment.version,
    current_status: `Status.${phase}`,
    running: phase === 'READY',
    // This field is required and never null. Before READY, only the time of the deploy is known.
    start_time: timestamp(ready ?? deployment.createdAt),
    elapsed_time: ready === undefined ? 0 : Math.floor(((ended ?? now) - ready) / 1000),
    max_duration: deployment.maxDuration,
    removal_time: ended === undefined ? undefined : timestamp(ended),
    last_status: previous && `Status.${previous}`,
    error: phase === 'ERROR' || deployment.errorDetail !== undefined,
    error_detail: deployment.errorDetail,
    ports: ready === undefined ? undefined : portsBody(deployment),
    location: placed ? deployment.city : undefined,
    tags: tagNames(deployment),
    command: undefined,
    arguments: undefined,
  };
  if (settings.dialect === 'openapi') return body;
  const extra = {
    whitelisting_active: false,
    sockets: '8',
    sockets_usage: 0,
    sessions: [],
    ...deployment.extras,
  };
  return Object.fromEntries(
    Object.entries({ ...body, ...extra }).map(([key, value]) => [key, value ?? null]),
  );
}

/** Returns a row of the list. `phase` is the phase in the list, which may be older than the present phase. */
export function listRow(deployment: SimulatedDeployment, phase: SimulatedPhase): object {
  const placed = enteredAt(deployment, 'SEEKED') !== undefined;
  const ready = phase === 'READY';
  return {
    request_id: deployment.request_id,
    fqdn: deployment.fqdn,
    ready,
    start_time: timestamp(enteredAt(deployment, 'READY') ?? deployment.createdAt),
    public_ip: placed ? deployment.publicIp : '',
    ports: ready ? portsBody(deployment) : undefined,
    tags: tagNames(deployment),
  };
}

function tagNames(deployment: SimulatedDeployment): string[] {
  return deployment.tags.map((tag) => tag.name);
}

function portsBody(deployment: SimulatedDeployment): object {
  const entries = deployment.ports.map(({ name, port: internal, external, protocol, tls_upgrade }) => {
    const link = linkTo(deployment.fqdn, protocol, tls_upgrade, external);
    return [name, { name, link, internal, external, protocol, tls_upgrade }];
  });
  return Object.fromEntries(entries);
}

function linkTo(fqdn: string, protocol: string, tls: boolean, port: number): string {
  const scheme = { HTTP: 'http', WS: 'ws' }[protocol];
  return `${scheme ? `${scheme}${tls ? 's' : ''}://` : ''}${fqdn}:${port}`;
}

export function tagBody({ name, createdAt, updatedAt }: SimulatedTag): object {
  return { name, create_time: timestamp(createdAt), last_updated: timestamp(updatedAt) };
}

export function hostBody({ host_id, status, city, allocated, allocatable, deletedAt }: CatalogHost): object {
  const { latitude, longitude } = city;
  return {
    host_id,
    status,
    ip_address: status === 'ACTIVE' ? publicAddress(host_id) : null,
    latitude,
    longitude,
    city: city.city,
    country: city.country,
    continent: city.continent,
    allocated_cpu_units: Math.round(allocated.cpu),
    allocated_memory_mb: Math.round(allocated.memory),
    allocatable_cpu_units: status === 'ACTIVE' ? allocatable.cpu : null,
    allocatable_memory_mb: status === 'ACTIVE' ? allocatable.memory : null,
    beacon: null,
    created_at: MADE_ISO,
    updated_at: MADE_ISO,
    centroid: { label: 'Alpha', latitude, longitude, radius_km: 500, desired_host_count: 1 },
    delete_schedule:
      deletedAt === undefined
        ? null
        : { uuid: '10287c9b-a6e2-4909-84c8-59daf74895b5', scheduled_at: new Date(deletedAt).toISOString() },
    fleet_host_specifications: { cpu_units: 16_384, memory_mb: 32_768, base_clock_speed_mhz: 2_000 },
  };
}

/** The creation time of all applications and versions, which is earlier than any deployment in the simulator. */
const MADE = timestamp(Date.UTC(2026, 0, 12, 9, 30, 0));
const MADE_ISO = '2026-01-12T09:30:00.000000Z';
const TIMES = { create_time: MADE, last_updated: MADE };

export function applicationBody({ name, is_active }: CatalogApplication): object {
  return { name, is_active, image: '', ...TIMES };
}

export function versionBody(application: CatalogApplication, version: CatalogVersion): object {
  const { misfortune: _, ...shown } = version;
  return {
    ...shown,
    ...TIMES,
    req_video: 0,
    docker_repository: 'registry.example.com',
    docker_image: `studio/${application.name}`,
    docker_tag: version.name,
    force_cache: version.caching_percent > 0,
    time_to_deploy: version.time_to_deploy ?? 120,
    restart_policy: version.restart_policy ?? 'never',
    termination_grace_period_seconds: 30,
    ports: version.ports.map((port) => ({ ...port, to_check: true })),
    envs: [],
  };
}
