import type { Clock } from '../clock.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Believed } from './agenda.ts';
import type { Deployments } from './deployments.ts';
import { Inquiry } from './inquiry.ts';
import type { DeploymentRepository } from './repository.ts';
import { SILENCE_MS } from './timing.ts';

/** How many request_ids one list query names. */
const LIST_CHUNK = 50;
const CHECKS_AT_ONCE = 20;
const SWEEP_WITHOUT_CALLBACKS_MS = 10_000;
const RETRY_MS = 10_000;
const KEEP_MS = 30 * 24 * 60 * 60_000;
const PURGE_EVERY_MS = 60 * 60_000;

/**
 * Compares what we believe with what Edgegap says, and makes up for callbacks that never came. Without a public URL
 * it is the only source of news.
 */
export class Reconciler {
  readonly #repository: DeploymentRepository;
  readonly #deployments: Deployments;
  readonly #edgegap: EdgegapApi;
  readonly #clock: Clock;
  readonly #log: Logger;
  #running = false;
  #cancelTimer: (() => void) | undefined;
  #pass: Promise<void> | undefined;
  #passAgain = false;
  /** Gives up what is being asked when the process stops: whoever starts next asks again. */
  readonly #stopping = new AbortController();
  readonly #inquiry: Inquiry;
  #sweptAt = 0;
  #purgedAt = 0;

  constructor(parts: {
    readonly repository: DeploymentRepository;
    readonly deployments: Deployments;
    readonly edgegap: EdgegapApi;
    readonly clock: Clock;
    readonly log: Logger;
  }) {
    this.#repository = parts.repository;
    this.#deployments = parts.deployments;
    this.#edgegap = parts.edgegap;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#inquiry = new Inquiry({ ...parts, signal: this.#stopping.signal });
  }

  /** Settles what a process that died left open, and begins. */
  async start(): Promise<void> {
    for (const id of await this.#repository.agenda.idsInPhase('requesting'))
      await this.#deployments.learn(id, { kind: 'unknown-outcome' }, 'asked');
    this.#inquiry.begin();
    this.#running = true;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelTimer?.();
    this.#stopping.abort(new AppError('reconciler-stopped', 'The bot is shutting down.'));
    await this.#pass;
  }

  /** Looks now at what is due, and again when the next is. */
  wake(): void {
    if (!this.#running) return;
    this.#passAgain = true;
    this.#pass ??= this.#passes();
  }

  async #passes(): Promise<void> {
    while (this.#passAgain && this.#running) {
      this.#passAgain = false;
      try {
        await this.#checkDue();
        await this.#sweep();
        await this.#purge();
        await this.#sleepUntilNext();
      } catch (error) {
        this.#report(error, 'reconciler: a pass failed');
        this.#sleep(RETRY_MS);
      }
    }
    // In the same turn as the last look at #passAgain: a wake in between would be lost.
    this.#pass = undefined;
  }

  async #sleepUntilNext(): Promise<void> {
    const now = this.#clock.now();
    const live = await this.#repository.agenda.isAnyLive();
    const nextCheckAt = (await this.#repository.agenda.nextCheckAt()) ?? Number.POSITIVE_INFINITY;
    const nextSweep = live ? this.#sweptAt + this.#sweepEvery : now + PURGE_EVERY_MS;
    // Never at once: what just failed would be asked in a loop.
    this.#sleep(Math.max(250, Math.min(nextCheckAt, nextSweep) - now));
  }

  #sleep(ms: number): void {
    this.#cancelTimer?.();
    if (this.#running) this.#cancelTimer = this.#clock.after(ms, () => this.wake());
  }

  get #sweepEvery(): number {
    return this.#deployments.callbacksExpected ? SILENCE_MS : SWEEP_WITHOUT_CALLBACKS_MS;
  }

  async #checkDue(): Promise<void> {
    const due = await this.#repository.agenda.due(CHECKS_AT_ONCE);
    const results = await Promise.allSettled(due.map((deployment) => this.#inquiry.ask(deployment)));
    if (!this.#running) return;
    for (const [index, result] of results.entries()) {
      const deployment = due[index];
      if (result.status === 'fulfilled' || !deployment) continue;
      this.#report(result.reason, 'reconciler: could not ask about a deployment');
      await this.#repository.agenda.schedule(deployment.id, this.#clock.now() + RETRY_MS);
    }
  }

  /** Finds changes by the list, and asks for the status of what changed. */
  async #sweep(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#sweptAt < this.#sweepEvery) return;
    this.#sweptAt = now;
    const live = await this.#repository.agenda.believedLive(
      this.#deployments.callbacksExpected ? now - SILENCE_MS : now,
    );
    for (let start = 0; start < live.length; start += LIST_CHUNK)
      await this.#compare(live.slice(start, start + LIST_CHUNK));
  }

  async #compare(believed: readonly Believed[]): Promise<void> {
    const value = believed.map(({ requestId }) => requestId);
    const listed = new Map<string, boolean>();
    const filters = [{ field: 'request_id', operator: 'in', value }] as const;
    const call = { lane: 'background', signal: this.#stopping.signal } as const;
    for await (const row of this.#edgegap.allDeployments({ filters }, call))
      listed.set(row.request_id, row.ready);
    const now = this.#clock.now();
    for (const { id, requestId, wasReady, status, checked } of believed) {
      const ready = listed.get(requestId);
      const changed = ready === undefined || (ready && !wasReady) || (!ready && status === 'READY');
      if (!changed || checked) continue;
      await this.#repository.agenda.schedule(id, now);
      this.#passAgain = true;
    }
  }

  async #purge(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#purgedAt < PURGE_EVERY_MS) return;
    this.#purgedAt = now;
    this.#inquiry.forget();
    await this.#repository.agenda.purge(now - KEEP_MS);
  }

  /** An error of Edgegap's is news for the log in one line; any other is a fault of ours. */
  #report(error: unknown, message: string): void {
    if (!this.#running) return;
    if (error instanceof AppError) this.#log.warn({ code: error.code, reason: error.userMessage }, message);
    else this.#log.error({ err: error }, message);
  }
}
