import type { ExpressionBuilder, Selectable } from 'kysely';
import { type Clock, farthest, sleep } from '../clock.ts';
import type { Logger } from '../log.ts';
import { createLoop, type Loop } from '../loop.ts';
import type { Membership } from '../replicas/membership.ts';
import { type Database, passingOverLocked, type Store, type TasksTable } from '../store/schema.ts';
import { afterWritesTo } from '../store/transact.ts';
import { schedule, type TaskKind } from './task.ts';

/** How often a process looks for tasks of dead processes. */
const LOOK_MS = 5_000;
/**
 * The maximum of a random addition to the pause. The addition prevents all processes from polling at the same moment.
 */
const JITTER_MS = 2_000;
/** The pause after the store failed. */
const RETRY_MS = 1_000;
/** The maximum number of concurrent tasks of a process. */
const AT_ONCE = 50;
/** The pause before the retry of a failed task. The pause doubles with each failure. */
const AGAIN_MS = 5_000;
const AGAIN_MAX_MS = 60 * 60_000;

type Row = Selectable<TasksTable>;
type Tasks = ExpressionBuilder<Database, 'tasks'>;
type Outcome = Partial<Row>;

export interface TaskWorkerParts {
  readonly store: Store;
  readonly membership: Membership;
  readonly account: string;
  readonly kinds: readonly TaskKind[];
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Runs the tasks that are due. Only one process at a time runs a task. Tasks of a type that this version of the bot
 * does not know are ignored.
 */
export class TaskWorker {
  readonly #parts: TaskWorkerParts;
  readonly #kinds: ReadonlyMap<string, TaskKind>;
  readonly #loop: Loop;
  readonly #running = new Map<string, Promise<void>>();
  /** Aborted when this process may no longer use its claims. */
  #hold = new AbortController();
  #stopped = false;

