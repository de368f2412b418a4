import { Callbacks } from './callbacks.ts';
import type { CatalogVersion } from './catalog.ts';
import { isEnding, phaseOf, type SimulatedDeployment } from './deployment.ts';
import type { Faults } from './faults.ts';
import { externalPort, publicAddress, requestId } from './identity.ts';
import { Lifecycle } from './lifecycle.ts';
import { RateLimiter } from './limits.ts';
import type { Settings } from './options.ts';
import { type Player, place } from './placement.ts';
import { Refusal } from './refusal.ts';
import { Timers } from './timers.ts';

/** What a deploy asks for, once it has been found to make sense. */
export interface Order {
  readonly application: string;
  readonly version: CatalogVersion;
  readonly players: readonly Player[];
  readonly tags: readonly string[];
  readonly environment: readonly { key: string; value: string }[];
  readonly webhooks: SimulatedDeployment['webhooks'];
  readonly imagePulled: boolean;
}

/** All state of one simulator, and the parts that change it. */
export class World {
  readonly settings: Settings;
  readonly deployments = new Map<string, SimulatedDeployment>();
  /** What the deployment list says beside its rows. */
  readonly listNotes: string[] = [];
  readonly timers: Timers;
  readonly faults: Faults;
  readonly limiter: RateLimiter;
  readonly callbacks: Callbacks;
  readonly lifecycle: Lifecycle;
  #made = 0;

  constructor(settings: Settings) {
    this.settings = settings;
    this.faults = settings.faults;
    this.timers = new Timers(settings.clock);
    this.limiter = new RateLimiter(settings.limits);
    this.callbacks = new Callbacks(this);
    this.lifecycle = new Lifecycle(this);
  }

  /** Makes a deployment and remembers it; setting it going is the lifecycle's. */
  create(order: Order): SimulatedDeployment {
    this.#made += 1;
    const id = requestId(this.settings.seed, this.#made);
    const now = this.settings.clock.now();
    const deployment: SimulatedDeployment = {
      request_id: id,
      application: order.application,
      version: order.version.name,
      createdAt: now,
      city: place(order.players, this.settings.catalog.cities),
      fqdn: `${id}.pr.edgegap.net`,
      publicIp: publicAddress(id),
      ports: order.version.ports.map((port) => ({ ...port, external: externalPort(id, port.name) })),
      maxDuration: order.version.max_duration,
      environment: order.environment,
      webhooks: order.webhooks,
      history: [{ phase: 'INITIALIZING', at: now }],
      tags: [...new Set(order.tags)].map((name) => ({ name, createdAt: now, updatedAt: now })),
      errorDetail: undefined,
      extras: {},
      crash: undefined,
      imagePulled: order.imagePulled,
      stopRequested: false,
      logStorage: undefined,
      unmeasured: [],
      log: { lines: [], bootLines: 0, playLines: 0 },
    };
    this.deployments.set(id, deployment);
    return deployment;
  }

  find(id: string | undefined): SimulatedDeployment {
    const deployment = this.deployments.get(id ?? '');
    if (!deployment)
      throw new Refusal(this.settings.unknownIdStatus, `No deployment has the request_id ${id}`);
    return deployment;
  }

  /** Whether the account may have one more. */
  get hasRoom(): boolean {
    const live = [...this.deployments.values()].filter((deployment) => !isEnding(phaseOf(deployment)));
    return live.length < this.settings.maxConcurrent;
  }
}
