import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.ts';
import { Membership } from '../../src/replicas/membership.ts';
import type { Store } from '../../src/store/schema.ts';
import { type Again, type Due, schedule, type TaskKind } from '../../src/work/task.ts';
import { TaskWorker } from '../../src/work/worker.ts';
import { freshStore, suiteDatabase } from '../support/databases.ts';
import { TestClock } from '../support/test-clock.ts';

export const shared = suiteDatabase === 'postgres';

/** A run that is in progress. The test decides when the run ends. */
export interface Run extends Due {
  /** The name of the process that runs the task. */
  readonly by: string;
  end(again?: Again): void;
  fail(error: Error): void;
}

export interface Office {
  readonly clock: TestClock;
  readonly store: Store;
  readonly log: string[];
  /** All runs of all processes so far, oldest first. */
  readonly runs: Run[];
  /** Starts a process. The test decides when a run of a task `remind` ends. */
  process(name: string, options?: ProcessOptions): Promise<Process>;
  /** Schedules the task `remind` with this key for a run in `inMs` milliseconds. */
  remind(key: string, inMs: number, payload?: unknown): Promise<void>;
  rows(): Promise<{ key: string; run_at: number | null; failures: number; holder: string | null }[]>;
}

interface ProcessOptions {
  readonly clock?: Clock;
  readonly heart?: Clock;
  readonly kinds?: readonly TaskKind[];
}

export interface Process {
  readonly worker: TaskWorker;
  readonly membership: Membership;
  /** Kills the process like kill -9. The process stops working, and the other processes notice its death. */
  die(): Promise<void>;
}

/** Opens tasks on the database type of this run, with a clock that only the test moves. */
export async function openOffice(): Promise<Office> {
  const clock = new TestClock();
  const store = await freshStore(clock);
  const log: string[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void log.push(line) });
  const runs: Run[] = [];
  const remind = (name: string): TaskKind => ({
    kind: 'remind',
    run(due) {
      const { promise, resolve, reject } = Promise.withResolvers<Again | undefined>();
      due.signal.addEventListener('abort', () => reject(due.signal.reason));
      runs.push({ ...due, by: name, end: resolve, fail: reject });
      return promise;
    },
  });
  return {
    clock,
    store,
    log,
    runs,
    async process(name, { clock: own = clock, heart = systemClock, kinds = [remind(name)] } = {}) {
      const membership = new Membership({ store, shared, clock: heart, log: logger });
      await membership.join();
      const worker = new TaskWorker({ store, membership, account: 'a', kinds, clock: own, log: logger });
      await worker.start();
      let dead = false;
      onTestFinished(async () => {
        await worker.stop();
        if (!dead) await membership.leave();
      });
      return {
        worker,
        membership,
        async die() {
          dead = true;
          await membership.leave();
        },
      };
    },
    async remind(key, inMs, payload) {
      await schedule(store, clock, { kind: 'remind', key, account: 'a', at: clock.now() + inMs, payload });
    },
    rows: () =>
      store.selectFrom('tasks').select(['key', 'run_at', 'failures', 'holder']).orderBy('key').execute(),
  };
}
