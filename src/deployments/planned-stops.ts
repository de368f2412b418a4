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

/** The kind of the tasks that stop a deployment at a later time. The key names the account and the request_id. */
export const STOP_LATER = 'stop-later';

interface Parts {
  readonly store: Store;
  readonly account: string;
  readonly clock: Clock;
  /** See `DeploymentsParts.confirm`. */
  readonly confirm?: (tx: Store, invocationId: string) => Promise<void>;
}

/**
 * The planned stops of an account, at most one for each deployment. Each change is a single transaction, which also
 * writes the edit of the card. So a planned stop has exactly one outcome, and the card shows this outcome.
 */
export class PlannedStops {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Plans a stop in place of any earlier planned stop of the same deployment. `claim` runs in the transaction; if it
   * throws, nothing is planned. Throws InputError if the earlier stop is being carried out.
   */
  async plan(
    wanted: Omit<PlannedStop, 'id' | 'begunAt' | 'over'>,
    invocationId: string,
    claim: (tx: Store) => Promise<void>,
  ): Promise<{ readonly replaced: PlannedStop | undefined }> {
    const { store, account, clock, confirm } = this.#parts;
    const stop: PlannedStop = { ...wanted, id: randomBytes(6).toString('hex') };
    const task = { ...this.#task(stop.request_id), account, at: stop.at, payload: stop };
    const planning = transact(store, async (tx) => {
      await confirm?.(tx, invocationId);
      await claim(tx);
      const isFirst = await schedule(tx, clock, task, { once: true });
      const replaced = isFirst ? undefined : await locked(tx, task);
      if (replaced?.begunAt !== undefined) throw underWay();
      if (!isFirst) await schedule(tx, clock, task);
      if (replaced) await this.#show(tx, replaced, endedCard(replaced, { kind: 'replaced', by: stop }));
      await this.#show(tx, stop, plannedCard(stop, replaced));
      return { replaced };
    });
    return await planning.catch(async (error: unknown) => {
      // If the store failed, the stop may be planned all the same.
      if (!(error instanceof StoreError))
        await transact(store, (tx) => this.#show(tx, stop, unplannedCard(stop, 'Nothing was planned.')));
      throw error;
    });
  }

  /** The planned stop of a deployment; undefined if there is none, or if the stop is being carried out. */
  async of(request_id: string): Promise<PlannedStop | undefined> {
    const stop = (await payloadOf(this.#parts.store, this.#task(request_id))) as PlannedStop | undefined;
    return stop?.begunAt === undefined ? stop : undefined;
  }

  /** Cancels the planned stop with this id. Throws InputError if the stop is over or is being carried out. */
  async cancel(request_id: string, id: string, by: string): Promise<PlannedStop> {
    return await transact(this.#parts.store, async (tx) => {
      const stop = await locked(tx, this.#task(request_id));
      if (stop?.id !== id)
        throw new InputError('stop-not-planned', 'That stop is no longer planned.', {
          hint: 'Nothing was changed. The card shows the outcome.',
        });
      if (stop.begunAt !== undefined) throw underWay();
      await cancel(tx, this.#task(request_id));
      await this.#show(tx, stop, endedCard(stop, { kind: 'cancelled', by }));
      return stop;
    });
  }

  /**
   * Marks the planned stop as being carried out, so that nobody can cancel it any more. Undefined if the stop was
   * cancelled or replaced, or is over. `again` says that an earlier run has begun to carry out the stop.
   */
  async begin({
    request_id,
    id,
  }: PlannedStop): Promise<(PlannedStop & { readonly again: boolean }) | undefined> {
    const now = this.#parts.clock.now();
    return await transact(this.#parts.store, async (tx) => {
      const stop = await locked(tx, this.#task(request_id));
      if (stop?.id !== id) return undefined;
      const again = stop.begunAt !== undefined;
      const begun = { begunAt: now, ...stop };
      if (!again) await setPayload(tx, this.#task(request_id), begun);
      return { ...begun, again };
    });
  }

  /** Shows how a stop that has begun ended. After a failure, also tells the person who planned the stop. */
  async end({ request_id, id }: PlannedStop, ending: Ending): Promise<void> {
    const { store, clock } = this.#parts;
    await transact(store, async (tx) => {
      const stop = await locked(tx, this.#task(request_id));
      if (stop?.id !== id) return;
      await setPayload(tx, this.#task(request_id), { ...stop, over: true });
      await this.#show(tx, stop, endedCard(stop, ending));
      if (ending.kind !== 'failed') return;
      const { card: under, place: to } = stop;
      const message = failedLine(stop, ending.why);
      const how = { urgent: true, alsoToChannel: true, orderKey: id, under, to } as const;
      await enqueue(tx, clock, { kind: 'post', ...how, message });
    });
  }

  #task(request_id: string): TaskName {
    return taskOf({ account: this.#parts.account, request_id });
  }

  async #show(tx: Store, stop: PlannedStop, message: Card): Promise<void> {
    await showCard(tx, this.#parts.clock, stop, message);
  }
}

/** Ends, in the transaction `tx`, the planned stop of a deployment that has certainly ended by itself. */
export async function endEarly(tx: Store, clock: Clock, of: Parameters<typeof taskOf>[0]): Promise<void> {
  const task = taskOf(of);
  const stop = await locked(tx, task);
  if (!stop || stop.begunAt !== undefined) return;
  await cancel(tx, task);
  await showCard(tx, clock, stop, endedCard(stop, { kind: 'early' }));
}

async function showCard(tx: Store, clock: Clock, { id, card }: PlannedStop, message: Card): Promise<void> {
  await enqueue(tx, clock, { kind: 'edit', orderKey: id, target: card, message });
}

/** The stop that is planned or being carried out; locked until the transaction ends. */
async function locked(tx: Store, task: TaskName): Promise<PlannedStop | undefined> {
  const stop = (await lockTask(tx, task)) as PlannedStop | undefined;
  return stop?.over ? undefined : stop;
}

type TaskName = ReturnType<typeof taskOf>;

/** Two accounts may have a deployment with the same request_id. */
function taskOf({ account, request_id }: { readonly account: string; readonly request_id: string }) {
  return { kind: STOP_LATER, key: `${account}/${request_id}` };
}

function underWay(): InputError {
  return new InputError('stop-under-way', 'The planned stop is being carried out at this moment.', {
    hint: 'Nothing was changed. The card shows the outcome.',
  });
}
