import { setImmediate as nextTurn } from 'node:timers/promises';
import { together } from '../store/together.ts';
import type { End, InvocationRecord } from './invocations.ts';

/** The largest number of begins and ends that are stored in a single run. */
const AT_ONCE = 250;
/**
 * The pause after a run is this many times as long as the run. So storing takes at most a tenth of the time. This
 * matters because a commit can block the whole process.
 */
const REST = 9;

type Step = { readonly begins: InvocationRecord } | { readonly id: string; readonly ends: End };

interface ReadStepsParts {
  /** Stores the invocations. Resolves with the ids of the invocations that were not stored before. */
  insertAll(records: readonly InvocationRecord[]): Promise<Set<string>>;
  end(ids: readonly string[], state: End): Promise<void>;
}

/**
 * Stores the begins and ends of invocations that only read. Begins and ends that come at about the same time are stored
 * together.
 */
export function createReadSteps({ insertAll, end }: ReadStepsParts) {
  /** Resolves when the read that was stored last may go on. */
  let last = Promise.resolve();

  const store = together<Step, boolean>(
    async (steps) => {
      const [taken] = await Promise.all([
        insertAll(steps.flatMap((step) => ('begins' in step ? step.begins : []))),
        ...(['done', 'failed'] as const).map((state) => {
          const ids = steps.flatMap((step) => ('ends' in step && step.ends === state ? step.id : []));
          return end(ids, state);
        }),
      ]);
      // If the same invocation arrives twice at the same time, only the first request takes effect.
      return steps.map((step) => 'begins' in step && taken.delete(step.begins.id));
    },
    AT_ONCE,
    { rest: REST },
  );

  return {
    /** Resolves with false if the invocation was stored before. */
    async begin(record: InvocationRecord): Promise<boolean> {
      const taken = await store({ begins: record });
      // Reads that were stored together go on one after the other, each in its own turn of the event loop. So the
      // acknowledgements of other requests can leave in between.
      last = last.then(() => nextTurn());
      await last;
      return taken;
    },
    async end(id: string, state: End): Promise<void> {
      await store({ id, ends: state });
    },
  };
}
