import type { Adapter, Inbox } from '../chat/port.ts';
import { type Clock, steadyNow } from '../clock.ts';
import { type AppError, ConfigError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createLoop } from '../loop.ts';
import type { Leases } from '../replicas/leases.ts';
import type { Membership } from '../replicas/membership.ts';

/** How often each process asks for the lease. A free lease goes to the first process that asks. */
const CHECK_MS = 1_000;
/** A random delay of up to this length keeps many processes from asking at the same moment. */
const JITTER_MS = 200;
/**
 * After this time without a connection to the platform, a process releases the lease, because another process may be
 * able to reach the platform.
 */
const AWAY_MS = 30_000;
/**
 * After a process has released the lease because it cannot reach the platform, the process does not ask for the lease
 * during this time. Every other process can therefore ask first.
 */
const ASIDE_MS = 10_000;

/** An `active` process receives requests. A `standby` process waits for the lease. Processes in both roles can post. */
export type Role = 'active' | 'standby';

export type SoleReceiver = ReturnType<typeof createSoleReceiver>;

export interface SoleReceiverParts {
  readonly adapter: Adapter;
  readonly leases: Leases;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inbox: Inbox;
  /**
   * Called when the platform refuses this bot because of a wrong setting. The platform accepts the bot again only after
   * the setting has been corrected.
   */
  readonly lost: (error: AppError) => void;
  readonly random?: () => number;
}

/**
 * Runs the adapter of a platform from which only one process at a time may receive requests. The process that holds the
 * lease receives the requests. Before this process gives up the lease, it disconnects and stores a bookmark. The
 * bookmark is the position in the stream of requests from which the next process continues.
 */
export function createSoleReceiver(parts: SoleReceiverParts) {
  const { adapter, leases, membership, clock, log, inbox, lost, random = Math.random } = parts;
  const { platform } = adapter;
  const name = `gateway/${platform}`;
  let role: Role | undefined;
  let over = false;
  /** Whether the adapter has connected since this process took the lease. */
  let hasConnected = false;
  /** The time (`steadyNow`) at which a check first found no connection. Undefined while the adapter is connected. */
  let awaySince: number | undefined;
  let asideUntil = Number.NEGATIVE_INFINITY;
  const checks = createLoop({ clock, every: CHECK_MS, jitter: JITTER_MS, random, run: check, failed });

  membership.onDoubt(() => void stepDown('this process may have lost the lease'));

  const isActive = () => role === 'active';
  const isAside = () => steadyNow(clock) < asideUntil;

  /**
   * Stops receiving. Changes the role before closing the connection, so that this process ignores a request that
   * arrives in the meantime.
   */
  async function stepDown(reason: string): Promise<void> {
    if (!isActive()) return;
    role = 'standby';
    log.warn({ platform, reason }, 'platforms: this process no longer receives');
    await adapter.stop();
  }

  /**
   * Releases the lease, because this process cannot reach the platform. A process that can reach the platform then
   * takes the lease and continues from the bookmark. If no other process takes the lease, this process tries again
   * later.
   */
  async function standAside(): Promise<void> {
    if (!isActive()) return;
    asideUntil = steadyNow(clock) + ASIDE_MS;
    await stepDown('this process cannot reach the platform; perhaps another process can');
    // If this process has not connected since it took the lease, its bookmark is older than the bookmark in the store.
    // The old bookmark must not replace the newer bookmark.
    await leases.release(name, hasConnected ? adapter.bookmark?.() : undefined);
  }

  function isAwayTooLong(): boolean {
    if (adapter.healthy()) awaySince = undefined;
    else awaySince ??= steadyNow(clock);
    return awaySince !== undefined && steadyNow(clock) - awaySince >= AWAY_MS;
  }

  /** Takes or renews the lease, and starts or stops receiving depending on whether this process holds the lease. */
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
    // If the adapter is still starting after `AWAY_MS`, `standAside` stops the adapter, so that `adapter.start` ends.
    const cancelLimit = membership.shared ? clock.after(AWAY_MS, () => standAside().catch(logLate)) : nothing;
    try {
      const bookmark = await leases.bookmark(name);
      if (!isActive() || over) return;
      await adapter.start(gate, shutOut, bookmark);
      if (!isActive()) return await adapter.stop();
      hasConnected = true;
    } catch (error) {
      // The error does not matter if this process released the lease or was stopped in the meantime.
      if (!isActive() || over) return;
      role = undefined;
      await leases.release(name).catch(() => undefined);
      throw error;
    } finally {
      cancelLimit();
    }
    if (!membership.shared) return;
    log.info({ platform }, 'platforms: this process receives');
    // Stores the bookmark now, in case this process crashes before its next check.
    await check().catch(failed);
  }

  function shutOut(error: AppError): void {
    over = true;
    void checks.stop();
    role = undefined;
    leases.release(name).catch(logLate);
    lost(error);
  }

  /**
   * Logs that the lease could not be released. This process keeps the lease until the next check, or until the process
   * ends.
   */
  function logLate(err: unknown): void {
    log.debug({ err, platform }, 'platforms: the lease could not be released yet');
  }

  /**
   * Ignores requests while this process is not active. For example, a process that was suspended may receive old
   * requests that another process has already received.
   */
  const gate: Inbox = {
    async invoke(invocation) {
      if (isActive() && membership.isCertain()) return await inbox.invoke(invocation);
      log.warn({ platform, invocation: invocation.id }, 'platforms: invocation left to the active process');
    },
    suggest: (question) => inbox.suggest(question),
    closed: (form) => inbox.closed(form),
  };

  function failed(error: unknown): void {
    // If this process has a role, the error means that the database cannot be reached. `membership` notices the
    // failure, too, and calls `onDoubt`, so that this process stops receiving in time.
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
    /**
     * Resolves when this process receives or is on standby. Rejects if the adapter's `start` rejects. After a
     * rejection, the caller may call `start` again.
     */
    async start(): Promise<void> {
      await check();
      if (role === undefined) {
        await adapter.prepare?.();
        role = 'standby';
        log.info({ platform }, 'platforms: another process receives; this process stands by');
      }
      if (membership.shared) checks.start();
    },
    /** Stops receiving, and releases the lease so that another process can take the lease. */
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
    /** Whether an active process is connected, or a standby process is ready to take the lease. */
    healthy: (): boolean =>
      isActive() ? adapter.healthy() : role === 'standby' && membership.isCertain() && !isAside(),
  };
}

const nothing = (): void => undefined;