  constructor(parts: TaskWorkerParts) {
    this.#parts = parts;
    this.#kinds = new Map(parts.kinds.map((kind) => [kind.kind, kind]));
    this.#loop = createLoop({
      clock: parts.clock,
      every: LOOK_MS,
      jitter: JITTER_MS,
      run: () => this.#look(),
      failed: (err) => parts.log.error({ err }, 'work: the tasks that are due cannot be read'),
    });
    afterWritesTo(parts.store, 'tasks', () => this.#loop.wake());
    parts.membership.onDoubt(() => this.#letGo());
  }

  async start(): Promise<void> {
    const { store, clock, account } = this.#parts;
    for (const { kind, standing = [] } of this.#kinds.values())
      for (const key of standing)
        await schedule(store, clock, { kind, key, account, at: clock.now() }, { once: true });
    this.#loop.start();
    this.#loop.wake();
  }

  /** Resolves when no task is running. Interrupted tasks run again in another process, or at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#hold.abort();
    await this.#loop.stop();
    await Promise.all(this.#running.values());
  }

  #letGo(): void {
    this.#hold.abort();
    if (!this.#stopped) this.#hold = new AbortController();
  }

  /** Starts the tasks that are due. Resolves with the milliseconds until the next task is due. */
  async #look(): Promise<number> {
    const { store, clock, membership } = this.#parts;
    if (membership.isCertain()) for (const row of await this.#claim()) this.#begin(row);
    // Deletes the tasks that are done or cancelled.
    await store
      .deleteFrom('tasks')
      .where('run_at', 'is', null)
      .where((eb) => membership.gone(eb.ref('tasks.holder')))
      .execute();
    const { at } = await store
      .selectFrom('tasks')
      .select((eb) => eb.fn.min('run_at').as('at'))
      .where('kind', 'in', [...this.#kinds.keys()])
      .where('holder', 'is', null)
      .executeTakeFirstOrThrow();
    const ms = (at ?? Number.POSITIVE_INFINITY) - clock.now();
    // A due task cannot always be claimed, for example because too many tasks are running. Without this pause, the loop
    // would poll again and again.
    return ms > 0 ? ms : RETRY_MS;
  }

  async #claim(): Promise<readonly Row[]> {
    const { store, membership } = this.#parts;
    const now = this.#parts.clock.now();
    const isFree = ({ and, or, eb, ref }: Tasks) =>
      and([
        eb('kind', 'in', [...this.#kinds.keys()]),
        eb('run_at', 'is not', null),
        or([eb('run_at', '<=', now), eb('written_at', '>', farthest(now))]),
        membership.gone(ref('tasks.holder')),
      ]);
    const due = store.selectFrom('tasks').select(['kind', 'key']).where(isFree).orderBy('run_at');
    return await store
      // Without `materialized`, PostgreSQL may run the inner query several times and lock different rows each time.
      .with(
        (cte) => cte('due').materialized(),
        () => passingOverLocked(due.limit(AT_ONCE - this.#running.size), store),
      )
      .updateTable('tasks')
      .set({ holder: membership.id })
      .where(({ eb, refTuple, selectFrom }) =>
        eb(
          refTuple('kind', 'key'),
          'in',
          selectFrom('due').select(['due.kind', 'due.key']).$asTuple('kind', 'key'),
        ),
      )
      // The condition is repeated, because another process may have claimed the row while this statement waited for the
      // row's lock.
      .where(isFree)
      .returningAll()
      .execute();
  }

  #begin(row: Row): void {
    const id = JSON.stringify([row.kind, row.key]);
    // If this process was uncertain of its claims, other processes may have finished the task and scheduled a new run.
    // The earlier run may still be ending in this process, so the new run waits for it.
    const before = this.#running.get(id);
    const run = this.#run(row, this.#hold.signal, before).finally(() => {
      if (this.#running.get(id) === run) this.#running.delete(id);
      this.#loop.wake();
    });
    this.#running.set(id, run);
  }

  async #run(row: Row, signal: AbortSignal, before?: Promise<void>): Promise<void> {
    await before;
    const { clock, log } = this.#parts;
    const { kind, key } = row;
    const outcome = await this.#outcome(row, signal);
    for (;;) {
      try {
        return await this.#record(row, outcome);
      } catch (err) {
        // If this process is stopping, its claim ends soon, and another process then takes the task.
        if (this.#stopped) return;
        log.error({ err, kind, key }, 'work: the end of a task could not be stored');
        await sleep(clock, RETRY_MS, this.#hold.signal).catch(() => undefined);
      }
    }
  }

  async #outcome({ kind, key, account, ...row }: Row, signal: AbortSignal): Promise<Outcome> {
    const { clock, log } = this.#parts;
    const inMs = (ms: number) => ({ run_at: clock.now() + ms, written_at: clock.now() });
    // If a clock that was hours ahead wrote the row, `run_at` is wrong. The original wait then starts again now.
    if (row.written_at > farthest(clock.now())) return inMs((row.run_at ?? 0) - row.written_at);
    if (signal.aborted) return {};
    try {
      const payload = row.payload_json === null ? undefined : JSON.parse(row.payload_json);
      const again = await this.#kinds.get(kind)?.run({ key, account, payload, signal });
      if (again === undefined) return { run_at: null };
      const changed = again.payload === undefined ? {} : { payload_json: JSON.stringify(again.payload) };
      return { ...inMs(again.inMs), failures: 0, ...changed };
    } catch (err) {
      if (signal.aborted) return {};
      const failures = row.failures + 1;
      const retryMs = Math.min(AGAIN_MS * 2 ** row.failures, AGAIN_MAX_MS);
      log.error({ err, kind, key, failures, retryMs }, 'work: a task failed, and is tried again');
      return { ...inMs(retryMs), failures };
    }
  }

  /**
   * Stores the outcome of a run. If the task was scheduled again or cancelled during the run, only the claim is
   * released.
   */
  async #record({ kind, key, revision }: Row, outcome: Outcome): Promise<void> {
    const { store, membership } = this.#parts;
    const ours = store
      .updateTable('tasks')
      .where('kind', '=', kind)
      .where('key', '=', key)
      .where('holder', '=', membership.id);
    const { numUpdatedRows } = await ours
      .set({ ...outcome, holder: null })
      .where('revision', '=', revision)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) await ours.set({ holder: null }).where('revision', '!=', revision).execute();
  }
}
