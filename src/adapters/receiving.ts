import type { Adapter, Inbox } from '../chat/port.ts';
import { type Clock, steadyNow } from '../clock.ts';
import { type AppError, ConfigError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createLoop } from '../loop.ts';
import type { Leases } from '../replicas/leases.ts';
import type { Membership } from '../replicas/membership.ts';

/** How often each process asks for the lease; a takeover waits for the next time. */
const CHECK_MS = 1_000;
/** Keeps many processes from asking at the same moment. */
const JITTER_MS = 200;
/** Without a connection for this long, a process releases the lease: a different process may reach the platform. */
const AWAY_MS = 30_000;
/** The pause after that, in which every other process asks for the lease. Then this process tries again. */
const ASIDE_MS = 10_000;

/** An `active` process receives, a `standby` process waits for the lease; both can post. */
export type Role = 'active' | 'standby';

export type SoleReceiver = ReturnType<typeof createSoleReceiver>;

export interface SoleReceiverParts {
  readonly adapter: Adapter;
  readonly leases: Leases;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inbox: Inbox;
  /** Called when the platform refuses this bot until a setting is corrected. */
  readonly lost: (error: AppError) => void;
  readonly random?: () => number;
}

/**
 * Runs an adapter through which only one process at a time may receive: the process that holds the lease. This process
 * disconnects before the next process can take the lease, and leaves a bookmark from which the next process goes on.
 */
export function createSoleReceiver(parts: SoleReceiverParts) {
  const { adapter, leases, membership, clock, log, inbox, lost, random = Math.random } = parts;
  const { platform } = adapter;
  const name = `gateway/${platform}`;
  let role: Role | undefined;
  let over = false;
  /** Whether the adapter has connected since this process took the lease. */
  let hasConnected = false;
  /** Steady time at which the connection was first found missing; undefined while connected. */
  let awaySince: number | undefined;
  let asideUntil = Number.NEGATIVE_INFINITY;
  const checks = createLoop({ clock, every: CHECK_MS, jitter: JITTER_MS, random, run: check, failed });

  membership.onDoubt(() => void stepDown('this process may have lost the lease'));

  const isActive = () => role === 'active';
  const isAside = () => steadyNow(clock) < asideUntil;

  /** The role changes before the connection closes: a request that arrives in between is refused. */
  async function stepDown(reason: string): Promise<void> {
    if (!isActive()) return;
    role = 'standby';
    log.warn({ platform, reason }, 'platforms: this process no longer receives');
    await adapter.stop();
  }

  /** Lets a process that can receive go on from the bookmark. If no process can, this process tries again. */
  async function standAside(): Promise<void> {
    if (!isActive()) return;
    asideUntil = steadyNow(clock) + ASIDE_MS;
    await stepDown('this process cannot reach the platform; perhaps another process can');
    // Without a connection under this lease, this process's bookmark is older than the bookmark in the store.
    await leases.release(name, hasConnected ? adapter.bookmark?.() : undefined);
  }

  function isAwayTooLong(): boolean {
    if (adapter.healthy()) awaySince = undefined;
    else awaySince ??= steadyNow(clock);
    return awaySince !== undefined && steadyNow(clock) - awaySince >= AWAY_MS;
  }

  /** Takes or renews the lease, and starts or stops receiving accordingly. */
  async function check(): Promise<void> {
    if (!membership.isCertain() || isAside()) return;
    const held = await leases.hold(name, isActive() ? adapter.bookmark?.() : undefined);
    if (over) return;
    if (!held) await stepDown('another process holds the lease');
    else if (!isActive()) await receive();
    else if (isAwayTooLong()) await standAside();
  }

  async function receive(): Promise<void> {
    role = 'active';
    hasConnected = false;
    awaySince = undefined;
    // A start that neither succeeds nor fails is ended by `stop`.
    const cancelLimit = membership.shared ? clock.after(AWAY_MS, () => standAside().catch(logLate)) : nothing;
    try {
      const bookmark = await leases.bookmark(name);
      if (!isActive() || over) return;
      await adapter.start(gate, shutOut, bookmark);
      if (!isActive()) return await adapter.stop();
      hasConnected = true;
    } catch (error) {
      // The start failed because this process stepped down, or was stopped, meanwhile.
      if (!isActive() || over) return;
      role = undefined;
      await leases.release(name).catch(() => undefined);
      throw error;
    } finally {
      cancelLimit();
    }
    if (membership.shared) log.info({ platform }, 'platforms: this process receives');
  }

  function shutOut(error: AppError): void {
    over = true;
    void checks.stop();
    role = undefined;
    leases.release(name).catch(logLate);
    lost(error);
  }

  /** A lease that could not be released stays with this process until the next check, or until the process ends. */
  function logLate(err: unknown): void {
    log.debug({ err, platform }, 'platforms: the lease could not be released yet');
  }

  /** A process that was suspended wakes to old requests, which another process has received meanwhile. */
  const gate: Inbox = {
    async invoke(invocation) {
      if (isActive() && membership.isCertain()) return await inbox.invoke(invocation);
      log.warn({ platform, invocation: invocation.id }, 'platforms: invocation left to the active process');
    },
    suggest: (question) => inbox.suggest(question),
  };

  function failed(error: unknown): void {
    // The database cannot be reached: `membership` notices, and its `onDoubt` steps down in time.
    if (role !== undefined) return;
    if (error instanceof ConfigError) {
      shutOut(error);
    } else {
      role = 'standby';
      asideUntil = steadyNow(clock) + ASIDE_MS;
      log.warn({ platform, err: error }, 'platforms: this process cannot receive; another process may try');
    }
  }

  return {
    /** Resolves once this process receives or stands by. Rejects as the adapter's `start` does; may then be called again. */
    async start(): Promise<void> {
      await check();
      if (role === undefined) {
        await adapter.prepare?.();
        role = 'standby';
        log.info({ platform }, 'platforms: another process receives; this process stands by');
      }
      if (membership.shared) checks.start();
    },
    /** Stops receiving, and releases the lease to the next process. */
    async stop(): Promise<void> {
      over = true;
      const checked = checks.stop();
      await adapter.stop();
      await checked;
      const bookmark = isActive() && hasConnected ? adapter.bookmark?.() : undefined;
      role = undefined;
      await leases.release(name, bookmark);
    },
    get role(): Role | undefined {
      return role;
    },
    /** Whether this process can do the work of its role. */
    healthy: (): boolean =>
      isActive() ? adapter.healthy() : role === 'standby' && membership.isCertain() && !isAside(),
  };
}

const nothing = (): void => undefined;
