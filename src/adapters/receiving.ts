import type { Adapter, Inbox } from '../chat/port.ts';
import { type Clock, steadyNow } from '../clock.ts';
import { type AppError, ConfigError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createLoop } from '../loop.ts';
import type { Leases } from '../replicas/leases.ts';
import type { Membership } from '../replicas/membership.ts';

/**
 * How often each process asks for the lease, which is the right to receive requests. A free lease goes to the process
 * that asks first.
 */
const CHECK_MS = 1_000;
/** A random delay of up to this length is added, so that the processes do not all ask at the same moment. */
const JITTER_MS = 200;
/**
 * A process that has had no connection for this long releases the lease. A different process may still be able to reach
 * the platform.
 */
const AWAY_MS = 30_000;
/**
 * A process that released the lease for lack of a connection does not ask again during this time. Every other process
 * can then ask first.
 */
const ASIDE_MS = 10_000;

/**
 * An `active` process receives requests. A `standby` process waits for the lease. Processes with either role can post
 * messages.
 */
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
 * Runs an adapter of a platform where only one process at a time may receive requests. The process that holds the lease
 * receives the requests. To hand over the lease, the process disconnects and stores a bookmark. The bookmark is the
 * position in the stream of requests from which the next process continues.
 */
export function createSoleReceiver(parts: SoleReceiverParts) {
  const { adapter, leases, membership, clock, log, inbox, lost, random = Math.random } = parts;
  const { platform } = adapter;
  const name = `gateway/${platform}`;
  let role: Role | undefined;
  let over = false;
  /** Whether the adapter has connected since this process took the lease. */
  let hasConnected = false;
  /**
   * The time on the steady clock at which the connection was first found missing. Undefined while the platform is
   * connected.
   */
  let awaySince: number | undefined;
  let asideUntil = Number.NEGATIVE_INFINITY;
  const checks = createLoop({ clock, every: CHECK_MS, jitter: JITTER_MS, random, run: check, failed });

  membership.onDoubt(() => void stepDown('this process may have lost the lease'));

  const isActive = () => role === 'active';
  const isAside = () => steadyNow(clock) < asideUntil;

  /** Changes the role first and then closes the connection, so that a request that arrives in between is refused. */
  async function stepDown(reason: string): Promise<void> {
    if (!isActive()) return;
    role = 'standby';
    log.warn({ platform, reason }, 'platforms: this process no longer receives');
    await adapter.stop();
  }

  /**
   * Releases the lease. A process that can reach the platform then takes the lease and continues from the bookmark. If
   * no other process takes the lease, this process tries again later.
   */
  async function standAside(): Promise<void> {
    if (!isActive()) return;
    asideUntil = steadyNow(clock) + ASIDE_MS;
    await stepDown('this process cannot reach the platform; perhaps another process can');
    // If this process never connected under this lease, its bookmark is older than the stored bookmark. This process
    // then stores no bookmark.
    await leases.release(name, hasConnected ? adapter.bookmark?.() : undefined);
  }

  function isAwayTooLong(): boolean {
    if (adapter.healthy()) awaySince = undefined;
    else awaySince ??= steadyNow(clock);
    return awaySince !== undefined && steadyNow(clock) - awaySince >= AWAY_MS;
  }

  /** Takes or renews the lease. Starts to receive if this process holds the lease, and otherwise stops. */
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
    // Limits the time for the start. When the time is over, `standAside` stops the adapter, which also ends the start.
    const cancelLimit = membership.shared ? clock.after(AWAY_MS, () => standAside().catch(logLate)) : nothing;
    try {
      const bookmark = await leases.bookmark(name);
      if (!isActive() || over) return;
      await adapter.start(gate, shutOut, bookmark);
      if (!isActive()) return await adapter.stop();
      hasConnected = true;
    } catch (error) {
      // The start failed because this process stepped down or was stopped in the meantime. No error has to be reported.
      if (!isActive() || over) return;
      role = undefined;
      await leases.release(name).catch(() => undefined);
      throw error;
    } finally {
      cancelLimit();
    }
    if (!membership.shared) return;
    log.info({ platform }, 'platforms: this process receives');
    // Stores the bookmark now. If the process dies before its next check, the next process can continue from this
    // bookmark.
    await check().catch(failed);
  }

  function shutOut(error: AppError): void {
    over = true;
    void checks.stop();
    role = undefined;
    leases.release(name).catch(logLate);
    lost(error);
  }

  /** The lease could not be released. This process keeps the lease until its next check, or until the process ends. */
  function logLate(err: unknown): void {
    log.debug({ err, platform }, 'platforms: the lease could not be released yet');
  }

  /**
   * A process that was suspended may receive old requests when it wakes, although a different process has already
   * handled them. The gate drops these requests.
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
    // The database cannot be reached. `membership` notices the failure, and its `onDoubt` makes this process step down
    // before the lease expires.
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
     * Resolves when this process receives or is on standby. Rejects in the same cases as the adapter's `start`. After a
     * rejection, `start` may be called again.
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
    /** Stops receiving, and releases the lease for the next process. */
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
    /** Whether this process can do the work of its role (receive requests, or wait for the lease). */
    healthy: (): boolean =>
      isActive() ? adapter.healthy() : role === 'standby' && membership.isCertain() && !isAside(),
  };
}

const nothing = (): void => undefined;
