import { setImmediate as nextTurn } from 'node:timers/promises';
import { together } from '../store/together.ts';

/** The maximum number of starts and ends of invocations that the bot stores in a single run. */
const AT_ONCE = 250;
/**
 * The pause after a run is this many times as long as the run. With this pause, storing takes at most a fifth of the
 * time. A commit can block the whole process, so storing must leave time for other work.
 */
const REST = 4;

/** How an invocation ended. */
export type End = 'done' | 'failed';

interface ReadStepsParts<Read> {
  /** Stores the invocations. Resolves with the ids of the invocations that were not stored before. */
  insertAll(reads: readonly Read[]): Promise<Set<string>>;
  end(ids: readonly string[], state: End): Promise<void>;
}

/**
 * Stores the starts and ends of "reads": invocations that change nothing. Starts and ends that arrive at about the same
 * time are stored together.
 */
export function createReadSteps<Read extends { readonly id: string }>({
  insertAll,
  end,
}: ReadStepsParts<Read>) {
  type Step = { readonly begins: Read } | { readonly id: string; readonly ends: End };
  /** Resolves when the invocation that called `turn` last may continue. */
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
    /** Stores the start of an invocation. Resolves with false if the invocation was stored before. */
    begin: (read: Read) => store({ begins: read }),
    /**
     * Resolves when a stored invocation may continue. Invocations that were stored together continue one after another,
     * each in a separate iteration of the event loop. Between two iterations, the process can send the acknowledgements
     * of other requests.
     */
    async turn(): Promise<void> {
      last = last.then(() => nextTurn());
      await last;
    },
    async end(id: string, state: End): Promise<void> {
      await store({ id, ends: state });
    },
  };
}
