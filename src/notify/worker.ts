import type { Adapter } from '../chat/port.ts';
import { type Clock, sleep } from '../clock.ts';
import { DeliveryError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createLoop } from '../loop.ts';
import type { Membership } from '../replicas/membership.ts';
import type { Store } from '../store/schema.ts';
import { afterWritesTo } from '../store/transact.ts';
import { channelId, type Destination, LEAD_MS, type Next } from './channels.ts';
import { OutboxClaims } from './claims.ts';
import { OutboxLedger } from './ledger.ts';
import { OutboxQueue } from './queue.ts';
import { asDeliveryError, PUT_OFF_MAX_MS } from './retry-policy.ts';
import type { OutboxRow } from './row.ts';
import { send } from './send.ts';

/** The pause after the store failed. */
const RETRY_MS = 1_000;
/** How often a process polls for rows that other processes on the same store wrote or did not finish. */
const POLL_MS = 1_000;
const TAKE_OVER_EVERY_MS = 2_000;
const TIDY_EVERY_MS = 60 * 60_000;

/** Sends the rows of the outbox: in order for each deployment, and within the rate limits of each channel. */
export interface OutboxWorker {
  /** Takes over the rows of processes that died during an attempt, and starts to send. */
  start(): Promise<void>;
  /** Starts a search for rows to send. Called after each commit of this process that added a row to the outbox. */
  wake(): void;
  /** Resolves when the worker has tried to send every row at least once. */
  idle(): Promise<void>;
  /** Finishes the attempts in progress, and starts no new attempts. */
  stop(): Promise<void>;
}

export interface OutboxParts {
  readonly store: Store;
  readonly membership: Membership;
  readonly adapters: readonly Adapter[];
  readonly clock: Clock;
  readonly log: Logger;
}

