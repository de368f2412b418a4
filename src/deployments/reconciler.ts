import { steadyNow } from '../clock.ts';
import { AppError, StoreError } from '../errors.ts';
import { createLoop, type Loop } from '../loop.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Believed, DueDeployment } from './schedule.ts';
import { StatusPoll, type StatusPollParts } from './status-poll.ts';
import { SILENCE_MS } from './timing.ts';

/** How many request_ids a list query names, and how many rows a page has: Edgegap's own pages are shorter. */
const LIST_CHUNK = 50;
const CHECKS_AT_ONCE = 20;
/**
 * How long a claim on a check lasts. A check that takes longer may be made twice; the check of a dead process is this
 * late.
 */
const CHECK_LEASE_MS = 30_000;
const SWEEP_WITHOUT_CALLBACKS_MS = 10_000;
/** If another process sweeps, this process tries again this soon, because the other process may die. */
const SWEEP_RETRY_MS = 5_000;
const RETRY_MS = 10_000;
/** Checks that other processes schedule are found by polling the store. */
const POLL_SHARED_MS = 1_000;
const IDLE_MS = 60 * 60_000;

export interface ReconcilerParts extends Omit<StatusPollParts, 'signal'> {
  readonly membership: Pick<Membership, 'gone' | 'shared'>;
  readonly account: string;
}

