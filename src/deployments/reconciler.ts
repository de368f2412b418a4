import { steadyNow } from '../clock.ts';
import { AppError, StoreError } from '../errors.ts';
import { createLoop, type Loop } from '../loop.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Believed, DueDeployment } from './schedule.ts';
import { StatusPoll, type StatusPollParts } from './status-poll.ts';
import { SILENCE_MS } from './timing.ts';

/**
 * The number of request_ids in one query of the list. The bot also asks for this number of rows per page, because
 * Edgegap's default pages are shorter.
 */
const LIST_CHUNK = 50;
const CHECKS_AT_ONCE = 20;
/**
 * How long a process has the claim on a check. If the check takes longer, a different process may repeat the check. If
 * the process dies, the check waits until the claim expires.
 */
const CHECK_LEASE_MS = 30_000;
const SWEEP_WITHOUT_CALLBACKS_MS = 10_000;
/**
 * A sweep compares Edgegap's whole list with the store. A lease lets only one process sweep at a time. If a different
 * process holds the lease, this process asks again after this time, because the holder may have died.
 */
const SWEEP_RETRY_MS = 5_000;
const RETRY_MS = 10_000;
/** How often the store is polled for checks that other processes have scheduled. */
const POLL_SHARED_MS = 1_000;
const IDLE_MS = 60 * 60_000;

export interface ReconcilerParts extends Omit<StatusPollParts, 'signal'> {
  readonly membership: Pick<Membership, 'gone' | 'shared'>;
  readonly account: string;
}

/**
 * Compares the stored deployments of an account with Edgegap's answers. In this way the bot finds changes whose
 * callbacks never arrived. Without a public URL, the reconciler is the only source of news. If several processes share
 * a store, a process claims each check before it makes the check.
 */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #loop: Loop;
  /** The checks in progress, by the id of the deployment. */
  readonly #asking = new Map<string, Promise<void>>();
  /**
   * The deployments that the bot failed to mark as unknown, each with the time of the next attempt (by the steady
   * clock).
   */
  readonly #unsettled = new Map<string, number>();
  #sweeping: Promise<void> | undefined;
  /** Aborts the running checks when this process stops. The next process then asks Edgegap again. */
  readonly #stopping = new AbortController();
  readonly #poll: StatusPoll;
  /** The time at which the next sweep is due, by the steady clock. */
  #sweepAt = 0;
  /** Whether this process has found the changes that happened before its start. */
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

  /** Marks the requests of dead processes as unknown, and starts the loop. */
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

  /** Looks for due checks immediately. */
  wake(): void {
    this.#loop.wake();
  }

  /** Resolves when no check and no sweep is in progress. */
  async #idle(): Promise<void> {
    while (this.#sweeping || this.#asking.size > 0)
      await Promise.all([this.#sweeping, ...this.#asking.values()]);
  }

  /** Runs one pass of the loop. Resolves with the milliseconds until the next pass. */
  async #pass(): Promise<number> {
    await this.#settle();
    await this.#checkDue();
    await this.#beginSweep();
    return await this.#untilNext();
  }

  /** Marks the requests of dead processes as unknown, because they may or may not have reached Edgegap. */
  async #settle(): Promise<void> {
    const { repository, account, membership } = this.#parts;
    const abandoned = await repository.schedule.abandoned(account, membership);
    // Another process may have marked the deployment as unknown in the meantime. The retry is then removed, because the
    // retry would wake the loop again and again.
    for (const id of this.#unsettled.keys()) if (!abandoned.includes(id)) this.#unsettled.delete(id);
    for (const id of abandoned) {
      if ((this.#unsettled.get(id) ?? 0) > steadyNow(this.#parts.clock)) continue;
      try {
        await this.#parts.deployments.learn(id, { kind: 'unknown-outcome' }, 'asked');
        this.#unsettled.delete(id);
      } catch (error) {
        if (error instanceof StoreError) throw error;
        // The row of this deployment is damaged. The loop continues with the next deployment.
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
    // The pause is at least 250 ms. Otherwise a check that fails immediately would be repeated in a busy loop.
    return Math.max(250, Math.min(nextCheckAt - this.#parts.clock.now(), nextTry - steady));
  }

  get #sweepEvery(): number {
    return this.#parts.deployments.callbacksExpected ? SILENCE_MS : SWEEP_WITHOUT_CALLBACKS_MS;
  }

  /** Starts the checks that are due. The checks run concurrently, so a slow answer does not delay other checks. */
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
      // If this write also fails, the check becomes due again when its claim expires.
      const next = this.#parts.clock.now() + (this.#stopping.signal.aborted ? 0 : RETRY_MS);
      await this.#parts.repository.schedule
        .set(id, next)
        .catch((failure: unknown) =>
          this.#report(failure, 'reconciler: cannot write down when to ask again'),
        );
    }
  }

  /** Starts a sweep if this process gets the lease. One process sweeps for all processes. */
  async #beginSweep(): Promise<void> {
    const now = steadyNow(this.#parts.clock);
    if (now < this.#sweepAt || this.#sweeping) return;
    const turn = await this.#parts.leases.takeTurn(`sweep/${this.#parts.account}`, this.#sweepEvery);
    // A process always sweeps after its start, even if a different process holds the lease, because the holder may have
    // stopped before its sweep.
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

  /** Compares Edgegap's list with the store, and schedules a check of each deployment that has changed. */
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
      // The list does not show failures, so the first sweep schedules a check of every deployment that is in progress.
      const settled = (ready && status === 'READY') || (ready === false && status === 'ERROR');
      if (this.#caughtUp ? changed && !checked : !settled) await this.#parts.repository.schedule.set(id, now);
    }
  }

  /** Logs an AppError on a single line. Any other error is a bug in the bot and is logged in full. */
  #report(error: unknown, message: string): void {
    if (this.#stopping.signal.aborted) return;
    if (error instanceof AppError)
      this.#parts.log.warn({ code: error.code, reason: error.userMessage }, message);
    else this.#parts.log.error({ err: error }, message);
  }
}
