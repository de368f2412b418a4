import type { Adapter, Inbox } from '../chat/port.ts';
import { type Clock, steadyNow } from '../clock.ts';
import { type AppError, ConfigError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createLoop } from '../loop.ts';
import type { Leases } from '../replicas/leases.ts';
import type { Membership } from '../replicas/membership.ts';

/** How often a process looks whether the turn is its own; a takeover waits for the next look. */
const LOOK_MS = 1_000;
/** So that many processes do not look in step. */
const JITTER_MS = 200;
/** Not connected for so long, it lets others try: perhaps only this process cannot reach the platform. */
const AWAY_MS = 30_000;
/** By then each of the others has looked, and whoever can receive does. Else this one tries again. */
const ASIDE_MS = 10_000;

/** `active` receives, `standby` waits for its turn to; both can post. */
export type Role = 'active' | 'standby';

export type ReceivingTurn = ReturnType<typeof createReceivingTurn>;

export interface ReceivingTurnParts {
  readonly adapter: Adapter;
  readonly leases: Leases;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inbox: Inbox;
  /** It is shut out, until another setting mends it. */
  readonly lost: (error: AppError) => void;
  readonly random?: () => number;
}

/**
 * One adapter that only one of all processes may receive by: this one, while it holds the lease. It disconnects before
 * anybody else can hold it, and hands on how far it has come.
 */
export function createReceivingTurn(parts: ReceivingTurnParts) {
  const { adapter, leases, membership, clock, log, inbox, lost, random = Math.random } = parts;
  const { platform } = adapter;
  const name = `gateway/${platform}`;
  let role: Role | undefined;
  let over = false;
  /** In this turn. */
  let hasConnected = false;
  /** By steady time; not while it is connected. */
  let awaySince: number | undefined;
  let asideUntil = Number.NEGATIVE_INFINITY;
  const looks = createLoop({ clock, every: LOOK_MS, jitter: JITTER_MS, random, run: look, failed: couldNot });

  membership.onDoubt(() => void stepDown('this process is in doubt whether it still holds it'));

  const isActive = () => role === 'active';
  const isAside = () => steadyNow(clock) < asideUntil;

  /** First of all, nothing more is received. */
  async function stepDown(reason: string): Promise<void> {
    if (!isActive()) return;
    role = 'standby';
    log.warn({ platform, reason }, 'platforms: this process no longer receives');
    await adapter.stop();
  }

  /** Whoever can receive goes on from the bookmark. Where nobody can, this one tries again. */
  async function standAside(): Promise<void> {
    if (!isActive()) return;
    asideUntil = steadyNow(clock) + ASIDE_MS;
    await stepDown('it cannot reach the platform; perhaps another process can');
    // One of an earlier turn would be older than what others have left since.
    await leases.release(name, hasConnected ? adapter.bookmark?.() : undefined);
  }

  function isAwayTooLong(): boolean {
    if (adapter.healthy()) awaySince = undefined;
    else awaySince ??= steadyNow(clock);
    return awaySince !== undefined && steadyNow(clock) - awaySince >= AWAY_MS;
  }

  /** Takes the turn, or sees that it still has it, or has lost it. */
  async function look(): Promise<void> {
    if (!membership.isCertain() || isAside()) return;
    const held = await leases.hold(name, isActive() ? adapter.bookmark?.() : undefined);
    if (over) return;
    if (!held) await stepDown('another process holds it');
    else if (!isActive()) await receive();
    else if (isAwayTooLong()) await standAside();
  }

  async function receive(): Promise<void> {
    role = 'active';
    hasConnected = false;
    awaySince = undefined;
    // One that neither comes about nor fails ends by `stop`.
    const cancelLimit = membership.shared ? clock.after(AWAY_MS, () => standAside().catch(late)) : nothing;
    try {
      const bookmark = await leases.bookmark(name);
      if (!isActive() || over) return;
      await adapter.start(gate, shutOut, bookmark);
      if (!isActive()) return await adapter.stop();
      hasConnected = true;
    } catch (error) {
      // Stepped down, or stopped, meanwhile: that is why.
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
    void looks.stop();
    role = undefined;
    leases.release(name).catch(late);
    lost(error);
  }

  /** At its next look it finds that it holds the turn still, or at its end that it holds nothing. */
  function late(err: unknown): void {
    log.debug({ err, platform }, 'platforms: a turn is given back late');
  }

  /** One that slept too long wakes up to what came before it fell asleep. */
  const gate: Inbox = {
    async invoke(invocation) {
      if (isActive() && membership.isCertain()) return await inbox.invoke(invocation);
      log.warn({ platform, invocation: invocation.id }, 'platforms: left to the process that receives now');
    },
    suggest: (question) => inbox.suggest(question),
  };

  function couldNot(error: unknown): void {
    // The database is away: the membership says so, and steps down in time.
    if (role !== undefined) return;
    if (error instanceof ConfigError) {
      shutOut(error);
    } else {
      role = 'standby';
      asideUntil = steadyNow(clock) + ASIDE_MS;
      log.warn({ platform, err: error }, 'platforms: this process cannot receive, and lets others try');
    }
  }

  return {
    /** Resolves once it receives or stands by. Rejects as the adapter's own `start` does, and can then be called again. */
    async start(): Promise<void> {
      await look();
      if (role === undefined) {
        await adapter.prepare?.();
        role = 'standby';
        log.info({ platform }, 'platforms: another process receives, this one stands by');
      }
      if (membership.shared) looks.start();
    },
    /** Receives nothing more, and lets the next one have the turn. */
    async stop(): Promise<void> {
      over = true;
      const looked = looks.stop();
      await adapter.stop();
      await looked;
      const bookmark = isActive() && hasConnected ? adapter.bookmark?.() : undefined;
      role = undefined;
      await leases.release(name, bookmark);
    },
    get role(): Role | undefined {
      return role;
    },
    /** Whether it does what its role asks for. */
    healthy: (): boolean =>
      isActive() ? adapter.healthy() : role === 'standby' && membership.isCertain() && !isAside(),
  };
}

const nothing = (): void => undefined;
