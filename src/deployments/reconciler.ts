import { steadyNow } from '../clock.ts';
import { AppError, StoreError } from '../errors.ts';
import { createLoop, type Loop } from '../loop.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Believed, DueDeployment } from './schedule.ts';
import { StatusPoll, type StatusPollParts } from './status-poll.ts';
import { SILENCE_MS } from './timing.ts';

/** How many request_ids one list query names, and rows a page has: Edgegap's own pages are shorter. */
const LIST_CHUNK = 50;
const CHECKS_AT_ONCE = 20;
/** How long a check is nobody else's: one that takes longer may be made twice, one that died with its process is late. */
const CHECK_LEASE_MS = 30_000;
const SWEEP_WITHOUT_CALLBACKS_MS = 10_000;
/** A sweep that another process makes is looked for again this soon: it may die. */
const SWEEP_RETRY_MS = 5_000;
const RETRY_MS = 10_000;
/** Other processes write down what is due, too. */
const POLL_SHARED_MS = 1_000;
const IDLE_MS = 60 * 60_000;

export interface ReconcilerParts extends Omit<StatusPollParts, 'signal'> {
  readonly membership: Pick<Membership, 'gone' | 'shared'>;
  readonly account: string;
}

/**
 * Compares what we believe of an account with what Edgegap says, and makes up for callbacks that never came. Without a public URL
 * it is the only source of news. Of many processes on one store each takes what is due, and nobody what another has.
 */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #loop: Loop;
  /** What is being asked about, by the deployment's id. */
  readonly #asking = new Map<string, Promise<void>>();
  /** Those that could not be settled, and when to try again, in steady time. */
  readonly #unsettled = new Map<string, number>();
  #sweeping: Promise<void> | undefined;
  /** Gives up what is being asked when the process stops: whoever starts next asks again. */
  readonly #stopping = new AbortController();
  readonly #inquiry: StatusPoll;
  /** In steady time. */
  #sweepAt = 0;
  /** What happened while no process was there to be told is known. */
  #caughtUp = false;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#inquiry = new StatusPoll({ ...parts, signal: this.#stopping.signal });
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

  /** Settles what a process that died left open, and begins. */
  async start(): Promise<void> {
    await this.#settle();
    this.#inquiry.begin();
    this.#loop.start();
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new AppError('reconciler-stopped', 'The bot is shutting down.'));
    await this.#loop.stop();
    await this.#idle();
  }

  /** Looks now at what is due, and again when the next is. */
  wake(): void {
    this.#loop.wake();
  }

  /** Resolves when nothing is asked about any more. */
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

  /** A request that died with its process may or may not have arrived. */
  async #settle(): Promise<void> {
    const { repository, account, membership } = this.#parts;
    const abandoned = await repository.schedule.abandoned(account, membership);
    // Another process may have settled it: its time would come again and again.
    for (const id of this.#unsettled.keys()) if (!abandoned.includes(id)) this.#unsettled.delete(id);
    for (const id of abandoned) {
      if ((this.#unsettled.get(id) ?? 0) > steadyNow(this.#parts.clock)) continue;
      try {
        await this.#parts.deployments.learn(id, { kind: 'unknown-outcome' }, 'asked');
        this.#unsettled.delete(id);
      } catch (error) {
        if (error instanceof StoreError) throw error;
        // Its row is damaged: the others need not wait for it.
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
    // Never at once: what just failed would be asked in a loop.
    return Math.max(250, Math.min(nextCheckAt - this.#parts.clock.now(), nextTry - steady));
  }

  get #sweepEvery(): number {
    return this.#parts.deployments.callbacksExpected ? SILENCE_MS : SWEEP_WITHOUT_CALLBACKS_MS;
  }

  /** Begins to ask about what is due. One answer that is slow to come holds up no other. */
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
      await this.#inquiry.ask(read());
    } catch (error) {
      this.#report(error, 'reconciler: could not ask about a deployment');
      // Where that cannot be written either, it is due when its lease is over.
      const next = this.#parts.clock.now() + (this.#stopping.signal.aborted ? 0 : RETRY_MS);
      await this.#parts.repository.schedule
        .set(id, next)
        .catch((failure: unknown) =>
          this.#report(failure, 'reconciler: cannot write down when to ask again'),
        );
    }
  }

  /** One process sweeps, for all. */
  async #beginSweep(): Promise<void> {
    const now = steadyNow(this.#parts.clock);
    if (now < this.#sweepAt || this.#sweeping) return;
    const turn = await this.#parts.leases.takeTurn(`sweep/${this.#parts.account}`, this.#sweepEvery);
    // At its start a process asks in any case: whoever had the turn may be the one that was stopped.
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

  /** Finds changes by the list, and has the status asked of what changed. */
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
      // A failure does not show in the list: at the start of one on its way more is asked.
      const settled = (ready && status === 'READY') || (ready === false && status === 'ERROR');
      if (this.#caughtUp ? changed && !checked : !settled) await this.#parts.repository.schedule.set(id, now);
    }
  }

  /** An error of Edgegap's is news for the log in one line; any other is a fault of ours. */
  #report(error: unknown, message: string): void {
    if (this.#stopping.signal.aborted) return;
    if (error instanceof AppError)
      this.#parts.log.warn({ code: error.code, reason: error.userMessage }, message);
    else this.#parts.log.error({ err: error }, message);
  }
}
