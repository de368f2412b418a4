import type { Clock } from '../clock.ts';
import { defaultCatalog } from './catalog.ts';
import { Faults } from './faults.ts';

/** Milliseconds spent in each phase before the next one, and between an event and its callback. */
const DURATIONS = {
  initializing: 400,
  seeking: 1200,
  seeked: 300,
  scanning: 1300,
  deploying: 4000,
  terminating: 2000,
  callbackDelay: 150,
  /** How long a version whose misfortune is to crash stays READY. */
  crashAfter: 3000,
};

/** Requests per second, in any one-second window; Infinity for none. */
const LIMITS = { deploy: 40, status: 20, list: 10 };
export type Limits = Readonly<typeof LIMITS>;

const DEFAULTS = {
  /** The one token that is let in; without the word `token`. */
  token: '5e1f0c3a-0000-4000-8000-51a0d0e0f00d',
  /** A token that once was good: answered 403 instead of 401. */
  deletedToken: 'de1e7ed0-0000-4000-8000-000000000000',
  catalog: defaultCatalog,
  /** The list shows the world as it was this long ago. */
  listLagMs: 0,
  /** 20 as the API reference says, or 40 as the newer OpenAPI file does. */
  maxTagLength: 20,
  /** More live deployments than this are answered 422. */
  maxConcurrent: Number.POSITIVE_INFINITY,
  logEncoding: 'utf-8' as 'utf-8' | 'base64',
  /** The live API answers 400 to a request_id it does not know; the OpenAPI file says 404. */
  unknownIdStatus: 400 as 400 | 404,
  /**
   * `openapi`: bodies exactly as the OpenAPI files declare them. `reference`: as the API reference shows
   * them, which has `whitelisting_active`, sockets, null for what is not there, and `count` in the tag list.
   */
  dialect: 'openapi' as 'openapi' | 'reference',
  /** Changes every request_id, address and port. */
  seed: 'edgegap',
};

export interface SimulatorOptions extends Partial<Readonly<typeof DEFAULTS>> {
  readonly clock: Clock;
  readonly durations?: Partial<Readonly<typeof DURATIONS>>;
  readonly limits?: Partial<Limits>;
  /** Decides what goes wrong, in place of the usual list of planned faults. */
  readonly faults?: Faults;
}

export type Settings = ReturnType<typeof settle>;

export function settle(options: SimulatorOptions) {
  const { faults = new Faults() } = options;
  const limits: Limits = { ...LIMITS, ...options.limits };
  return { ...DEFAULTS, ...options, faults, limits, durations: { ...DURATIONS, ...options.durations } };
}
