import type { Endpoint } from './faults.ts';
import type { SimulatedLimits } from './options.ts';

const WINDOW_MS = 1000;

/** At most so many requests in any one-second window; a refused request does not count. */
export class RateLimiter {
  readonly #limits: SimulatedLimits;
  readonly #accepted = new Map<keyof SimulatedLimits, number[]>();

  constructor(limits: SimulatedLimits) {
    this.#limits = limits;
  }

  /** Whether a request that arrives at `now` is accepted. */
  admit(endpoint: Endpoint, now: number): boolean {
    if (endpoint !== 'deploy' && endpoint !== 'status' && endpoint !== 'list' && endpoint !== 'hosts')
      return true;
    const recent = (this.#accepted.get(endpoint) ?? []).filter((at) => at > now - WINDOW_MS);
    this.#accepted.set(endpoint, recent);
    if (recent.length >= this.#limits[endpoint]) return false;
    recent.push(now);
    return true;
  }
}
