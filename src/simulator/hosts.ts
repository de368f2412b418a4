import type { CatalogHost, HostUnits } from './catalog.ts';
import { phaseOf, type SimulatedDeployment } from './deployment.ts';
import type { Settings } from './options.ts';

interface State {
  readonly settings: Settings;
  readonly deployments: ReadonlyMap<string, SimulatedDeployment>;
}

/** A host, and the fleet that the host belongs to. */
export interface FleetPlace {
  readonly fleet: string;
  readonly host: CatalogHost;
}

/**
 * A copy of the host with the units that are in use. These are the allocated units in the catalogue plus the units of
 * the simulator's deployments.
 */
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
 * The first of these hosts that has room. If the result is undefined, the deployment goes to the cloud. Edgegap's
 * OpenAPI files do not say how Edgegap answers if a host is unknown. In the simulator, an unknown host has no room.
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
