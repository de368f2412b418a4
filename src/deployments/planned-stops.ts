import { randomBytes } from 'node:crypto';
import type { Card } from '../chat/card.ts';
import type { Clock } from '../clock.ts';
import { InputError, StoreError } from '../errors.ts';
import { enqueue } from '../notify/outbox.ts';
import type { Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';
import { cancel, lockTask, payloadOf, schedule, setPayload } from '../work/task.ts';
import {
  type Ending,
  endedCard,
  failedLine,
  type PlannedStop,
  plannedCard,
  unplannedCard,
} from './planned-stop.ts';

/** The type of the tasks that stop a deployment at a later time. The key is from `taskKey`. */
export const STOP_LATER = 'stop-later';
/** The type of the tasks that stop a deployment at the end of its lifetime. The key is from `taskKey`. */
export const LIFETIME = 'lifetime';

interface Parts {
  readonly store: Store;
  readonly account: string;
  readonly clock: Clock;
  /** See `DeploymentsParts.confirm`. */
  readonly confirm?: (tx: Store, invocationId: string) => Promise<void>;
}

/**
 * The planned stops of an account. A deployment has at most one stop that a person planned, and at most one stop at the
 * end of its lifetime. The transaction of each change also writes the edit of the card. A planned stop therefore has
 * exactly one outcome, and the card shows it. The stop at the end of a lifetime has no card of its own.
 */
export class PlannedStops {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Plans a stop. The stop replaces an earlier planned stop of the same deployment. `claim` runs in the transaction. If
   * `claim` throws, no stop is planned. Throws InputError if the earlier stop is being carried out.
   */
  async plan(
    wanted: Omit<PlannedStop, 'id' | 'begunAt' | 'over'>,
    invocationId: string,
    claim: (tx: Store) => Promise<void>,
  ): Promise<{ readonly replaced: PlannedStop | undefined }> {
    const { store, account, clock, confirm } = this.#parts;
    const stop: PlannedStop = { ...wanted, id: randomBytes(6).toString('hex') };
    const task = { ...taskOf(account, stop), account, at: stop.at, payload: stop };
    const planning = transact(store, async (tx) => {
      await confirm?.(tx, invocationId);
      await claim(tx);
      const isFirst = await schedule(tx, clock, task, { once: true });
      const replaced = isFirst ? undefined : await locked(tx, account, stop);
      if (replaced?.begunAt !== undefined) throw underWay();
      if (!isFirst) await schedule(tx, clock, task);
      if (replaced) await this.#show(tx, replaced, endedCard(replaced, { kind: 'replaced', by: stop }));
      await this.#show(tx, stop, plannedCard(stop, replaced));
      return { replaced };
    });
    return await planning.catch(async (error: unknown) => {
      // If the store failed, the stop may still have been stored.
      if (!(error instanceof StoreError))
        await transact(store, (tx) => this.#show(tx, stop, unplannedCard(stop, 'Nothing was planned.')));
      throw error;
    });
  }

  /**
   * The planned stop of a deployment. Undefined if the deployment has no planned stop, or if the stop is being carried
   * out.
   */
  async of(request_id: string): Promise<PlannedStop | undefined> {
    const { store, account } = this.#parts;
    const stop = (await payloadOf(store, taskOf(account, { request_id }))) as PlannedStop | undefined;
    return stop?.begunAt === undefined ? stop : undefined;
  }

  /** Cancels the planned stop with this id. Throws InputError if the stop is over or is being carried out. */
  async cancel(request_id: string, id: string, by: string): Promise<PlannedStop> {
    return await transact(this.#parts.store, async (tx) => {
      const stop = await locked(tx, this.#parts.account, { request_id });
      if (stop?.id !== id)
        throw new InputError('stop-not-planned', 'That stop is no longer planned.', {
          hint: 'Nothing was changed. The card shows the outcome.',
        });
      if (stop.begunAt !== undefined) throw underWay();
      await cancel(tx, taskOf(this.#parts.account, stop));
      await this.#show(tx, stop, endedCard(stop, { kind: 'cancelled', by }));
      return stop;
    });
  }

  /**
   * Marks the planned stop as being carried out. After that, the stop cannot be cancelled. Returns undefined if the
   * stop was cancelled or replaced, or is over. `again` is true if an earlier run has already begun to carry out the
   * stop.
   */
  async begin(due: PlannedStop): Promise<(PlannedStop & { readonly again: boolean }) | undefined> {
    const now = this.#parts.clock.now();
    return await transact(this.#parts.store, async (tx) => {
      const stop = await locked(tx, this.#parts.account, due);
      if (stop?.id !== due.id) return undefined;
      const again = stop.begunAt !== undefined;
      const begun = { begunAt: now, ...stop };
      if (!again) await setPayload(tx, taskOf(this.#parts.account, due), begun);
      return { ...begun, again };
    });
  }

  /** Shows the outcome of a stop that has begun. After a failure, also tells the person who planned the stop. */
  async end(begun: PlannedStop, ending: Ending): Promise<void> {
    const { store, account, clock } = this.#parts;
    await transact(store, async (tx) => {
      const stop = await locked(tx, account, begun);
      if (stop?.id !== begun.id) return;
      await setPayload(tx, taskOf(account, stop), { ...stop, over: true });
      await this.#show(tx, stop, endedCard(stop, ending));
      if (ending.kind !== 'failed') return;
      const { card: under, place: to } = stop;
      const message = failedLine(stop, ending.why);
      const how = { urgent: true, alsoToChannel: true, orderKey: stop.id, under, to } as const;
      await enqueue(tx, clock, { kind: 'post', ...how, message });
    });
  }

  async #show(tx: Store, stop: PlannedStop, message: Card): Promise<void> {
    await showCard(tx, this.#parts.clock, stop, message);
  }
}

/**
 * Ends a deployment's planned stop in the transaction `tx`, because the deployment has already ended without this stop.
 */
export async function endEarly(tx: Store, clock: Clock, account: string, request_id: string): Promise<void> {
  const stop = await locked(tx, account, { request_id });
  if (!stop || stop.begunAt !== undefined) return;
  await cancel(tx, taskOf(account, stop));
  await showCard(tx, clock, stop, endedCard(stop, { kind: 'early' }));
}

async function showCard(tx: Store, clock: Clock, stop: PlannedStop, message: Card): Promise<void> {
  const { id, card, isLifetime } = stop;
  if (!isLifetime) await enqueue(tx, clock, { kind: 'edit', orderKey: id, target: card, message });
}

/** Returns the stop that is planned or being carried out, and locks it until the transaction ends. */
export async function locked(tx: Store, account: string, named: Named): Promise<PlannedStop | undefined> {
  const stop = (await lockTask(tx, taskOf(account, named))) as PlannedStop | undefined;
  return stop?.over ? undefined : stop;
}

type Named = Pick<PlannedStop, 'request_id' | 'isLifetime'>;

function taskOf(account: string, { request_id, isLifetime }: Named) {
  return { kind: isLifetime ? LIFETIME : STOP_LATER, key: taskKey(account, request_id) };
}

/**
 * The key of a deployment's task. The key contains the account, because deployments of two accounts may have the same
 * request_id.
 */
export function taskKey(account: string, request_id: string): string {
  return `${account}/${request_id}`;
}

export function underWay(): InputError {
  return new InputError('stop-under-way', 'The planned stop is being carried out at this moment.', {
    hint: 'Nothing was changed. The card shows the outcome.',
  });
}
