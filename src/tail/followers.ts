import type { Address, MessageRef } from '../chat/port.ts';
import type { Clock } from '../clock.ts';
import { InputError } from '../errors.ts';
import { enqueue } from '../notify/outbox.ts';
import type { Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';
import { cancel, lockTask, payloadOf, schedule } from '../work/task.ts';
import { followCard, followedCard } from './cards.ts';
import { beginFollow, type Follow, type FollowOrder } from './follow.ts';

export const FOLLOW = 'follow-logs';

export interface FollowersParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly account: string;
  /**
   * Marks the invocation as ended, in the transaction `tx`. Throws if another process has taken over the invocation.
   */
  readonly conclude: (tx: Store, invocationId: string) => Promise<void>;
}

/** The followers of an account. Each log has at most one follower in a channel. */
export class Followers {
  readonly #parts: FollowersParts;

  constructor(parts: FollowersParts) {
    this.#parts = parts;
  }

  /** Throws InputError if the channel already has a follower of the log. */
  async check(request_id: string, at: Address): Promise<void> {
    if (await payloadOf(this.#parts.store, this.#task(request_id, at))) throw followedAlready();
  }

  /** Starts to follow a log, and shows the lines in the message `card`. Throws InputError like `check`. */
  async start(order: FollowOrder, card: MessageRef, invocationId: string): Promise<void> {
    const { store, clock, account, conclude } = this.#parts;
    const follow = beginFollow(order, card);
    const task = { ...this.#task(order.request_id, card), account, at: clock.now(), payload: follow };
    const isFirst = await transact(store, async (tx) => {
      const isNew = await schedule(tx, clock, task, { once: true });
      if (isNew) await conclude(tx, invocationId);
      else await edit(tx, clock, follow, followedCard(follow, followedAlready().userMessage));
      return isNew;
    });
    if (!isFirst) throw followedAlready();
  }

  /**
   * Stops following a log in this channel at the request of the person `stoppedBy`. Returns false if the channel has no
   * follower of the log.
   */
  async stop(request_id: string, at: Address, stoppedBy: string): Promise<boolean> {
    const { store, clock, account } = this.#parts;
    const task = this.#task(request_id, at);
    return await transact(store, async (tx) => {
      const follow = (await lockTask(tx, task)) as Follow | undefined;
      if (!follow) return false;
      const payload = { ...follow, stoppedBy };
      await schedule(tx, clock, { ...task, account, at: clock.now(), payload });
      return true;
    });
  }

  #task(request_id: string, { platform, workspace, channel }: Address) {
    return { kind: FOLLOW, key: `${this.#parts.account} ${request_id} ${platform}/${workspace}/${channel}` };
  }
}

/** Shows the present state of a follower in its message. */
export async function showFollow(store: Store, clock: Clock, follow: Follow): Promise<void> {
  await transact(store, (tx) => edit(tx, clock, follow, followCard(follow)));
}

/** Ends following the log: the follower's message then says so, and the task of the follower is removed. */
export async function endFollow(
  { store, clock }: Pick<FollowersParts, 'store' | 'clock'>,
  key: string,
  follow: Follow,
  reason: string,
): Promise<void> {
  await transact(store, async (tx) => {
    await edit(tx, clock, follow, followedCard(follow, reason));
    await cancel(tx, { kind: FOLLOW, key });
  });
}

function edit(
  tx: Store,
  clock: Clock,
  { card }: Follow,
  message: ReturnType<typeof followCard>,
): Promise<void> {
  return enqueue(tx, clock, { kind: 'edit', orderKey: card.message, target: card, message });
}

function followedAlready(): InputError {
  return new InputError('followed-already', 'I follow this log in this channel already.', {
    hint: 'Press Stop following on the message with the lines to begin anew.',
  });
}
