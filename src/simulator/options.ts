import type { Clock } from '../clock.ts';
import { type Catalog, defaultCatalog } from './catalog.ts';
import { Faults } from './faults.ts';

/** Milliseconds spent in each phase before the next one, and between an event and its callback. */
interface Durations {
  readonly initializing: number;
  readonly seeking: number;
  readonly seeked: number;
  readonly scanning: number;
  readonly deploying: number;
  readonly terminating: number;
  readonly callbackDelay: number;
  /** How long a version whose misfortune is to crash stays READY. */
  readonly crashAfter: number;
}

/** Requests per second, in any one-second window; Infinity for none. */
export interface Limits {
  readonly deploy: number;
  readonly status: number;
  readonly list: number;
  readonly hosts: number;
}

export interface SimulatorOptions {
  readonly clock: Clock;
  /** The one token that is let in; without the word `token`. */
  readonly token?: string;
  /** A token that once was good: answered 403 instead of 401. */
  readonly deletedToken?: string;
  readonly durations?: Partial<Durations>;
  readonly catalog?: Catalog;
  readonly limits?: Partial<Limits>;
  /** The list shows the world as it was this long ago. */
  readonly listLagMs?: number;
  /** 20 as the API reference says, or 40 as the newer OpenAPI file does. */
  readonly maxTagLength?: number;
  /** More live deployments than this are answered 422. */
  readonly maxConcurrent?: number;
  /** So long before READY a server's measurements begin, in milliseconds: a demo has no hour to wait for a chart. */
  readonly measuredBeforeMs?: number;
  readonly logEncoding?: 'utf-8' | 'base64';
  /** The live API answers 400 to a request_id it does not know; the OpenAPI file says 404. */
  readonly unknownIdStatus?: 400 | 404;
  /**
   * `openapi`: bodies exactly as the OpenAPI files declare them. `reference`: as the API reference shows
   * them, which has `whitelisting_active`, sockets, null for what is not there, and `count` in the tag list.
   */
  readonly dialect?: 'openapi' | 'reference';
  /** Changes every request_id, address and port. */
  readonly seed?: string;
  /** Decides what goes wrong, in place of the usual list of planned faults. */
  readonly faults?: Faults;
}

export type Settings = Required<Omit<SimulatorOptions, 'durations' | 'limits'>> & {
  readonly durations: Durations;
  readonly limits: Limits;
};

export function settle(options: SimulatorOptions): Settings {
  return {
    clock: options.clock,
    token: options.token ?? '5e1f0c3a-0000-4000-8000-51a0d0e0f00d',
    deletedToken: options.deletedToken ?? 'de1e7ed0-0000-4000-8000-000000000000',
    catalog: options.catalog ?? defaultCatalog,
    listLagMs: options.listLagMs ?? 0,
    maxTagLength: options.maxTagLength ?? 20,
    maxConcurrent: options.maxConcurrent ?? Number.POSITIVE_INFINITY,
    measuredBeforeMs: options.measuredBeforeMs ?? 0,
    logEncoding: options.logEncoding ?? 'utf-8',
    unknownIdStatus: options.unknownIdStatus ?? 400,
    dialect: options.dialect ?? 'openapi',
    seed: options.seed ?? 'edgegap',
    faults: options.faults ?? new Faults(),
    limits: { deploy: 40, status: 20, list: 10, hosts: 10, ...options.limits },
    durations: {
      initializing: 400,
      seeking: 1200,
      seeked: 300,
      scanning: 1300,
      deploying: 4000,
      terminating: 2000,
      callbackDelay: 150,
      crashAfter: 3000,
      ...options.durations,
    },
  };
}
