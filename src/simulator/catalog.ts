import { type City, defaultCities } from './cities.ts';

/** The applications of the account, and the cities where their deployments can run. */
export interface SimulatedCatalog {
  readonly applications: readonly CatalogApplication[];
  readonly cities: readonly City[];
  readonly fleets?: readonly CatalogFleet[];
  /** The notes that the API adds to the list of locations. */
  readonly notes?: readonly string[];
}

export interface CatalogFleet {
  readonly name: string;
  readonly hosts: readonly CatalogHost[];
}

export interface HostUnits {
  readonly cpu: number;
  readonly memory: number;
}

/** A host of a private fleet. The units are the same as in `CatalogVersion`. */
export interface CatalogHost {
  readonly host_id: string;
  readonly status: 'PENDING' | 'ACTIVE';
  readonly city: City;
  readonly allocated: HostUnits;
  readonly allocatable: HostUnits;
  /** The time at which Edgegap will delete the host, in epoch milliseconds. */
  readonly deletedAt?: number;
}

export interface CatalogApplication {
  readonly name: string;
  readonly is_active: boolean;
  readonly versions: readonly CatalogVersion[];
}

export interface CatalogVersion {
  readonly name: string;
  readonly is_active: boolean;
  /** 1024 units are one vCPU. */
  readonly req_cpu: number;
  readonly req_memory: number;
  /** The maximum running time of a deployment in minutes. -1 means no limit. */
  readonly max_duration: number;
  /** The share of the locations whose cache contains the image, from 0 to 1. */
  readonly caching_percent: number;
  readonly ports: readonly CatalogPort[];
  readonly restart_policy?: 'always' | 'never' | 'on_failure';
  /** The maximum time in seconds for the download of the image. */
  readonly time_to_deploy?: number;
  /** How every deployment of this version fails. With this field, a demo shows a failure without extra code. */
  readonly misfortune?: 'no-capacity' | 'image-cannot-be-pulled' | 'crashes';
}

export interface CatalogPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly tls_upgrade: boolean;
}

const GAME: CatalogPort = { name: 'gameport', port: 7777, protocol: 'UDP', tls_upgrade: false };
const HTTP: CatalogPort = { name: 'http', port: 8080, protocol: 'TCP', tls_upgrade: false };
const SOCKET: CatalogPort = { name: 'websocket', port: 9000, protocol: 'WS', tls_upgrade: true };

function version(name: string, other: Partial<CatalogVersion> = {}): CatalogVersion {
  return {
    name,
    is_active: true,
    req_cpu: 512,
    req_memory: 1024,
    max_duration: 60,
    caching_percent: 0.86,
    ports: [GAME, HTTP],
    ...other,
  };
}

/** Hosts in all possible states: empty, half full, full, not ready yet, and soon to be deleted. */
function defaultHosts(fleet: string): CatalogHost[] {
  const allocatable = { cpu: 12_928, memory: 25_178 };
  const host = (place: number, used: number, other: Partial<CatalogHost> = {}): CatalogHost[] => {
    const city = defaultCities[place];
    if (!city) return [];
    return [
      {
        host_id: `${fleet}-${city.city.toLowerCase().replaceAll(' ', '-')}-${place}`,
        status: 'ACTIVE',
        city,
        allocated: { cpu: allocatable.cpu * used, memory: allocatable.memory * used },
        allocatable,
        ...other,
      },
    ];
  };
  return [
    ...host(0, 0),
    ...host(1, 0.5),
    ...host(2, 1),
    ...host(3, 0, { status: 'PENDING' }),
    ...host(4, 0.25, { deletedAt: Date.UTC(2030, 0, 1) }),
  ];
}

/**
 * The default catalogue. The application `trouble` has one version for each kind of failure. The application
 * `arena-shooter` has more versions than fit on a page, as in a studio with nightly builds.
 */
export const defaultCatalog: SimulatedCatalog = {
  cities: defaultCities,
  fleets: [
    { name: 'tournament', hosts: defaultHosts('tournament') },
    { name: 'empty-fleet', hosts: [] },
  ],
  applications: [
    {
      name: 'kart-racing',
      is_active: true,
      versions: [
        version('v1.1', { is_active: false }),
        version('v1.2'),
        version('v1.3', { caching_percent: 0.31 }),
      ],
    },
    {
      name: 'arena-shooter',
      is_active: true,
      versions: [
        version('2026.2', { req_cpu: 2048, req_memory: 4096, max_duration: 1440 }),
        ...Array.from({ length: 14 }, (_, night) =>
          version(`nightly-${String(night + 1).padStart(2, '0')}`, {
            caching_percent: 0,
            is_active: night > 2,
          }),
        ),
      ],
    },
    {
      name: 'lobby-chat',
      is_active: true,
      versions: [
        version('stable', { req_cpu: 256, req_memory: 512, max_duration: -1, ports: [SOCKET, HTTP] }),
      ],
    },
    { name: 'retired-prototype', is_active: false, versions: [version('final')] },
    {
      name: 'trouble',
      is_active: true,
      versions: [
        version('no-capacity', { misfortune: 'no-capacity' }),
        version('no-image', { misfortune: 'image-cannot-be-pulled' }),
        version('crashes', { misfortune: 'crashes' }),
      ],
    },
  ],
};
