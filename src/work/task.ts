import type { Clock } from '../clock.ts';
import type { Store } from '../store/schema.ts';
import { wroteTo } from '../store/transact.ts';

/** A task that is due. */
export interface Due {
  readonly key: string;
  readonly account: string;
  readonly payload: unknown;
  /**
   * Aborted when the process stops, or may no longer act on its claims: the run is to end, and another process
   * resumes the task.
   */
  readonly signal: AbortSignal;
}

/** A task is to run again after `inMs` milliseconds; without a new payload the old payload stays. */
export interface Again {
  readonly inMs: number;
  readonly payload?: unknown;
}

/**
 * The code of all tasks of one kind. The code lives in the room that owns the kind, and `app` hands it to the worker.
 */
export interface TaskKind {
  readonly kind: string;
  /** Keys of tasks that exist from the first start on. */
  readonly standing?: readonly string[];
  /**
   * Resolves with undefined when the task is done. A run that rejects is tried again later, and the run of a dead
   * process is repeated: a run must be able to do everything twice.
   */
  run(due: Due): Promise<Again | undefined>;
}

/** A task to come, known by kind and key. */
export interface Task {
  readonly kind: string;
  readonly key: string;
  readonly account: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly payload?: unknown;
}

/**
 * Writes a task in the transaction `tx`, in place of an earlier task with the same key; if the earlier task is
 * running now, the new task waits for the end of that run. With `once` an earlier task stays unchanged.
 */
export async function schedule(tx: Store, clock: Clock, task: Task, { once = false } = {}): Promise<void> {
  const { kind, key, account, at, payload } = task;
  const payload_json = payload === undefined ? null : JSON.stringify(payload);
  const columns = { account, run_at: at, written_at: clock.now(), payload_json, failures: 0 };
  await tx
    .insertInto('tasks')
    .values({ kind, key, ...columns, revision: 0 })
    .onConflict((conflict) => {
      const same = conflict.columns(['kind', 'key']);
      if (once) return same.doNothing();
      return same.doUpdateSet((eb) => ({ ...columns, revision: eb('tasks.revision', '+', 1) }));
    })
    .execute();
  wroteTo(tx, 'tasks');
}

/** Cancels a task. A run that is under way goes on to the end, and no further run follows. */
export async function cancel(tx: Store, { kind, key }: Pick<Task, 'kind' | 'key'>): Promise<void> {
  // The row stays until a run that is under way has ended, so that no new task with this key runs beside that run.
  await tx
    .updateTable('tasks')
    .set((eb) => ({ run_at: null, revision: eb('revision', '+', 1) }))
    .where('kind', '=', kind)
    .where('key', '=', key)
    .execute();
  wroteTo(tx, 'tasks');
}