export function createOutboxWorker(parts: OutboxParts): OutboxWorker {
  const { store, membership, clock, log } = parts;
  const adapters = new Map(parts.adapters.map((adapter) => [adapter.platform, adapter]));
  const queue = new OutboxQueue(store, membership, adapters);
  const canTell = (platform: string) => adapters.has(platform);
  const ledger = new OutboxLedger({ store, membership, clock, log, canTell });
  const claims = new OutboxClaims({ store, membership, queue, ledger, clock });
  const busy = new Map<string, Promise<void>>();
  /** The channels with an attempt whose outcome could not be stored yet. */
  const unrecorded = new Map<string, { place: Destination; from: number }>();
  const idleWaiters: (() => void)[] = [];
  const stopping = new AbortController();
  /** How many of the `busy` channels only wait until their rate limit allows another attempt to send the same row. */
  let asleep = 0;
  let running = false;
  let takenOverAt = 0;
  let tidiedAt = 0;
  const loop = createLoop({
    clock,
    run: sendDue,
    failed(err) {
      log.error({ err }, 'outbox: the store cannot be read');
      return RETRY_MS;
    },
    // Polls the store, because other processes also write rows. The jitter prevents all processes from polling at the
    // same moment.
    ...(membership.shared ? { every: POLL_MS * 0.75, jitter: POLL_MS / 2 } : {}),
  });
  const { wake } = loop;
  afterWritesTo(store, 'outbox', wake);

  /** Sends the rows that are due. Resolves with the milliseconds until the next row is due. */
  async function sendDue(): Promise<number> {
    const now = clock.now();
    // The next pass resolves calls of `idle` that arrive during this pass.
    const waiters = idleWaiters.length;
    await tidy(now);
    const { due, nextAt } = await queue.overview(now);
    let next = nextAt;
    let dispatched = false;
    for (const place of due) {
      const id = channelId(place);
      if (busy.has(id)) continue;
      const { from } = unrecorded.get(id) ?? { from: now };
      if (lasts(from, now)) next = Math.min(next, from);
      // Looks for rows before the claim of the channel. If no row can be sent, because all due rows wait for earlier
      // rows, the claim is not needed.
      else if ((await queue.next(store, place, place.lanes, now)).length > 0 && running) {
        dispatch(id, place);
        dispatched = true;
      }
    }
    // The rows of these channels are claimed, so they do not count as due. This loop makes a pass return to these
    // channels in time.
    for (const { from } of unrecorded.values()) next = Math.min(next, from);
    if (waiters > 0 && !dispatched && busy.size === asleep && !(await queue.isFresh())) {
      for (const resolve of idleWaiters.splice(0, waiters)) resolve();
    }
    // The pause stays the same even if the clock was set back during this pass.
    return next - Math.max(now, clock.now());
  }

  /** Whether the pause until `from` still lasts. A clock that was set back does not lengthen the pause. */
  function lasts(from: number, now: number): boolean {
    return from > now && from <= now + RETRY_MS;
  }

  async function tidy(now: number): Promise<void> {
    for (const [id, { place, from }] of unrecorded) {
      if (lasts(from, now)) continue;
      try {
        await claims.putBack(place);
        unrecorded.delete(id);
      } catch (err) {
        if (running) log.error({ err }, 'outbox: a delivery could not be recorded');
        unrecorded.set(id, { place, from: now + RETRY_MS });
      }
    }
    if (membership.shared && Math.abs(now - takenOverAt) >= TAKE_OVER_EVERY_MS) {
      takenOverAt = now;
      // If the takeover fails, a later pass tries again. Until then, this process continues to send its own rows.
      await claims.takeOver().catch((err: unknown) => {
        if (running) log.error({ err }, 'outbox: the rows of processes that are gone cannot be taken over');
      });
    }
    if (Math.abs(now - tidiedAt) < TIDY_EVERY_MS) return;
    tidiedAt = now;
    await ledger.giveUp(now);
  }

  function dispatch(id: string, place: Destination): void {
    const adapter = adapters.get(place.platform);
    if (!adapter) return;
    const work = deliver(adapter, place)
      .catch((error: unknown) => {
        // Only the store can fail here, because `deliver` handles failures of the platform.
        if (running) log.error({ err: error }, 'outbox: a delivery could not be recorded');
        unrecorded.set(id, { place, from: clock.now() + RETRY_MS });
      })
      .then(() => {
        busy.delete(id);
        wake();
      });
    busy.set(id, work);
  }

  async function deliver(adapter: Adapter, place: Destination): Promise<void> {
    // `sinceNow` is called before the claim. If other processes consider this process dead after this call, they may
    // also send the claimed row.
    const isUnbroken = membership.sinceNow();
    const { row, at } = await claims.begin(place);
    if (!row) return;
    if (!(await opens(at, row))) return await claims.handBack(place, row);
    const now = clock.now();
    let leftAt = now;
    const leave = () => {
      if (!isUnbroken()) throw inDoubt();
      leftAt = clock.now();
    };
    try {
      await send(adapter, row, {
        now,
        mayLeave: leave,
        alone: (row, message) => claims.goesAlone(row, message),
      });
    } catch (error) {
      const failure = asDeliveryError(error);
      await ledger.failed(place, row, failure, nextIn(adapter, row, leftAt, failure));
      return;
    }
    await ledger.sent(place, row, nextIn(adapter, row, leftAt));
  }

  /** Waits until the time `at`. Resolves with true if the attempt may begin then. */
  async function opens(at: number, { attempts }: OutboxRow): Promise<boolean> {
    // The loop is needed because a timer may fire slightly early. A clock that was set back must not lengthen the wait.
    for (;;) {
      const left = at - clock.now();
      if (left <= 0 || left > LEAD_MS || !running) return running;
      const known = attempts > 1 ? 1 : 0;
      asleep += known;
      if (known && idleWaiters.length > 0) wake();
      await sleep(clock, left, stopping.signal).catch(() => undefined);
      asleep -= known;
    }
  }

  /**
   * The earliest time of the next message. The interval starts when this message was sent, because the platform counts
   * from its arrival.
   */
  function nextIn(
    { paceMs }: Adapter,
    { kind }: OutboxRow,
    startedAt: number,
    failure?: DeliveryError,
  ): Next {
    const { retryAfterMs = 0, heldUp } = failure ?? {};
    const edits = kind === 'edit';
    if (retryAfterMs > 0) {
      const at = clock.now() + Math.min(retryAfterMs, PUT_OFF_MAX_MS);
      return {
        ...((heldUp?.posts ?? !edits) ? { postAt: at } : {}),
        ...((heldUp?.edits ?? edits) ? { editAt: at } : {}),
        everywhere: heldUp?.everywhere ?? false,
      };
    }
    return edits ? { editAt: startedAt + paceMs.edit } : { postAt: startedAt + paceMs.post };
  }

  return {
    async start() {
      await claims.takeOver();
      takenOverAt = clock.now();
      running = true;
      loop.start();
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
      stopping.abort();
      await loop.stop();
      await Promise.all(busy.values());
      for (const resolve of idleWaiters.splice(0)) resolve();
    },
  };
}

function inDoubt(): DeliveryError {
  return new DeliveryError(
    'outbox-in-doubt',
    'I did not send this message: my database did not answer for so long that another process may be sending the message.',
    { outcome: 'not-sent', retryable: true },
  );
}
