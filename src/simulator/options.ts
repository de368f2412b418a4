import type { Clock } from '../clock.ts';
import { defaultCatalog } from './catalog.ts';
import { Faults } from './faults.ts';

/** The duration of each phase, and the delay between an event and its callback, in milliseconds. */
const DURATIONS = {
  initializing: 400,
  seeking: 1200,
  seeked: 300,
  scanning: 1300,
  deploying: 4000,
  terminating: 2000,
  callbackDelay: 150,
  /** How long a deployment stays READY if the `misfortune` of its version is `crashes`. */
  crashAfter: 3000,
};

/** The maximum number of accepted requests in any window of one second. Infinity means no limit. */
const LIMITS = { deploy: 40, status: 20, list: 10, hosts: 10 };
export type SimulatedLimits = Readonly<typeof LIMITS>;

const DEFAULTS = {
  /** The only accepted token, without the prefix `token`. */
  token: '5e1f0c3a-0000-4000-8000-51a0d0e0f00d',
  /** A token that was valid in the past. The answer to a request with this token is 403 instead of 401. */
  deletedToken: 'de1e7ed0-0000-4000-8000-000000000000',
  catalog: defaultCatalog,
  /** The age of the data in the list, in milliseconds. */
  listLagMs: 0,
  /** The API reference says 20, and the newer OpenAPI file says 40. */
  maxTagLength: 20,
  /** The maximum number of live deployments. If a deploy exceeds this number, the answer is 422. */
  maxConcurrent: Number.POSITIVE_INFINITY,
  /**
   * How many milliseconds before READY the measurements of a server begin. A demo needs enough measurements for a chart
   * at once.
   */
  measuredBeforeMs: 0,
  logEncoding: 'utf-8' as 'utf-8' | 'base64',
  /** The HTTP status for an unknown request_id. The live API answers 400, but the OpenAPI file says 404. */
  unknownIdStatus: 400 as 400 | 404,
  /**
   * `openapi`: bodies are exactly as the OpenAPI files declare them. `reference`: bodies are as the API reference shows
   * them, with `whitelisting_active`, sockets, null for absent fields, and `count` in the tag list.
   */
  dialect: 'openapi' as 'openapi' | 'reference',
  /** A different seed changes every request_id, address and port. */
  seed: 'edgegap',
};

export interface SimulatorOptions extends Partial<Readonly<typeof DEFAULTS>> {
  readonly clock: Clock;
  readonly durations?: Partial<Readonly<typeof DURATIONS>>;
  readonly limits?: Partial<SimulatedLimits>;
  /** Decides about faults. By default, the list of planned faults decides. */
  readonly faults?: Faults;
}

export type Settings = ReturnType<typeof withDefaults>;

export function withDefaults(options: SimulatorOptions) {
  const { faults = new Faults() } = options;
  const limits: SimulatedLimits = { ...LIMITS, ...options.limits };
  return { ...DEFAULTS, ...options, faults, limits, durations: { ...DURATIONS, ...options.durations } };
}
