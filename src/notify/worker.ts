import type { Adapter } from '../adapters/adapter.ts';
import type { Clock } from '../clock.ts';
import { DeliveryError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';
import { nextBatch } from './batch.ts';
import { fromRow, type OutboxRow } from './outbox.ts';
import { send } from './send.ts';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 5 * 60_000;
/** After this long a message is no news any more. */
const GIVE_UP_MS = 24 * 60 * 60_000;
const READ_AT_ONCE = 500;

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
    looking ??= lookWhileAsked().finally(() => {
      looking = undefined;
    });
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
  }

  async function look(): Promise<void> {
    const heads = (await pendingHeads()).filter((row) => adapters.has(row.to.platform));
    const now = clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [channel, waiting] of Map.groupBy(heads, channelOf)) {
      if (busyChannels.has(channel)) continue;
      const allowedAt = nextAllowed.get(channel) ?? 0;
      const due = waiting.filter((row) => row.nextAt <= now);
      if (due.length > 0 && allowedAt <= now) dispatch(channel, nextBatch(due));
      else next = Math.min(next, Math.max(allowedAt, Math.min(...waiting.map((row) => row.nextAt))));
    }
    if (Number.isFinite(next)) schedule(next);
    if (inFlight.size === 0 && heads.every((row) => row.attempts > 0)) {
      for (const resolve of idleWaiters.splice(0)) resolve();
    }
  }

  function schedule(at: number): void {
    cancelTimer?.();
    cancelTimer = clock.after(Math.max(0, at - clock.now()), wake);
  }

  /** The oldest unsent row of each order key. */
  async function pendingHeads(): Promise<OutboxRow[]> {
    const rows = await store
      .selectFrom('outbox as row')
      .selectAll()
      .where('state', '=', 'pending')
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('outbox as earlier')
              .select('earlier.id')
              .whereRef('earlier.order_key', '=', 'row.order_key')
              .where('earlier.state', 'in', ['pending', 'leased'])
              .whereRef('earlier.id', '<', 'row.id'),
          ),
        ),
      )
      .orderBy('id')
      .limit(READ_AT_ONCE)
      .execute();
    return rows.map(fromRow);
  }

  function dispatch(channel: string, batch: readonly OutboxRow[]): void {
    const adapter = adapters.get(batch[0]?.to.platform ?? '');
    if (!adapter) return;
    busyChannels.add(channel);
    const work = deliver(adapter, batch)
      .catch((error: unknown) => {
        // Only the store can fail here. The rows stay leased and are taken back at the next start.
        log.error({ err: error }, 'outbox: a delivery could not be recorded');
      })
      .finally(() => {
        nextAllowed.set(channel, clock.now() + adapter.paceMs);
        busyChannels.delete(channel);
        inFlight.delete(work);
        wake();
      });
    inFlight.add(work);
  }

  async function deliver(adapter: Adapter, batch: readonly OutboxRow[]): Promise<void> {
    const ids = batch.map((row) => row.id);
    const rows = await lease(batch);
    try {
      await send(adapter, rows, clock.now());
    } catch (error) {
      await failed(rows, asDeliveryError(error));
      return;
    }
    await store
      .updateTable('outbox')
      .set({ state: 'sent', uncertain: 0, sent_at: clock.now() })
      .where('id', 'in', ids)
      .execute();
  }

  /** Commits, before anything leaves, that an attempt has begun. Returns the rows as they were before it. */
  async function lease(batch: readonly OutboxRow[]): Promise<OutboxRow[]> {
    const now = clock.now();
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
            ...(uncertain ? {} : { attempted_at: now, sent_key: batch[0]?.key }),
          }))
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirstOrThrow();
        leased.push({ ...fromRow(row), uncertain, attemptedAt: uncertain ? attemptedAt : now });
      }
      return leased;
    });
  }

  async function failed(rows: readonly OutboxRow[], error: DeliveryError): Promise<void> {
    const now = clock.now();
    for (const row of rows) {
      const final = !error.retryable || now - row.createdAt > GIVE_UP_MS;
      const backoff = Math.min(RETRY_FIRST_MS * 2 ** (row.attempts - 1), RETRY_MAX_MS);
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
      await Promise.all(inFlight);
      for (const resolve of idleWaiters.splice(0)) resolve();
      idleWaiters = [];
    },
  };
}

function channelOf(row: OutboxRow): string {
  return `${row.to.platform}/${row.to.workspace}/${row.to.channel}`;
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
