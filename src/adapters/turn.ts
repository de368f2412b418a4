import type { Clock } from '../clock.ts';
import type { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Leases } from '../replicas/leases.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Adapter, Invocation } from './adapter.ts';

/** How often a process looks whether the turn is its own; a takeover waits for the next look. */
const LOOK_MS = 1_000;
/** So that many processes do not look in step. */
const JITTER_MS = 200;

/** `active` receives, `standby` waits for its turn to; both can post. */
export type Role = 'active' | 'standby';

export interface Turn {
  /** Resolves once it receives or stands by. Rejects as the adapter's own `start` does, and can then be called again. */
  start(): Promise<void>;
  /** Receives nothing more, and lets the next one have the turn. */
  stop(): Promise<void>;
  readonly role: Role | undefined;
  /** Whether it does what its role asks for. */
  healthy(): boolean;
}

/**
 * One adapter that only one of all processes may receive by: this one, while it holds the lease. It disconnects before
 * anybody else can hold it, and hands on how far it has come.
 */
export function createTurn(parts: {
  readonly adapter: Adapter;
  readonly leases: Leases;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly log: Logger;
  readonly handle: (invocation: Invocation) => Promise<void>;
  readonly lost: (error: AppError) => void;
  /** It was standing by, took its turn, and could not receive. */
  readonly failed: (error: unknown) => void;
  readonly random?: () => number;
}): Turn {
  const { adapter, leases, membership, clock, log, handle, lost, failed, random = Math.random } = parts;
  const { platform } = adapter;
  const name = `gateway/${platform}`;
  let role: Role | undefined;
  let over = false;
  let looking: Promise<unknown> = Promise.resolve();
  let cancelLook = (): void => undefined;

  membership.onDoubt(() => void stepDown('this process is in doubt whether it still holds it'));

  const isActive = () => role === 'active';

  /** First of all, nothing more is received. */
  async function stepDown(reason: string): Promise<void> {
    if (!isActive()) return;
    role = 'standby';
    log.warn({ platform, reason }, 'platforms: this process no longer receives');
    await adapter.stop();
  }

  /** Takes the turn, or sees that it still has it, or has lost it. */
  async function look(): Promise<void> {
    if (!membership.isCertain()) return;
    const held = await leases.hold(name, isActive() ? adapter.bookmark?.() : undefined);
    if (over) return;
    if (!held) await stepDown('another process holds it');
    else if (!isActive()) await receive();
  }

  async function receive(): Promise<void> {
    role = 'active';
    try {
      const bookmark = await leases.bookmark(name);
      if (!isActive() || over) return;
      await adapter.start(take, shutOut, bookmark);
      if (!isActive()) return await adapter.stop();
    } catch (error) {
      // Stepped down, or stopped, meanwhile: that is why.
      if (!isActive() || over) return;
      role = undefined;
      await leases.release(name).catch(() => undefined);
      throw error;
    }
    if (membership.shared) log.info({ platform }, 'platforms: this process receives');
  }

  function shutOut(error: AppError): void {
    over = true;
    cancelLook();
    role = undefined;
    leases.release(name).catch((err: unknown) => log.debug({ err }, 'platforms: a turn is given back late'));
    lost(error);
  }

  /** One that slept too long wakes up to what came before it fell asleep. */
  async function take(invocation: Invocation): Promise<void> {
    if (isActive() && membership.isCertain()) return await handle(invocation);
    log.warn({ platform, invocation: invocation.id }, 'platforms: left to the process that receives now');
  }

  function lookAgain(): void {
    if (over || !membership.shared) return;
    cancelLook = clock.after(LOOK_MS + random() * JITTER_MS, () => {
      looking = look().then(lookAgain, (error: unknown) => {
        if (role === undefined) failed(error);
        // The database is away: the membership says so, and steps down in time.
        else lookAgain();
      });
    });
  }

  return {
    async start() {
      await look();
      if (role === undefined) {
        await adapter.prepare?.();
        role = 'standby';
        log.info({ platform }, 'platforms: another process receives, this one stands by');
      }
      lookAgain();
    },
    async stop() {
      over = true;
      cancelLook();
      await adapter.stop();
      await looking.catch(() => undefined);
      const bookmark = isActive() ? adapter.bookmark?.() : undefined;
      role = undefined;
      await leases.release(name, bookmark);
    },
    get role() {
      return role;
    },
    healthy: () => (isActive() ? adapter.healthy() : role === 'standby' && membership.isCertain()),
  };
}
