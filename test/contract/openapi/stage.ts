import { setTimeout as realDelay } from 'node:timers/promises';
import { request } from 'undici';
import { EdgegapClient } from '../../../src/edgegap/client.ts';
import { createLog } from '../../../src/log.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../../src/simulator/simulator.ts';
import { TestClock } from '../../support/test-clock.ts';
import type { Contract, Exchange } from './contract.ts';
import type { Operation } from './document.ts';
import { knownException } from './exceptions.ts';
import { record } from './recorder.ts';
import type { Report } from './report.ts';

/** The parts that all stages of a run share. */
export interface Run {
  readonly contract: Contract;
  readonly report: Report;
  /** For each operation, the statuses that its answers had. */
  readonly seen: Map<Operation, Set<number>>;
  /** The names of the simulator's routes that received a request. */
  readonly endpoints: Set<string>;
}

interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** The complete Authorization header. If absent, the right header is sent. If null, no header is sent. */
  readonly authorization?: string | null;
}

/**
 * A simulator behind a recorder. Both the bot's client and plain HTTP requests reach the simulator through the
 * recorder.
 */
export interface Stage {
  /** The URL of the recorder, without a slash at the end. */
  readonly url: string;
  readonly clock: TestClock;
  readonly simulator: Simulator;
  readonly api: EdgegapClient;
  /**
   * Makes a call with the bot's client. Checks the requests and answers, and checks that the client can read the
   * answers.
   */
  client<T>(name: string, call: () => Promise<T>): Promise<T | undefined>;
  /** Sends a request unchanged. Checks that the answer has this status and matches its declaration. */
  raw(name: string, status: number, request: RawRequest): Promise<void>;
  /** Sends a request whose answer is not declared in the files, and checks that the declaration is really missing. */
  undeclared(name: string, why: string, status: number, request: RawRequest): Promise<void>;
  close(): Promise<void>;
}

export async function startStage(run: Run, options: Partial<SimulatorOptions> = {}): Promise<Stage> {
  const clock = new TestClock();
  const simulator = await startSimulator({ clock, ...options });
  const recorder = await record(simulator.url);
  const log = createLog({ level: 'silent', secrets: [] });
  const api = new EdgegapClient({ baseUrl: recorder.url, token: simulator.token, clock, log });

  async function send({ method, path, body, authorization }: RawRequest): Promise<Exchange | undefined> {
    // There is a second between two calls, so that no call reaches a rate limit by accident.
    await clock.advance(1100);
    const token = authorization === undefined ? `token ${simulator.token}` : authorization;
    const { body: answer } = await request(recorder.url + path, {
      method: method as 'GET',
      headers: { ...(token && { authorization: token }), 'content-type': 'application/json' },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    });
    await answer.dump();
    return recorder.take()[0];
  }

  function findings(exchange: Exchange): string[] {
    const operation = run.contract.find(exchange.method, exchange.path);
    if (!operation) return ['the operation is not declared'];
    const statuses = run.seen.get(operation) ?? new Set();
    run.seen.set(operation, statuses.add(exchange.status));
    return run.contract.checkResponse(operation, exchange);
  }

  function checkRequest(name: string, exchange: Exchange): void {
    const operation = run.contract.find(exchange.method, exchange.path);
    const all = operation
      ? run.contract.checkRequest(operation, exchange)
      : ['the operation is not declared'];
    const why = (finding: string) => operation && knownException(operation, finding);
    for (const finding of all.filter(why))
      run.report.outside('request', `${name}: ${finding}`, why(finding) ?? '');
    run.report.check(
      'request',
      name,
      all.filter((finding) => !why(finding)),
    );
  }

  return {
    url: recorder.url,
    clock,
    simulator,
    api,
    async client(name, call) {
      await clock.advance(1100);
      const { value, problem } = await settle(call());
      for (const exchange of recorder.take()) {
        const subject = `${name}: ${exchange.method} ${exchange.path}`;
        checkRequest(subject, exchange);
        run.report.check('response', `${subject} ${exchange.status}`, findings(exchange));
      }
      run.report.check('client', `${name} understands the answer`, problem ? [problem] : []);
      return value;
    },
    async raw(name, status, asked) {
      const exchange = await send(asked);
      const subject = `${name}: ${asked.method} ${asked.path} ${status}`;
      if (!exchange) return run.report.check('response', subject, ['no answer came']);
      const wrong = exchange.status === status ? [] : [`${exchange.status} came instead`];
      run.report.check('response', subject, [...wrong, ...findings(exchange)]);
    },
    async undeclared(name, why, status, asked) {
      const exchange = await send(asked);
      const subject = `${name}: ${asked.method} ${asked.path} ${status}`;
      const operation = exchange && run.contract.find(exchange.method, exchange.path);
      if (exchange?.status !== status) {
        run.report.check('outside', subject, [`${exchange?.status ?? 'nothing'} came instead`]);
      } else if (operation && run.contract.statuses(operation).includes(status)) {
        run.report.check('outside', subject, ['the files declare this, it is no exception any more']);
      } else {
        run.report.outside('response', subject, why);
      }
    },
    async close() {
      for (const { endpoint } of simulator.requests) if (endpoint) run.endpoints.add(endpoint);
      await api.close();
      await recorder.close();
      await simulator.close();
    },
  };
}

/** The clock stands still, so a call that waits for time would never end. This function then fails with the reason. */
async function settle<T>(call: Promise<T>): Promise<{ value?: T; problem?: string }> {
  const timer = new AbortController();
  const giveUp = realDelay(15_000, { problem: 'no answer in 15 s' }, { signal: timer.signal });
  giveUp.catch(() => {});
  try {
    return await Promise.race([call.then((value) => ({ value })), giveUp]);
  } catch (error) {
    return { problem: (error as Error).message };
  } finally {
    timer.abort();
  }
}
