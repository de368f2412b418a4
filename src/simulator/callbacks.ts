import { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { statusBody } from './bodies.ts';
import type { SimulatedDeployment, SimulatedEvent } from './deployment.ts';
import type { Faults } from './faults.ts';
import type { Settings } from './options.ts';
import type { Timers } from './timers.ts';

/** How long the simulator waits for the receiver's answer. The simulator does not retry after that. */
const WAIT_MS = 10_000;

export interface SentCallback {
  readonly request_id: string;
  readonly event: SimulatedEvent;
  readonly url: string;
  readonly body: string;
  /** The time of the event, by the simulator's clock. */
  readonly at: number;
  outcome: 'pending' | 'dropped' | 'answered' | 'timed out' | 'failed';
  /** The status of the receiver's HTTP answer. */
  status?: number;
}

interface Deps {
  readonly settings: Settings;
  readonly timers: Timers;
  readonly faults: Faults;
}

/**
 * Sends one POST for each event to the URL that was given at the deploy. Like Edgegap, the sender does not retry and
 * does not sign.
 */
export class CallbackSender {
  readonly sent: SentCallback[] = [];
  readonly #deps: Deps;
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  readonly #held = new Map<string, SentCallback[]>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * Creates a callback with the present state, and sends it after the usual delay. A planned fault may change the
   * callback.
   */
  send(deployment: SimulatedDeployment, event: SimulatedEvent): void {
    const { request_id } = deployment;
    const url = deployment.webhooks[event];
    if (!url) return;
    const { settings, timers, faults } = this.#deps;
    const fault = faults.takeForCallback(event, request_id);
    const now = settings.clock.now();
    const json = JSON.stringify(statusBody(deployment, now, settings));
    const body = fault?.kind === 'unreadable' ? json.slice(0, json.length / 2) : json;
    const post = (outcome: SentCallback['outcome'] = 'pending') => {
      const callback: SentCallback = { request_id, event, url, body, at: now, outcome };
      this.sent.push(callback);
      return callback;
    };

    if (fault?.kind === 'drop') return void post('dropped');
    const callbacks = fault?.kind === 'double' ? [post(), post()] : [post()];
    const late = fault?.kind === 'late' ? fault.ms : 0;
    const waiting = this.#held.get(request_id) ?? [];
    if (fault?.kind === 'hold') {
      this.#held.set(request_id, [...waiting, ...callbacks]);
      return;
    }
    this.#held.delete(request_id);
    const due = [...callbacks, ...waiting];
    timers.after(settings.durations.callbackDelay + late, () => void this.#deliver(due));
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** Sends the callbacks one after another, so that they arrive in the order of the list. */
  async #deliver(callbacks: readonly SentCallback[]): Promise<void> {
    for (const callback of callbacks) await this.#post(callback);
  }

  async #post(callback: SentCallback): Promise<void> {
    const abort = new AbortController();
    let cancel = () => {};
    const bytes = Buffer.from(callback.body);
    const wait = () => {
      cancel = this.#deps.timers.after(WAIT_MS, () => abort.abort());
    };
    try {
      const response = await request(callback.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': String(bytes.length) },
        body: Readable.from(whenWritten(bytes, wait)),
        dispatcher: this.#agent,
        signal: abort.signal,
      });
      callback.status = response.statusCode;
      await response.body.dump();
      callback.outcome = 'answered';
    } catch {
      callback.outcome = abort.signal.aborted ? 'timed out' : 'failed';
    } finally {
      cancel();
    }
  }
}

/**
 * Starts to wait for an answer only after the whole body was sent. Otherwise a test that advances the clock could
 * interrupt the sending.
 */
async function* whenWritten(bytes: Buffer, then: () => void): AsyncGenerator<Buffer> {
  yield bytes;
  then();
}
