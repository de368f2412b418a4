import { CallbackSender } from './callbacks.ts';
import type { CatalogVersion } from './catalog.ts';
import { isEnding, phaseOf, type SimulatedDeployment } from './deployment.ts';
import type { Faults } from './faults.ts';
import type { FleetPlace } from './hosts.ts';
import { externalPort, publicAddress, requestId } from './identity.ts';
import { Lifecycle } from './lifecycle.ts';
import { RateLimiter } from './limits.ts';
import type { Settings } from './options.ts';
import { nearest, type Player } from './placement.ts';
import { RouteRefusal } from './refusal.ts';
import { Timers } from './timers.ts';

/** A valid deploy request. */
export interface Order
  extends Pick<SimulatedDeployment, 'application' | 'environment' | 'webhooks' | 'imagePulled' | 'uses'> {
  readonly version: CatalogVersion;
  readonly players: readonly Player[];
  readonly tags: readonly string[];
  readonly place?: FleetPlace | undefined;
  readonly extras?: SimulatedDeployment['extras'];
  readonly logStorage?: string | undefined;
}

/** The whole state of a simulator, and the parts that change this state. */
export class World {
  readonly settings: Settings;
  readonly deployments = new Map<string, SimulatedDeployment>();
  /** The notes that the API adds to the deployment list. */
  readonly listNotes: string[] = [];
  readonly timers: Timers;
  readonly faults: Faults;
  readonly limiter: RateLimiter;
  readonly callbacks: CallbackSender;
  readonly lifecycle: Lifecycle;
  #made = 0;

  constructor(settings: Settings) {
    this.settings = settings;
    this.faults = settings.faults;
    this.timers = new Timers(settings.clock);
    this.limiter = new RateLimiter(settings.limits);
    this.callbacks = new CallbackSender(this);
    this.lifecycle = new Lifecycle(this);
  }

  /** Creates and stores a deployment. The lifecycle starts the deployment after that. */
  create(order: Order): SimulatedDeployment {
    this.#made += 1;
    const { version, players, tags, place: at, extras, logStorage, ...rest } = order;
    const id = requestId(this.settings.seed, this.#made);
    const now = this.settings.clock.now();
    const deployment: SimulatedDeployment = {
      ...rest,
      request_id: id,
      version: version.name,
      createdAt: now,
      city: at?.host.city ?? nearest(players, this.settings.catalog.cities),
      host: at?.host,
      fqdn: `${id}.pr.edgegap.net`,
      publicIp: publicAddress(at?.host.host_id ?? id),
      ports: version.ports.map((port) => ({ ...port, external: externalPort(id, port.name) })),
      maxDuration: version.max_duration,
      history: [{ phase: 'INITIALIZING', at: now }],
      tags: [...new Set(tags)].map((name) => ({ name, createdAt: now, updatedAt: now })),
      errorDetail: undefined,
      extras: at ? { ...extras, fleet_name: at.fleet, host_name: at.host.host_id } : { ...extras },
      crash: undefined,
      stopRequested: false,
      logStorage,
      unmeasured: [],
      log: { lines: [], bootLines: 0, playLines: 0 },
    };
    this.deployments.set(id, deployment);
    return deployment;
  }

  find(id: string | undefined): SimulatedDeployment {
    const deployment = this.deployments.get(id ?? '');
    if (!deployment)
      throw new RouteRefusal(this.settings.unknownIdStatus, `No deployment has the request_id ${id}`);
    return deployment;
  }

  /** Whether the account may have another deployment. */
  get hasRoom(): boolean {
    const live = [...this.deployments.values()].filter((deployment) => !isEnding(phaseOf(deployment)));
    return live.length < this.settings.maxConcurrent;
  }
}
