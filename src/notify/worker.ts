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

/** Where the store fails. */
const RETRY_MS = 1_000;
/** How often a process looks for what others on the same store have written, or have left behind. */
const LOOK_MS = 1_000;
const TAKE_OVER_EVERY_MS = 2_000;
const TIDY_EVERY_MS = 60 * 60_000;

/** Sends what is in the outbox: ordered per deployment, at each channel's pace. */
export interface OutboxWorker {
  /** Takes back what processes that died had begun, and begins. */
  start(): Promise<void>;
  /** Looks for something to send; each commit of this process that enqueued calls it. */
  wake(): void;
  /** Resolves when everything was attempted at least once. */
  idle(): Promise<void>;
  /** Finishes what is being sent and begins nothing more. */
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
  const leases = new OutboxClaims({ store, membership, queue, ledger, clock });
  const busy = new Map<string, Promise<void>>();
  /** Channels whose delivery could not be written down. */
  const unrecorded = new Map<string, { place: Destination; from: number }>();
  const idleWaiters: (() => void)[] = [];
  const stopping = new AbortController();
  /** Of `busy`: those that only wait for their channel to open, and were attempted before. */
  let asleep = 0;
  let running = false;
  let takenOverAt = 0;
  let tidiedAt = 0;
  const loop = createLoop({
    clock,
    run: look,
    failed(err) {
      log.error({ err }, 'outbox: the store cannot be read');
      return RETRY_MS;
    },
    // Other processes write rows, too; and not all processes look at the same moment.
    ...(membership.shared ? { every: LOOK_MS * 0.75, jitter: LOOK_MS / 2 } : {}),
  });
  const { wake } = loop;
  afterWritesTo(store, 'outbox', wake);

  /** Sends what is due; resolves with the milliseconds until more is. */
  async function look(): Promise<number> {
    const now = clock.now();
    // Who came while this look was under way is answered by the next.
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
      // Asked before anything is written: what waits may all be held back.
      else if ((await queue.next(store, place, place.lanes, now)).length > 0 && running) {
        dispatch(id, place);
        dispatched = true;
      }
    }
    // What is leased is not due: nothing else would look again.
    for (const { from } of unrecorded.values()) next = Math.min(next, from);
    if (waiters > 0 && !dispatched && busy.size === asleep && !(await queue.isFresh())) {
      for (const resolve of idleWaiters.splice(0, waiters)) resolve();
    }
    // A clock that was set back since is not waited for.
    return next - Math.max(now, clock.now());
  }

  /** Whether a pause until `from` lasts; a clock that was set back meanwhile does not make it longer. */
  function lasts(from: number, now: number): boolean {
    return from > now && from <= now + RETRY_MS;
  }

  async function tidy(now: number): Promise<void> {
    for (const [id, { place, from }] of unrecorded) {
      if (lasts(from, now)) continue;
      try {
        await leases.putBack(place);
        unrecorded.delete(id);
      } catch (err) {
        if (running) log.error({ err }, 'outbox: a delivery could not be recorded');
        unrecorded.set(id, { place, from: now + RETRY_MS });
      }
    }
    if (membership.shared && Math.abs(now - takenOverAt) >= TAKE_OVER_EVERY_MS) {
      takenOverAt = now;
      // What cannot be taken over now is later; what is our own goes out meanwhile.
      await leases.takeOver().catch((err: unknown) => {
        if (running) log.error({ err }, 'outbox: what others left behind cannot be taken over');
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
        // Only the store can fail here.
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
    // From before it is taken: once this process was taken for dead, what it took is another's to send.
    const isUnbroken = membership.sinceNow();
    const { row, at } = await leases.begin(place);
    if (!row) return;
    if (!(await opens(at, row))) return await leases.handBack(place, row);
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
        alone: (row, message) => leases.goesAlone(row, message),
      });
    } catch (error) {
      const failure = asDeliveryError(error);
      await ledger.failed(place, row, failure, nextIn(adapter, row, leftAt, failure));
      return;
    }
    await ledger.sent(place, row, nextIn(adapter, row, leftAt));
  }

  /** Resolves at the time `at`, with whether anything may begin then. */
  async function opens(at: number, { attempts }: OutboxRow): Promise<boolean> {
    // A timer may ring a little early; and a clock that was set back is not waited for.
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

  /** The pace counts from when a message left, as the platform's limit does from when it came. */
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
      await leases.takeOver();
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

/** Another process may be about to send it, or have sent it. */
function inDoubt(): DeliveryError {
  return new DeliveryError(
    'outbox-in-doubt',
    'The database did not answer for so long that another process may be sending this.',
    { outcome: 'not-sent', retryable: true },
  );
}
