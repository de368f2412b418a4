import type { CatalogHost, HostUnits } from './catalog.ts';
import { phaseOf, type SimulatedDeployment } from './deployment.ts';
import type { Settings } from './options.ts';

interface State {
  readonly settings: Settings;
  readonly deployments: ReadonlyMap<string, SimulatedDeployment>;
}

/** A host, and the fleet to which the host belongs. */
export interface FleetPlace {
  readonly fleet: string;
  readonly host: CatalogHost;
}

/** The host with all units in use: the units of the catalog, and the units that the simulator's deployments use. */
export function inUse(host: CatalogHost, { deployments }: State): CatalogHost {
  let { cpu, memory } = host.allocated;
  for (const deployment of deployments.values()) {
    const phase = phaseOf(deployment);
    if (deployment.host !== host || phase === 'ERROR' || phase === 'TERMINATED') continue;
    cpu += deployment.uses.cpu;
    memory += deployment.uses.memory;
  }
  return { ...host, allocated: { cpu, memory } };
}

/**
 * The first of these hosts that has room. Undefined sends the deployment to the cloud. Edgegap's OpenAPI files do not
 * say how an unknown host is answered; here an unknown host has no room.
 */
export function findRoom(ids: readonly string[], uses: HostUnits, state: State): FleetPlace | undefined {
  const hosts = (state.settings.catalog.fleets ?? []).flatMap(({ name, hosts }) =>
    hosts.map((host): FleetPlace => ({ fleet: name, host })),
  );
  return ids
    .flatMap((id) => hosts.filter(({ host }) => host.host_id === id))
    .find(({ host }) => {
      const { status, allocated, allocatable } = inUse(host, state);
      const fits = (unit: keyof HostUnits) => allocated[unit] + uses[unit] <= allocatable[unit];
      return status === 'ACTIVE' && fits('cpu') && fits('memory');
    });
}
