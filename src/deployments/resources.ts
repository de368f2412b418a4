/* CPU, memory and distance: what hosts have, what versions need, and where places are. */
import type { AppVersion, FleetHost, Location } from '../edgegap/schema.ts';

/** `0.5 vCPU`, of CPU units: 1024 are one vCPU. */
export function vcpu(units: number): string {
  return `${rounded(units / 1024)} vCPU`;
}

/** `512 MB` or `1.5 GB`, of megabytes. */
export function memory(mb: number): string {
  return mb < 1024 ? `${Math.round(mb)} MB` : `${rounded(mb / 1024)} GB`;
}

function rounded(value: number): string {
  return String(Number(value.toFixed(2)));
}

/** What a deployment needs, in CPU units and megabytes. Edgegap may leave either out. */
export type Needs = Pick<AppVersion, 'req_cpu' | 'req_memory'>;

/** All that deployments may use of a host, and what is left of that; undefined while Edgegap does not tell. */
export interface Room {
  readonly total: number;
  readonly free: number;
}

/** `6 of 12 vCPU`: what is free of all. */
export function vcpuLeft({ free, total }: Room): string {
  return `${rounded(free / 1024)} of ${vcpu(total)}`;
}

/** `6 of 12 GB`, in the unit of the total. */
export function memoryLeft({ free, total }: Room): string {
  return `${total < 1024 ? Math.round(free) : rounded(free / 1024)} of ${memory(total)}`;
}

/** In CPU units. */
export function cpuOf(host: FleetHost): Room | undefined {
  return roomOf(host.allocatable_cpu_units, host.allocated_cpu_units);
}

/** In megabytes. */
export function memoryOf(host: FleetHost): Room | undefined {
  return roomOf(host.allocatable_memory_mb, host.allocated_memory_mb);
}

function roomOf(total: number | undefined, used = 0): Room | undefined {
  return total === undefined ? undefined : { total, free: Math.max(0, total - used) };
}

/** How many deployments with these needs the host can take now; a host that is not ACTIVE takes none. */
export function fitting(host: FleetHost, { req_cpu, req_memory }: Needs): number {
  if (host.status !== 'ACTIVE') return 0;
  const times = (room: Room | undefined, need: number | undefined) =>
    need ? Math.floor((room?.free ?? 0) / need) : Number.POSITIVE_INFINITY;
  const most = Math.min(times(cpuOf(host), req_cpu), times(memoryOf(host), req_memory));
  return Number.isFinite(most) ? most : 0;
}

/** Great-circle distance in kilometres; undefined where Edgegap does not say where one of both is. */
export function distance(a: Location, b: Location): number | undefined {
  const [from, to] = [a, b].map(({ latitude, longitude }) =>
    latitude === undefined || longitude === undefined
      ? undefined
      : { lat: (latitude * Math.PI) / 180, long: (longitude * Math.PI) / 180 },
  );
  if (!from || !to) return undefined;
  const half =
    Math.sin((to.lat - from.lat) / 2) ** 2 +
    Math.cos(from.lat) * Math.cos(to.lat) * Math.sin((to.long - from.long) / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.min(1, Math.sqrt(half)));
}
