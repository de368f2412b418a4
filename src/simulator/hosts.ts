import type { CatalogHost, HostUnits } from './catalog.ts';
import { phaseOf, type SimulatedDeployment } from './deployment.ts';
import type { Settings } from './options.ts';

interface State {
  readonly settings: Settings;
  readonly deployments: ReadonlyMap<string, SimulatedDeployment>;
}

/** A host and its fleet. */
export interface FleetPlace {
  readonly fleet: string;
  readonly host: CatalogHost;
}

/**
 * Returns a copy of the host with its used units: the allocated units from the catalogue plus the units of the
 * simulator's deployments.
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
 * Returns the first of these hosts that has capacity. If the result is undefined, the deployment runs in the cloud.
 * Edgegap's OpenAPI files do not define the answer for an unknown host. In the simulator, an unknown host has no
 * capacity.
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
