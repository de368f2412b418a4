import type { Adapter } from '../adapters/adapter.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';
import { nextBatch } from './batch.ts';
import { asDeliveryError } from './fate.ts';
import { OutboxLedger } from './ledger.ts';
import { OutboxQueue } from './queue.ts';
import type { OutboxRow } from './row.ts';
import { send } from './send.ts';

/** Where the store fails. */
const RETRY_MS = 1_000;

/** Sends what is in the outbox: ordered per deployment, at each channel's pace. */
export interface OutboxWorker {
  /** Takes back what a process that died had begun, and begins. */
  start(): Promise<void>;
  /** Looks for something to send: called after each transaction that enqueued. */
  wake(): void;
  /** Resolves when everything was attempted at least once. */
  idle(): Promise<void>;
  /** Finishes what is being sent and begins nothing more. */
  stop(): Promise<void>;
}

export function createOutboxWorker(parts: {
  readonly store: Store;
  readonly adapters: readonly Adapter[];
  readonly clock: Clock;
  readonly log: Logger;
}): OutboxWorker {
  const { store, clock, log } = parts;
  const adapters = new Map(parts.adapters.map((adapter) => [adapter.platform, adapter]));
  const ledger = new OutboxLedger(store, clock, log);
  const queue = new OutboxQueue(store, [...adapters.keys()]);
  const busyChannels = new Set<string>();
  const nextAllowed = new Map<string, number>();
  const inFlight = new Set<Promise<void>>();
  let idleWaiters: (() => void)[] = [];
  let running = false;
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  let cancelTimer: (() => void) | undefined;

  function wake(): void {
    if (!running) return;
    lookAgain = true;
    looking ??= lookWhileAsked();
  }

  async function lookWhileAsked(): Promise<void> {
    while (lookAgain && running) {
      lookAgain = false;
      try {
        await look();
      } catch (error) {
        log.error({ err: error }, 'outbox: the store cannot be read');
        schedule(clock.now() + RETRY_MS);
      }
    }
    // In the same turn as the last look at lookAgain: a wake in between would be lost.
    looking = undefined;
  }

  async function look(): Promise<void> {
    await ledger.putBack();
    const now = clock.now();
    await ledger.purge(now);
    const waiting = await queue.due(now);
    let next = (await queue.nextAt(now)) ?? Number.POSITIVE_INFINITY;
    let dispatched = false;
    for (const one of waiting) {
      if (busyChannels.has(one.channel)) continue;
      const allowedAt = nextAllowed.get(one.channel) ?? 0;
      if (allowedAt > now) next = Math.min(next, allowedAt);
      else if (running) {
        dispatch(one.channel, nextBatch(one));
        dispatched = true;
      }
    }
    if (Number.isFinite(next)) schedule(next);
    if (idleWaiters.length > 0 && !dispatched && inFlight.size === 0 && !(await queue.isFresh())) {
      for (const resolve of idleWaiters.splice(0)) resolve();
    }
  }

  function schedule(at: number): void {
    cancelTimer?.();
    if (running) cancelTimer = clock.after(Math.max(0, at - clock.now()), wake);
  }

  function dispatch(channel: string, batch: readonly OutboxRow[]): void {
    const adapter = adapters.get(batch[0]?.to.platform ?? '');
    if (!adapter) return;
    busyChannels.add(channel);
    const work = deliver(adapter, batch)
      .catch((error: unknown) => {
        // Only the store can fail here.
        log.error({ err: error }, 'outbox: a delivery could not be recorded');
        ledger.cannotRecord(batch);
        return RETRY_MS;
      })
      .then((pauseMs) => {
        nextAllowed.set(channel, clock.now() + Math.max(adapter.paceMs, pauseMs));
        busyChannels.delete(channel);
        inFlight.delete(work);
        wake();
      });
    inFlight.add(work);
  }

  /** Resolves with how long the platform wants the channel left alone, in milliseconds. */
  async function deliver(adapter: Adapter, batch: readonly OutboxRow[]): Promise<number> {
    const rows = await ledger.lease(batch);
    if (rows.length === 0) return 0;
    try {
      await send(adapter, rows, clock.now(), (row) => ledger.goesAlone(row));
    } catch (error) {
      const failure = asDeliveryError(error);
      await ledger.failed(rows, failure, error !== failure);
      return failure.retryAfterMs ?? 0;
    }
    await ledger.sent(rows);
    return 0;
  }

  return {
    async start() {
      await ledger.takeOver();
      running = true;
      wake();
    },
    wake,
    async idle() {
      await new Promise<void>((resolve) => {
        idleWaiters.push(resolve);
        if (!running) resolve();
        wake();
      });
    },
    async stop() {
      running = false;
      cancelTimer?.();
      await looking;
      cancelTimer?.();
      await Promise.all(inFlight);
      for (const resolve of idleWaiters.splice(0)) resolve();
      idleWaiters = [];
    },
  };
}
