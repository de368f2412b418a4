/* CPU and memory of hosts and versions, and the distance between two positions. */
import type { AppVersion, FleetHost } from '../edgegap/catalogue.ts';
import type { Location } from '../edgegap/schema.ts';

/**
 * The resources that a deployment needs: CPU units (1024 units are one vCPU), megabytes, and GPU units. Edgegap may
 * leave out any of these values.
 */
export type Needs = Pick<AppVersion, 'req_cpu' | 'req_memory' | 'req_video'>;

/** The needs as text: `0.5 vCPU, 1 GB`. Empty if Edgegap does not report the needs. */
export function resources({ req_cpu, req_memory, req_video }: Needs): string {
  const gpu = req_video ? `${rounded(req_video / 1024)} GPU` : '';
  const parts = [req_cpu ? vcpu(req_cpu) : '', req_memory ? memory(req_memory) : '', gpu];
  return parts.filter((part) => part !== '').join(', ');
}

/** Formats CPU units as text: `0.5 vCPU`. */
export function vcpu(units: number): string {
  return `${rounded(units / 1024)} vCPU`;
}

/** Formats megabytes as text: `512 MB` or `1.5 GB`. */
export function memory(mb: number): string {
  return mb < 1024 ? `${Math.round(mb)} MB` : `${rounded(mb / 1024)} GB`;
}

function rounded(value: number): string {
  return String(Number(value.toFixed(2)));
}

/** A resource of a host. `total` is the part that deployments may use, and `free` is the unused part of `total`. */
interface Room {
  readonly total: number;
  readonly free: number;
}

/** The CPU of the host, in CPU units. Undefined if Edgegap does not report the CPU. */
function cpuOf(host: FleetHost): Room | undefined {
  return roomOf(host.allocatable_cpu_units, host.allocated_cpu_units);
}

/** The memory of the host, in megabytes. Undefined if Edgegap does not report the memory. */
function memoryOf(host: FleetHost): Room | undefined {
  return roomOf(host.allocatable_memory_mb, host.allocated_memory_mb);
}

function roomOf(total: number | undefined, used = 0): Room | undefined {
  return total === undefined ? undefined : { total, free: Math.max(0, total - used) };
}

/**
 * The free resources of all hosts together, as the texts `6 of 12 vCPU free` and `512 of 768 MB free`. A text is
 * undefined if Edgegap does not report the resource for any host.
 */
export function freeOn(hosts: readonly FleetHost[]): { cpu: string | undefined; memory: string | undefined } {
  const cpu = sum(hosts.map(cpuOf));
  const ram = sum(hosts.map(memoryOf));
  const unit = ram && ram.total < 1024 ? 1 : 1024;
  return {
    cpu: cpu && `${rounded(cpu.free / 1024)} of ${vcpu(cpu.total)} free`,
    memory: ram && `${rounded(ram.free / unit)} of ${memory(ram.total)} free`,
  };
}

function sum(rooms: readonly (Room | undefined)[]): Room | undefined {
  const known = rooms.filter((room) => room !== undefined);
  const add = (a: Room, b: Room) => ({ total: a.total + b.total, free: a.free + b.free });
  return known.length > 0 ? known.reduce(add) : undefined;
}

/** How many more deployments with these needs fit on the host now. Edgegap deploys only to ACTIVE hosts. */
export function fitting(host: FleetHost, { req_cpu, req_memory }: Needs): number {
  const times = (room: Room | undefined, need: number | undefined) =>
    need ? [Math.floor((room?.free ?? 0) / need)] : [];
  const all = [...times(cpuOf(host), req_cpu), ...times(memoryOf(host), req_memory)];
  return host.status === 'ACTIVE' && all.length > 0 ? Math.min(...all) : 0;
}

/**
 * Sorts the hosts by free CPU. The host with the most free CPU comes first, and hosts that are not ACTIVE come last.
 */
export function emptiestFirst(hosts: readonly FleetHost[]): FleetHost[] {
  const rank = (host: FleetHost) => (host.status === 'ACTIVE' ? (cpuOf(host)?.free ?? 0) : -1);
  const byId = hosts.toSorted((a, b) => a.host_id.localeCompare(b.host_id, 'en', { numeric: true }));
  return byId.toSorted((a, b) => rank(b) - rank(a));
}

type Point = Pick<Location, 'latitude' | 'longitude'>;

/** The great-circle distance in kilometres. Undefined if Edgegap does not report both positions. */
export function distance(a: Point, b: Point): number | undefined {
  const degrees = [a.latitude, a.longitude, b.latitude, b.longitude];
  if (degrees.includes(undefined)) return undefined;
  const [lat1 = 0, long1 = 0, lat2 = 0, long2 = 0] = degrees.map((value = 0) => (value * Math.PI) / 180);
  const half =
    Math.sin((lat2 - lat1) / 2) ** 2 + Math.cos(lat1) * Math.cos(lat2) * Math.sin((long2 - long1) / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.min(1, Math.sqrt(half)));
}
