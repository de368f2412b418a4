import type { Clock } from '../clock.ts';
import type { Store } from '../store/schema.ts';
import { wroteTo } from '../store/transact.ts';

/** A task that must run now. */
export interface Due {
  readonly key: string;
  readonly account: string;
  readonly payload: unknown;
  /**
   * Aborted when the process stops, or when it may no longer use its claims. The run should then end early, and another
   * process continues the task.
   */
  readonly signal: AbortSignal;
}

/** Requests another run after `inMs` milliseconds. Without a new payload, the task keeps its payload. */
export interface Again {
  readonly inMs: number;
  readonly payload?: unknown;
}

/**
 * The code that runs all tasks of one type. Each type has its code in the folder that needs the tasks, and `app` passes
 * the code to the worker.
 */
export interface TaskKind {
  readonly kind: string;
  /** The keys of permanent tasks. They are created at the first start. */
  readonly standing?: readonly string[];
  /**
   * Resolves with undefined when the task is done. A run may happen twice, so everything that it does must be safe to
   * repeat. If a run rejects or its process dies, the task runs again later.
   */
  run(due: Due): Promise<Again | undefined>;
}

/** A task for the future. `kind` and `key` together identify the task. */
export interface Task {
  readonly kind: string;
  readonly key: string;
  readonly account: string;
  /** The time of the run in epoch milliseconds. */
  readonly at: number;
  readonly payload?: unknown;
}

/**
 * Writes a task in the transaction `tx`. The task replaces an earlier task with the same key. If the earlier task is
 * running, the new task starts only after that run. With `once`, an existing task stays, the new task is not written,
 * and the result is false.
 */
export async function schedule(tx: Store, clock: Clock, task: Task, { once = false } = {}): Promise<boolean> {
  const { kind, key, account, at, payload } = task;
  const payload_json = payload === undefined ? null : JSON.stringify(payload);
  const columns = { account, run_at: at, written_at: clock.now(), payload_json, failures: 0 };
  const { numInsertedOrUpdatedRows = 0n } = await tx
    .insertInto('tasks')
    .values({ kind, key, ...columns, revision: 0 })
    .onConflict((conflict) => {
      const same = conflict.columns(['kind', 'key']);
      if (once) return same.doNothing();
      return same.doUpdateSet((eb) => ({ ...columns, revision: eb('tasks.revision', '+', 1) }));
    })
    .executeTakeFirst();
  wroteTo(tx, 'tasks');
  return numInsertedOrUpdatedRows > 0n;
}

type Named = Pick<Task, 'kind' | 'key'>;

/** The payload of a task that is scheduled or running. Undefined if there is no such task. */
export async function payloadOf(store: Store, { kind, key }: Named): Promise<unknown> {
  const row = await store
    .selectFrom('tasks')
    .select('payload_json')
    .where('kind', '=', kind)
    .where('key', '=', key)
    .where('run_at', 'is not', null)
    .executeTakeFirst();
  return row && JSON.parse(row.payload_json ?? 'null');
}

/** Works like `payloadOf`, and locks the task until the transaction ends. An update locks on every database. */
export async function lockTask(tx: Store, { kind, key }: Named): Promise<unknown> {
  const row = await tx
    .updateTable('tasks')
    .set((eb) => ({ revision: eb.ref('revision') }))
    .where('kind', '=', kind)
    .where('key', '=', key)
    .where('run_at', 'is not', null)
    .returning('payload_json')
    .executeTakeFirst();
  return row && JSON.parse(row.payload_json ?? 'null');
}

/** Replaces the payload of a task, even during its run. */
export async function setPayload(tx: Store, { kind, key }: Named, payload: unknown): Promise<void> {
  const ours = tx.updateTable('tasks').where('kind', '=', kind).where('key', '=', key);
  await ours.set({ payload_json: JSON.stringify(payload) }).execute();
}

/** Cancels a task. A run in progress finishes, but no further run follows. */
export async function cancel(tx: Store, { kind, key }: Named): Promise<void> {
  // The row is not deleted during a run. Otherwise a new task with the same key could run at the same time.
  await tx
    .updateTable('tasks')
    .set((eb) => ({ run_at: null, revision: eb('revision', '+', 1) }))
    .where('kind', '=', kind)
    .where('key', '=', key)
    .execute();
  wroteTo(tx, 'tasks');
}
