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
  /** How long a version whose misfortune is `crashes` stays READY. */
  crashAfter: 3000,
};

/** How many requests are accepted in any one-second window; Infinity means no limit. */
const LIMITS = { deploy: 40, status: 20, list: 10, hosts: 10 };
export type SimulatedLimits = Readonly<typeof LIMITS>;

const DEFAULTS = {
  /** The only token that is accepted, written without the word `token`. */
  token: '5e1f0c3a-0000-4000-8000-51a0d0e0f00d',
  /** A token that was valid in the past. It is answered 403 instead of 401. */
  deletedToken: 'de1e7ed0-0000-4000-8000-000000000000',
  catalog: defaultCatalog,
  /** The list shows the deployments as they were this many milliseconds ago. */
  listLagMs: 0,
  /** 20, as the API reference says, or 40, as the newer OpenAPI file says. */
  maxTagLength: 20,
  /** The most live deployments. A deploy beyond this number is answered 422. */
  maxConcurrent: Number.POSITIVE_INFINITY,
  /**
   * A server's measurements begin this many milliseconds before READY, because a demo has no hour to wait for a chart.
   */
  measuredBeforeMs: 0,
  logEncoding: 'utf-8' as 'utf-8' | 'base64',
  /** The live API answers 400 for an unknown request_id; the OpenAPI file says 404. */
  unknownIdStatus: 400 as 400 | 404,
  /**
   * `openapi`: bodies are exactly as the OpenAPI files declare them. `reference`: bodies are as the API reference shows
   * them, with `whitelisting_active`, sockets, null for absent fields, and `count` in the tag list.
   */
  dialect: 'openapi' as 'openapi' | 'reference',
  /** Another seed changes every request_id, address and port. */
  seed: 'edgegap',
};

export interface SimulatorOptions extends Partial<Readonly<typeof DEFAULTS>> {
  readonly clock: Clock;
  readonly durations?: Partial<Readonly<typeof DURATIONS>>;
  readonly limits?: Partial<SimulatedLimits>;
  /** Decides about faults, instead of the usual list of planned faults. */
  readonly faults?: Faults;
}

export type Settings = ReturnType<typeof withDefaults>;

export function withDefaults(options: SimulatorOptions) {
  const { faults = new Faults() } = options;
  const limits: SimulatedLimits = { ...LIMITS, ...options.limits };
  return { ...DEFAULTS, ...options, faults, limits, durations: { ...DURATIONS, ...options.durations } };
}
