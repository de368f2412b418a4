import type { Clock } from '../clock.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { EdgegapError } from '../edgegap/errors.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Source } from './announce.ts';
import type { CallbackEvent } from './callbacks.ts';
import { type Deployment, ownTag } from './deployment.ts';
import type { Deployments } from './deployments.ts';
import type { DeploymentRepository } from './repository.ts';
import type { News } from './state.ts';
import { LOOK_UPS_MS, nextCheck, SILENCE_MS } from './timing.ts';

/** How many request_ids one list query names. */
const LIST_CHUNK = 50;
const CHECKS_AT_ONCE = 20;
const SWEEP_WITHOUT_CALLBACKS_MS = 10_000;
/** A deployment this young may not be listed, or known to the status endpoint, yet. */
const SETTLING_MS = 30_000;
/** A callback that is only just on its way is not a lost one. */
const CALLBACK_GRACE_MS = 10_000;
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
  #startedAt = 0;
  /** Gives up what is being asked when the process stops: whoever starts next asks again. */
  readonly #stopping = new AbortController();
  /** Events seen once that no callback has told of; it may be on its way. */
  readonly #doubted = new Set<string>();
  #sweptAt = 0;
  #purgedAt = 0;
  #warned = false;

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
  }

  /** Settles what a process that died left open, and begins. */
  async start(): Promise<void> {
    for (const { id } of await this.#repository.inPhases(['requesting']))
      await this.#deployments.learn(id, { kind: 'unknown-outcome' }, 'asked');
    this.#startedAt = this.#clock.now();
    this.#running = true;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelTimer?.();
    this.#stopping.abort(new AppError('reconciler-stopped', 'The bot is shutting down.'));
    await this.#pass;
  }

  get #background() {
    return { lane: 'background', signal: this.#stopping.signal } as const;
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
    const live = (await this.#repository.inPhases(['live'])).length > 0;
    const nextCheckAt = (await this.#repository.nextCheckAt()) ?? Number.POSITIVE_INFINITY;
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
    const due = await this.#repository.due(CHECKS_AT_ONCE);
    const results = await Promise.allSettled(due.map((deployment) => this.#check(deployment)));
    if (!this.#running) return;
    for (const [index, result] of results.entries()) {
      const deployment = due[index];
      if (result.status === 'fulfilled' || !deployment) continue;
      this.#report(result.reason, 'reconciler: could not ask about a deployment');
      await this.#repository.schedule(deployment.id, this.#clock.now() + RETRY_MS);
    }
  }

  async #check(deployment: Deployment): Promise<void> {
    const { id, phase } = deployment;
    if (phase === 'live') await this.#ask(deployment);
    else if (phase === 'ended' || phase === 'refused') await this.#repository.schedule(id, undefined);
    else await this.#lookUp(deployment);
  }

  /** Asks the status of one that has a request_id. */
  async #ask(deployment: Deployment): Promise<void> {
    const { id, requestId } = deployment;
    if (requestId === undefined) return;
    const news = await this.#statusNews(requestId, deployment);
    if (!news) {
      const next = nextCheck(deployment, this.#clock.now(), this.#deployments.callbacksExpected);
      await this.#repository.schedule(id, next ?? this.#clock.now() + SILENCE_MS);
      return;
    }
    const event = await this.#untold(deployment, news);
    const doubt = `${id}.${event}`;
    if (event && !this.#doubted.has(doubt)) {
      // It may have happened this moment, with the callback on its way.
      this.#doubted.add(doubt);
      await this.#repository.schedule(id, this.#clock.now() + CALLBACK_GRACE_MS);
      return;
    }
    await this.#deployments.learn(id, news, event ? this.#rescue(requestId, event) : 'asked');
  }

  async #statusNews(requestId: string, deployment: Deployment): Promise<News | undefined> {
    try {
      return { kind: 'snapshot', status: await this.#edgegap.status(requestId, this.#background) };
    } catch (error) {
      const unknown = error instanceof EdgegapError && error.code === 'edgegap-no-such-deployment';
      if (!unknown) throw error;
      const age = this.#clock.now() - (deployment.acceptedAt ?? deployment.createdAt);
      return age < SETTLING_MS ? undefined : { kind: 'gone' };
    }
  }

  /** The event in this news that a callback should have brought and did not. */
  async #untold({ id, createdAt, ...known }: Deployment, news: News): Promise<CallbackEvent | undefined> {
    // One from before this process: its callback may have come while nobody was there to be called.
    if (!this.#deployments.callbacksExpected || createdAt < this.#startedAt) return undefined;
    const status = news.kind === 'snapshot' ? news.status.current_status : 'TERMINATED';
    const event =
      (status === 'READY' && known.readyAt === undefined && 'ready') ||
      (status === 'ERROR' && known.errorAt === undefined && 'error') ||
      (status === 'TERMINATED' && known.endedAt === undefined && 'terminated') ||
      undefined;
    return event && !(await this.#repository.wasCalledBack(id, event)) ? event : undefined;
  }

  /** The first rescue says so, in the log and in chat. */
  #rescue(request_id: string, event: CallbackEvent): Source {
    if (this.#warned) return 'asked';
    this.#warned = true;
    this.#log.warn(
      { request_id, event },
      'callbacks do not arrive: PUBLIC_URL must reach this process from the internet; asking instead',
    );
    return 'rescued';
  }

  /** Looks for one whose request may or may not have arrived, by its tag. */
  async #lookUp(deployment: Deployment): Promise<void> {
    const { id, checks } = deployment;
    const filters = [{ field: 'tags', operator: 'in', value: [ownTag(id)] }] as const;
    const { rows } = await this.#edgegap.deployments({ filters }, this.#background);
    const [found] = rows;
    if (found) {
      await this.#deployments.learn(id, { kind: 'accepted', requestId: found.request_id }, 'asked');
      await this.#repository.schedule(id, this.#clock.now());
      return;
    }
    const tried = checks + 1;
    const pause = LOOK_UPS_MS[tried];
    if (pause === undefined) await this.#deployments.learn(id, { kind: 'not-found' }, 'asked');
    else await this.#repository.schedule(id, this.#clock.now() + pause, tried);
  }

  /** Finds changes by the list, and asks for the status of what changed. */
  async #sweep(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#sweptAt < this.#sweepEvery) return;
    this.#sweptAt = now;
    const live = (await this.#repository.inPhases(['live'])).filter(
      ({ heardAt }) => !this.#deployments.callbacksExpected || now - heardAt >= SILENCE_MS,
    );
    for (let start = 0; start < live.length; start += LIST_CHUNK)
      await this.#compare(live.slice(start, start + LIST_CHUNK));
  }

  async #compare(believed: readonly Deployment[]): Promise<void> {
    const value = believed.flatMap(({ requestId }) => requestId ?? []);
    const listed = new Map<string, boolean>();
    const filters = [{ field: 'request_id', operator: 'in', value }] as const;
    for await (const row of this.#edgegap.allDeployments({ filters }, this.#background))
      listed.set(row.request_id, row.ready);
    const now = this.#clock.now();
    for (const { id, requestId, readyAt, status, checkAt } of believed) {
      const ready = listed.get(requestId ?? '');
      const changed =
        ready === undefined || (ready && readyAt === undefined) || (!ready && status === 'READY');
      if (!changed || checkAt !== undefined) continue;
      await this.#repository.schedule(id, now);
      this.#passAgain = true;
    }
  }

  async #purge(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#purgedAt < PURGE_EVERY_MS) return;
    this.#purgedAt = now;
    this.#doubted.clear();
    await this.#repository.purge(now - KEEP_MS);
  }

  /** An error of Edgegap's is news for the log in one line; any other is a fault of ours. */
  #report(error: unknown, message: string): void {
    if (!this.#running) return;
    if (error instanceof AppError) this.#log.warn({ code: error.code, reason: error.userMessage }, message);
    else this.#log.error({ err: error }, message);
  }
}
