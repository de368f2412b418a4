import { steadyNow } from '../clock.ts';
import { AppError, StoreError } from '../errors.ts';
import { createLoop, type Loop } from '../loop.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Believed, DueDeployment } from './schedule.ts';
import { StatusPoll, type StatusPollParts } from './status-poll.ts';
import { SILENCE_MS } from './timing.ts';

/**
 * The number of request_ids in a query of the list. This is also the number of rows on a page, because Edgegap's own
 * pages are shorter by default.
 */
const LIST_CHUNK = 50;
const CHECKS_AT_ONCE = 20;
/**
 * How long the claim on a check lasts. A check that takes longer may be made a second time by another process. If the
 * process dies, the check is made only after this time.
 */
const CHECK_LEASE_MS = 30_000;
const SWEEP_WITHOUT_CALLBACKS_MS = 10_000;
/**
 * A sweep compares Edgegap's whole list with the store, and only one process at a time has the turn to sweep. If
 * another process has the turn, this process asks again after this time, because the other process may have died.
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
 * Compares the stored deployments of an account with Edgegap's answers, and so finds the changes whose callbacks never
 * came. Without a public URL the reconciler is the only source of news. If several processes share a store, each
 * process claims a check before it makes the check.
 */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #loop: Loop;
  /** The checks that are under way, by the id of the deployment. */
  readonly #asking = new Map<string, Promise<void>>();
  /** The deployments that could not be settled, with the time of the next attempt by the steady clock. */
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

  /** Resolves once no check and no sweep is under way. */
  async #idle(): Promise<void> {
    while (this.#sweeping || this.#asking.size > 0)
      await Promise.all([this.#sweeping, ...this.#asking.values()]);
  }

  /** Makes a pass. Resolves with the milliseconds until the next pass. */
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
    // Another process may have settled such a deployment. The old retry of the deployment must be removed, because it
    // would wake the loop again and again.
    for (const id of this.#unsettled.keys()) if (!abandoned.includes(id)) this.#unsettled.delete(id);
    for (const id of abandoned) {
      if ((this.#unsettled.get(id) ?? 0) > steadyNow(this.#parts.clock)) continue;
      try {
        await this.#parts.deployments.learn(id, { kind: 'unknown-outcome' }, 'asked');
        this.#unsettled.delete(id);
      } catch (error) {
        if (error instanceof StoreError) throw error;
        // The row of this deployment is damaged. The other deployments are settled nevertheless.
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
    // The pause is at least 250 ms, because a check that fails at once would otherwise be repeated without a pause.
    return Math.max(250, Math.min(nextCheckAt - this.#parts.clock.now(), nextTry - steady));
  }

  get #sweepEvery(): number {
    return this.#parts.deployments.callbacksExpected ? SILENCE_MS : SWEEP_WITHOUT_CALLBACKS_MS;
  }

  /** Begins the checks that are due. The checks run at the same time, so a slow answer holds up no other check. */
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
      // If this write fails, too, the check becomes due again when its claim ends.
      const next = this.#parts.clock.now() + (this.#stopping.signal.aborted ? 0 : RETRY_MS);
      await this.#parts.repository.schedule
        .set(id, next)
        .catch((failure: unknown) =>
          this.#report(failure, 'reconciler: cannot write down when to ask again'),
        );
    }
  }

  /** Begins a sweep if this process gets the turn. One process sweeps for all processes. */
  async #beginSweep(): Promise<void> {
    const now = steadyNow(this.#parts.clock);
    if (now < this.#sweepAt || this.#sweeping) return;
    const turn = await this.#parts.leases.takeTurn(`sweep/${this.#parts.account}`, this.#sweepEvery);
    // After its start, a process always sweeps, even if another process has the turn. The other process may have been
    // stopped before it could sweep.
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
      // The list does not show failures, so the first sweep schedules a check of every deployment in progress.
      const settled = (ready && status === 'READY') || (ready === false && status === 'ERROR');
      if (this.#caughtUp ? changed && !checked : !settled) await this.#parts.repository.schedule.set(id, now);
    }
  }

  /** Logs an AppError in a single line. Any other error is a fault of the bot, and is logged in full. */
  #report(error: unknown, message: string): void {
    if (this.#stopping.signal.aborted) return;
    if (error instanceof AppError)
      this.#parts.log.warn({ code: error.code, reason: error.userMessage }, message);
    else this.#parts.log.error({ err: error }, message);
  }
}
