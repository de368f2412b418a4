import type { Clock } from '../clock.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { EdgegapError } from '../edgegap/errors.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Source } from './announce.ts';
import { type Deployment, ownTag } from './deployment.ts';
import type { Deployments } from './deployments.ts';
import type { DeploymentRepository } from './repository.ts';
import type { News } from './state.ts';
import { LOOK_UPS_MS, nextCheck, SILENCE_MS } from './timing.ts';

const BACKGROUND = { lane: 'background' } as const;
/** How many request_ids one list query names. */
const LIST_CHUNK = 50;
const CHECKS_AT_ONCE = 20;
const SWEEP_WITHOUT_CALLBACKS_MS = 10_000;
/** A deployment this young may not be listed, or known to the status endpoint, yet. */
const SETTLING_MS = 30_000;
/** A callback that is only just on its way is not a lost one. */
const CALLBACK_GRACE_MS = 10_000;
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
    this.#running = true;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelTimer?.();
    await this.#pass;
  }

  /** Looks now at what is due, and again when the next is. */
  wake(): void {
    if (!this.#running) return;
    this.#passAgain = true;
    this.#pass ??= this.#passes().finally(() => {
      this.#pass = undefined;
    });
  }

  async #passes(): Promise<void> {
    while (this.#passAgain && this.#running) {
      this.#passAgain = false;
      try {
        await this.#checkDue();
        await this.#sweep();
        await this.#purge();
      } catch (error) {
        this.#report(error, 'reconciler: a pass failed');
      }
      await this.#sleepUntilNext();
    }
  }

  async #sleepUntilNext(): Promise<void> {
    const now = this.#clock.now();
    const live = (await this.#repository.inPhases(['live'])).length > 0;
    const nextCheckAt = (await this.#repository.nextCheckAt()) ?? Number.POSITIVE_INFINITY;
    const nextSweep = live ? this.#sweptAt + this.#sweepEvery : now + PURGE_EVERY_MS;
    this.#cancelTimer?.();
    // Never at once: what just failed would be asked in a loop.
    const delay = Math.max(250, Math.min(nextCheckAt, nextSweep) - now);
    this.#cancelTimer = this.#clock.after(delay, () => this.wake());
  }

  get #sweepEvery(): number {
    return this.#deployments.callbacksExpected ? SILENCE_MS : SWEEP_WITHOUT_CALLBACKS_MS;
  }

  async #checkDue(): Promise<void> {
    const due = await this.#repository.due(CHECKS_AT_ONCE);
    const results = await Promise.allSettled(
      due.map((deployment) =>
        deployment.phase === 'live' ? this.#ask(deployment) : this.#lookUp(deployment),
      ),
    );
    for (const [index, result] of results.entries()) {
      const deployment = due[index];
      if (result.status === 'fulfilled' || !deployment) continue;
      this.#report(result.reason, 'reconciler: could not ask about a deployment');
      await this.#repository.schedule(deployment.id, this.#clock.now() + 10_000);
    }
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
    const source = this.#sourceOf(deployment, news);
    await this.#deployments.learn(id, news, source);
  }

  async #statusNews(requestId: string, deployment: Deployment): Promise<News | undefined> {
    try {
      return { kind: 'snapshot', status: await this.#edgegap.status(requestId, BACKGROUND) };
    } catch (error) {
      const unknown = error instanceof EdgegapError && error.code === 'edgegap-no-such-deployment';
      if (!unknown) throw error;
      const age = this.#clock.now() - (deployment.acceptedAt ?? deployment.createdAt);
      return age < SETTLING_MS ? undefined : { kind: 'gone' };
    }
  }

  /** News that a callback should have brought and did not is a rescue; the first one says so. */
  #sourceOf(deployment: Deployment, news: News): Source {
    if (!this.#deployments.callbacksExpected || this.#warned) return 'asked';
    const status = news.kind === 'snapshot' ? news.status.current_status : 'TERMINATED';
    const told =
      (status === 'READY' && deployment.readyAt === undefined) ||
      (status === 'ERROR' && deployment.errorAt === undefined) ||
      (status === 'TERMINATED' && deployment.endedAt === undefined);
    if (!told) return 'asked';
    this.#warned = true;
    this.#log.warn(
      { request_id: deployment.requestId, status },
      'callbacks do not arrive: PUBLIC_URL must reach this process from the internet; asking instead',
    );
    return 'rescued';
  }

  /** Looks for one whose request may or may not have arrived, by its tag. */
  async #lookUp(deployment: Deployment): Promise<void> {
    const { id, checks } = deployment;
    const filters = [{ field: 'tags', operator: 'in', value: [ownTag(id)] }] as const;
    const { rows } = await this.#edgegap.deployments({ filters }, BACKGROUND);
    const [found] = rows;
    if (found) {
      await this.#deployments.learn(id, { kind: 'accepted', requestId: found.request_id }, 'asked');
      await this.#repository.schedule(id, this.#clock.now());
      return;
    }
    const tried = checks + 1;
    await this.#repository.schedule(
      id,
      nextCheck({ ...deployment, checks: tried }, this.#clock.now(), true),
      tried,
    );
    if (tried >= LOOK_UPS_MS.length) await this.#deployments.learn(id, { kind: 'not-found' }, 'asked');
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
    for await (const row of this.#edgegap.allDeployments({ filters }, BACKGROUND))
      listed.set(row.request_id, row.ready);
    const now = this.#clock.now();
    for (const { id, requestId, readyAt, status, checkAt } of believed) {
      const ready = listed.get(requestId ?? '');
      const changed =
        ready === undefined || (ready && readyAt === undefined) || (!ready && status === 'READY');
      if (!changed || checkAt !== undefined) continue;
      await this.#repository.schedule(
        id,
        now + (this.#deployments.callbacksExpected ? CALLBACK_GRACE_MS : 0),
      );
      this.#passAgain ||= !this.#deployments.callbacksExpected;
    }
  }

  async #purge(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#purgedAt < PURGE_EVERY_MS) return;
    this.#purgedAt = now;
    await this.#repository.purge(now - KEEP_MS);
  }

  /** An error of Edgegap's is news for the log in one line; any other is a fault of ours. */
  #report(error: unknown, message: string): void {
    if (error instanceof AppError) this.#log.warn({ code: error.code, reason: error.userMessage }, message);
    else this.#log.error({ err: error }, message);
  }
}
