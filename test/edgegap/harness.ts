import { EdgegapClient, type EdgegapClientOptions } from '../../src/edgegap/client.ts';
import { EdgegapError } from '../../src/edgegap/errors.ts';
import { AppError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { TestClock, turn } from '../support/test-clock.ts';
import { ScriptedServer } from './scripted-server.ts';

export const TOKEN = '0a1b2c3d-e458-4592-b607-c2c28afd8b62';

/** This time-out is much longer than the waits between attempts, so no test reaches it by accident. */
const PATIENCE_MS = 1e9;

/** A clock that counts the requests in progress. It recognises each request by its time-out. */
class RigClock extends TestClock {
  underWay = 0;

  override after(ms: number, run: () => void): () => void {
    if (ms !== PATIENCE_MS) return super.after(ms, run);
    this.underWay++;
    return () => {
      this.underWay--;
    };
  }
}

export interface Rig extends AsyncDisposable {
  server: ScriptedServer;
  clock: RigClock;
  client: EdgegapClient;
  /** The log lines of all levels. */
  log: string[];
}

/** A scripted server and an Edgegap client. Only the test moves the client's clock. */
export async function rig(options: Partial<EdgegapClientOptions> & { prefix?: string } = {}): Promise<Rig> {
  const server = await ScriptedServer.start();
  const clock = new RigClock();
  const log: string[] = [];
  const { prefix = '', ...rest } = options;
  const client = new EdgegapClient({
    baseUrl: `${server.url}${prefix}`,
    token: TOKEN,
    clock,
    log: createLog({ level: 'trace', secrets: [], destination: { write: (line) => log.push(line) } }),
    timeoutMs: PATIENCE_MS,
    random: () => 0,
    ...rest,
  });
  return {
    server,
    clock,
    client,
    log,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await client.close();
    },
  };
}

/**
 * Moves the time in small steps until `promise` has settled. While a request is in progress, the time stands still. So
 * a request takes no time even on a slow machine.
 */
export async function settled<T>(clock: RigClock, promise: Promise<T>): Promise<T> {
  let done = false;
  const end = () => {
    done = true;
  };
  promise.then(end, end);
  while (!done) {
    await turn(1);
    if (!done && clock.underWay === 0) await clock.advance(50);
  }
  return promise;
}

/** Returns the EdgegapError with which `promise` rejects. */
export async function failure(promise: Promise<unknown>): Promise<EdgegapError> {
  const error = await caught(promise);
  if (!(error instanceof EdgegapError)) throw new Error('not an EdgegapError', { cause: error });
  return error;
}

/** Returns the AppError with which `promise` rejects. */
export async function refused(promise: Promise<unknown>): Promise<AppError> {
  const error = await caught(promise);
  if (!(error instanceof AppError)) throw new Error('not an AppError', { cause: error });
  return error;
}

export async function caught(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error('did not reject', { cause: value });
    },
    (error: unknown) => error,
  );
}

export const STATUS = {
  request_id: 'c0653765de3b',
  fqdn: 'c0653765de3b.pr.edgegap.net',
  app_name: 'kart-racing',
  app_version: 'v1.2',
  current_status: 'Status.READY',
  running: true,
  error: false,
  start_time: '2026-03-03 16:02:09.360719',
  elapsed_time: 12,
  public_ip: '192.53.120.48',
  max_duration: 60,
};

export const DEPLOY = { application: 'kart-racing', version: 'v1.2', users: [{ ip_address: '203.0.113.7' }] };

export const FLEET_DEPLOY = { ...DEPLOY, private_host_ids: ['alpha-2', 'alpha-1'] };

export const LEGACY_DEPLOY = { application: 'kart-racing', users: [{ ip_address: '203.0.113.7' }] };