/**
 * Compares the deployments of an account in the store with Edgegap's answers, and makes up for callbacks that never
 * came; without a public URL the reconciler is the only source of news. Where several processes share a store, each
 * process claims the checks that it makes.
 */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #loop: Loop;
  /** Checks that are under way, by the deployment's id. */
  readonly #asking = new Map<string, Promise<void>>();
  /** Deployments that could not be settled, and when to try again, in steady time. */
  readonly #unsettled = new Map<string, number>();
  #sweeping: Promise<void> | undefined;
  /** Aborts running checks when the process stops: the next process asks again. */
  readonly #stopping = new AbortController();
  readonly #poll: StatusPoll;
  /** When the next sweep is due, in steady time. */
  #sweepAt = 0;
  /** Whether changes from before the start of this process are known. */
  #caughtUp = false;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#poll = new StatusPoll({ ...parts, signal: this.#stopping.signal });
    this.#loop = createLoop({
      clock: parts.clock,
      every: parts.membership.shared ? POLL_SHARED_MS : IDLE_MS,
      run: () => this.#pass(),
      failed: (error) => {
        this.#report(error, 'reconciler: a pass failed');
        return RETRY_MS;
      },
    });
  }

  /** Settles the requests that dead processes left open, and starts the loop. */
  async start(): Promise<void> {
    await this.#settle();
    this.#poll.begin();
    this.#loop.start();
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new AppError('reconciler-stopped', 'I am shutting down.'));
    await this.#loop.stop();
    await this.#idle();
  }

  /** Looks for due checks now. */
  wake(): void {
    this.#loop.wake();
  }

  /** Resolves when no check and no sweep is under way. */
  async #idle(): Promise<void> {
    while (this.#sweeping || this.#asking.size > 0)
      await Promise.all([this.#sweeping, ...this.#asking.values()]);
  }

  /** Resolves with the milliseconds until the next pass. */
  async #pass(): Promise<number> {
    await this.#settle();
    await this.#checkDue();
    await this.#beginSweep();
    return await this.#untilNext();
  }

  /** The request of a dead process may or may not have reached Edgegap. */
  async #settle(): Promise<void> {
    const { repository, account, membership } = this.#parts;
    const abandoned = await repository.schedule.abandoned(account, membership);
    // Another process may have settled the deployment: an old entry would wake the loop again and again.
    for (const id of this.#unsettled.keys()) if (!abandoned.includes(id)) this.#unsettled.delete(id);
    for (const id of abandoned) {
      if ((this.#unsettled.get(id) ?? 0) > steadyNow(this.#parts.clock)) continue;
      try {
        await this.#parts.deployments.learn(id, { kind: 'unknown-outcome' }, 'asked');
        this.#unsettled.delete(id);
      } catch (error) {
        if (error instanceof StoreError) throw error;
        // The row is damaged; the other deployments are settled all the same.
        this.#report(error, 'reconciler: a request that died with its process cannot be settled');
        this.#unsettled.set(id, steadyNow(this.#parts.clock) + RETRY_MS);
      }
    }
  }

  async #untilNext(): Promise<number> {
    const { repository, account } = this.#parts;
    const live = await repository.schedule.isAnyLive(account);
    const nextCheckAt = (await repository.schedule.nextCheckAt(account)) ?? Number.POSITIVE_INFINITY;
    const steady = steadyNow(this.#parts.clock);
    const nextTry = Math.min(...this.#unsettled.values(), live ? this.#sweepAt : Number.POSITIVE_INFINITY);
    // Never at once: a check that just failed would be repeated without a pause.
    return Math.max(250, Math.min(nextCheckAt - this.#parts.clock.now(), nextTry - steady));
  }

  get #sweepEvery(): number {
    return this.#parts.deployments.callbacksExpected ? SILENCE_MS : SWEEP_WITHOUT_CALLBACKS_MS;
  }

  /** Begins the checks that are due. A slow answer holds up no other check. */
  async #checkDue(): Promise<void> {
    const free = CHECKS_AT_ONCE - this.#asking.size;
    if (free === 0) return;
    const { repository, account } = this.#parts;
    for (const due of await repository.schedule.claimDue(account, free, CHECK_LEASE_MS)) {
      const { id } = due;
      if (this.#asking.has(id)) continue;
      const asked = this.#ask(due).finally(() => {
        this.#asking.delete(id);
        this.wake();
      });
      this.#asking.set(id, asked);
    }
  }

  async #ask({ id, read }: DueDeployment): Promise<void> {
    try {
      await this.#poll.ask(read());
    } catch (error) {
      this.#report(error, 'reconciler: could not ask about a deployment');
      // If this cannot be written either, the check is due when its claim ends.
      const next = this.#parts.clock.now() + (this.#stopping.signal.aborted ? 0 : RETRY_MS);
      await this.#parts.repository.schedule
        .set(id, next)
        .catch((failure: unknown) =>
          this.#report(failure, 'reconciler: cannot write down when to ask again'),
        );
    }
  }

  /** Begins a sweep if the turn is free: one process sweeps for all. */
  async #beginSweep(): Promise<void> {
    const now = steadyNow(this.#parts.clock);
    if (now < this.#sweepAt || this.#sweeping) return;
    const turn = await this.#parts.leases.takeTurn(`sweep/${this.#parts.account}`, this.#sweepEvery);
    // At its start a process sweeps in any case: the turn may still be that of a process that was stopped.
    const ours = turn || !this.#caughtUp;
    this.#sweepAt = now + (ours ? this.#sweepEvery : Math.min(SWEEP_RETRY_MS, this.#sweepEvery));
    if (!ours) return;
    this.#sweeping = this.#sweep()
      .catch((error: unknown) => {
        this.#report(error, 'reconciler: a sweep failed');
        if (!this.#caughtUp) this.#sweepAt = now + RETRY_MS;
      })
      .finally(() => {
        this.#sweeping = undefined;
        this.wake();
      });
  }

  /** Finds changes by Edgegap's list, and schedules a check of each changed deployment. */
  async #sweep(): Promise<void> {
    const now = this.#parts.clock.now();
    const trusting = this.#caughtUp && this.#parts.deployments.callbacksExpected;
    const { repository, account } = this.#parts;
    const live = await repository.schedule.believedLive(account, trusting ? now - SILENCE_MS : now);
    for (let start = 0; start < live.length; start += LIST_CHUNK)
      await this.#compare(live.slice(start, start + LIST_CHUNK));
    this.#caughtUp = true;
  }

  async #compare(believed: readonly Believed[]): Promise<void> {
    const value = believed.map(({ requestId }) => requestId);
    const listed = new Map<string, boolean>();
    const filters = [{ field: 'request_id', operator: 'in', value }] as const;
    const call = { lane: 'background', signal: this.#stopping.signal } as const;
    for await (const row of this.#parts.edgegap.allDeployments({ filters, limit: LIST_CHUNK }, call))
      listed.set(row.request_id, row.ready);
    const now = this.#parts.clock.now();
    for (const { id, requestId, wasReady, status, checked } of believed) {
      const ready = listed.get(requestId);
      const changed = ready === undefined || (ready && !wasReady) || (!ready && status === 'READY');
      // The list does not show failures: the first sweep has every deployment in progress checked.
      const settled = (ready && status === 'READY') || (ready === false && status === 'ERROR');
      if (this.#caughtUp ? changed && !checked : !settled) await this.#parts.repository.schedule.set(id, now);
    }
  }

  /** An AppError is logged on one line; any other error is a fault of the bot. */
  #report(error: unknown, message: string): void {
    if (this.#stopping.signal.aborted) return;
    if (error instanceof AppError)
      this.#parts.log.warn({ code: error.code, reason: error.userMessage }, message);
    else this.#parts.log.error({ err: error }, message);
  }
}
