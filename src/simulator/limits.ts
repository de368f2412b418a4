import type { Endpoint } from './faults.ts';
import type { SimulatedLimits } from './options.ts';

const WINDOW_MS = 1000;

/** The endpoints with a limit. The requests of each endpoint are counted separately. */
const LIMITED: Readonly<Partial<Record<Endpoint, keyof SimulatedLimits>>> = {
  deploy: 'deploy',
  deployToFleet: 'deploy',
  deployLegacy: 'deploy',
  status: 'status',
  list: 'list',
  hosts: 'hosts',
};

/** Accepts at most a fixed number of requests in any window of one second. Refused requests do not count. */
export class RateLimiter {
  readonly #limits: SimulatedLimits;
  readonly #accepted = new Map<Endpoint, number[]>();

  constructor(limits: SimulatedLimits) {
    this.#limits = limits;
  }

  /** Whether a request that arrives at `now` is accepted. */
  admit(endpoint: Endpoint, now: number): boolean {
    const limit = LIMITED[endpoint];
    if (!limit) return true;
    const recent = (this.#accepted.get(endpoint) ?? []).filter((at) => at > now - WINDOW_MS);
    this.#accepted.set(endpoint, recent);
    if (recent.length >= this.#limits[limit]) return false;
    recent.push(now);
    return true;
  }
}
