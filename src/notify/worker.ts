import type { Adapter } from '../adapters/adapter.ts';
import type { Clock } from '../clock.ts';
import { DeliveryError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';
import { digestKey, nextBatch } from './batch.ts';
import { fromRow, type OutboxRow } from './outbox.ts';
import { OutboxQueue } from './queue.ts';
import { send } from './send.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 5 * 60_000;
/** After this long a message is no news any more. */
const GIVE_UP_MS = 24 * 60 * 60_000;
/** What was delivered, or never will be, is of use to nobody after this. */
const KEEP_MS = 7 * 24 * 60 * 60_000;
const PURGE_EVERY_MS = 60 * 60_000;

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
  const queue = new OutboxQueue(store, [...adapters.keys()]);
  const busyChannels = new Set<string>();
  const nextAllowed = new Map<string, number>();
  const inFlight = new Set<Promise<void>>();
  /** Rows of attempts whose end could not be written down. */
  const unrecorded = new Set<number>();
  let idleWaiters: (() => void)[] = [];
  let purgedAt = 0;
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
        schedule(clock.now() + RETRY_FIRST_MS);
      }
    }
    // In the same turn as the last look at lookAgain: a wake in between would be lost.
    looking = undefined;
  }

  async function look(): Promise<void> {
    await putBack();
    const now = clock.now();
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
    await purge(now);
  }

  function schedule(at: number): void {
    cancelTimer?.();
    if (running) cancelTimer = clock.after(Math.max(0, at - clock.now()), wake);
  }

  /** What was begun and could not be written down is begun anew, and looked for first. */
  async function putBack(): Promise<void> {
    if (unrecorded.size === 0) return;
    const ids = [...unrecorded];
    await store
      .updateTable('outbox')
      .set({ state: 'pending' })
      .where('state', '=', 'leased')
      .where('id', 'in', ids)
      .execute();
    for (const id of ids) unrecorded.delete(id);
  }

  async function purge(now: number): Promise<void> {
    if (now - purgedAt < PURGE_EVERY_MS) return;
    purgedAt = now;
    await store
      .deleteFrom('outbox')
      .where('state', 'in', ['sent', 'dead'])
      .where('created_at', '<', now - KEEP_MS)
      .execute();
  }

  function dispatch(channel: string, batch: readonly OutboxRow[]): void {
    const adapter = adapters.get(batch[0]?.to.platform ?? '');
    if (!adapter) return;
    busyChannels.add(channel);
    const work = deliver(adapter, batch)
      .catch((error: unknown) => {
        // Only the store can fail here.
        log.error({ err: error }, 'outbox: a delivery could not be recorded');
        for (const { id } of batch) unrecorded.add(id);
        return RETRY_FIRST_MS;
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
    const ids = batch.map((row) => row.id);
    const rows = await lease(batch);
    try {
      await send(adapter, rows, clock.now(), goesAlone);
    } catch (error) {
      const failure = asDeliveryError(error);
      await failed(rows, failure);
      return failure.retryAfterMs ?? 0;
    }
    await store
      .updateTable('outbox')
      .set({ state: 'sent', uncertain: 0, sent_at: clock.now() })
      .where('id', 'in', ids)
      .execute();
    return 0;
  }

  /** Commits, before anything leaves, that an attempt has begun. Returns the rows as they were before it. */
  async function lease(batch: readonly OutboxRow[]): Promise<OutboxRow[]> {
    const now = clock.now();
    const sent_key = batch.length > 1 ? digestKey(batch) : batch[0]?.key;
    return await store.transaction().execute(async (tx) => {
      const leased: OutboxRow[] = [];
      for (const { id, uncertain, attemptedAt } of batch) {
        const row = await tx
          .updateTable('outbox')
          .set((eb) => ({
            state: 'leased',
            uncertain: 1,
            attempts: eb('attempts', '+', 1),
            // Where an earlier attempt may have been shown, that is the one to look for.
            ...(uncertain ? {} : { attempted_at: now, sent_key }),
          }))
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirstOrThrow();
        leased.push({ ...fromRow(row), uncertain, attemptedAt: uncertain ? attemptedAt : now });
      }
      return leased;
    });
  }

  async function goesAlone({ id, key }: OutboxRow): Promise<void> {
    await store.updateTable('outbox').set({ sent_key: key }).where('id', '=', id).execute();
  }

  async function failed(rows: readonly OutboxRow[], error: DeliveryError): Promise<void> {
    const now = clock.now();
    for (const row of rows) {
      const final = !(error.retryable || error.mendable) || now - row.createdAt > GIVE_UP_MS;
      // What someone has to mend first is no use trying every few seconds.
      const backoff = error.retryable
        ? Math.min(RETRY_FIRST_MS * 2 ** (row.attempts - 1), RETRY_MAX_MS)
        : RETRY_MAX_MS;
      log[final ? 'error' : 'warn'](
        { code: error.code, reason: error.userMessage, order_key: row.orderKey, attempts: row.attempts },
        final ? 'outbox: a message cannot be delivered' : 'outbox: a delivery failed and will be tried again',
      );
      await store
        .updateTable('outbox')
        .set({
          state: final ? 'dead' : 'pending',
          uncertain: error.outcome === 'unknown' || row.uncertain ? 1 : 0,
          next_at: now + Math.max(error.retryAfterMs ?? 0, backoff),
        })
        .where('id', '=', row.id)
        .execute();
    }
  }

  return {
    async start() {
      // One process owns the store, so whatever is leased was begun by one that is gone.
      await store.updateTable('outbox').set({ state: 'pending' }).where('state', '=', 'leased').execute();
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

/** An adapter that throws anything else has a fault of its own; the message may or may not have been shown. */
function asDeliveryError(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  return new DeliveryError('delivery-failed', 'The message could not be delivered.', {
    cause: error,
    outcome: 'unknown',
    retryable: true,
  });
}
