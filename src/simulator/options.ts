import type { Clock } from '../clock.ts';
import { defaultCatalog } from './catalog.ts';
import { Faults } from './faults.ts';

/** How many milliseconds pass in each phase, and between an event and its callback. */
const DURATIONS = {
  initializing: 400,
  seeking: 1200,
  seeked: 300,
  scanning: 1300,
  deploying: 4000,
  terminating: 2000,
  callbackDelay: 150,
  /** How long a deployment stays READY if its version has the `misfortune` `crashes`. */
  crashAfter: 3000,
};

/** How many requests are accepted in any window of one second. Infinity means that there is no limit. */
const LIMITS = { deploy: 40, status: 20, list: 10, hosts: 10 };
export type SimulatedLimits = Readonly<typeof LIMITS>;

const DEFAULTS = {
  /** The only token that is accepted, without the word `token`. */
  token: '5e1f0c3a-0000-4000-8000-51a0d0e0f00d',
  /** A token that was valid in the past. A request with this token is answered 403 instead of 401. */
  deletedToken: 'de1e7ed0-0000-4000-8000-000000000000',
  catalog: defaultCatalog,
  /** The list shows the deployments as they were this many milliseconds ago. */
  listLagMs: 0,
  /** The API reference says 20, and the newer OpenAPI file says 40. */
  maxTagLength: 20,
  /** The maximum number of live deployments. If a deploy exceeds this number, the answer is 422. */
  maxConcurrent: Number.POSITIVE_INFINITY,
  /**
   * How many milliseconds before READY the measurements of a server begin. A demo cannot wait an hour until there is
   * enough for a chart.
   */
  measuredBeforeMs: 0,
  logEncoding: 'utf-8' as 'utf-8' | 'base64',
  /** The status of the answer for an unknown request_id. The live API answers 400, while the OpenAPI file says 404. */
  unknownIdStatus: 400 as 400 | 404,
  /**
   * `openapi`: bodies are exactly as the OpenAPI files declare them. `reference`: bodies are as the API reference shows
   * them, with `whitelisting_active`, sockets, null for absent fields, and `count` in the tag list.
   */
  dialect: 'openapi' as 'openapi' | 'reference',
  /** If the seed is changed, every request_id, address and port changes. */
  seed: 'edgegap',
};

export interface SimulatorOptions extends Partial<Readonly<typeof DEFAULTS>> {
  readonly clock: Clock;
  readonly durations?: Partial<Readonly<typeof DURATIONS>>;
  readonly limits?: Partial<SimulatedLimits>;
  /** Decides about faults. If absent, the list of planned faults decides. */
  readonly faults?: Faults;
}

export type Settings = ReturnType<typeof withDefaults>;

export function withDefaults(options: SimulatorOptions) {
  const { faults = new Faults() } = options;
  const limits: SimulatedLimits = { ...LIMITS, ...options.limits };
  return { ...DEFAULTS, ...options, faults, limits, durations: { ...DURATIONS, ...options.durations } };
}
