import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Found, LogSearch } from '../log/search.ts';
import type { Logger } from '../log.ts';
import { createThread } from '../thread.ts';

/**
 * The maximum number of characters that are searched, counted from the end of the log. Masking takes about a second for
 * two million characters.
 */
const MOST = 2_097_152;
/** The time limit of a search. If a search takes longer, its pattern is too expensive. */
const PATIENCE_MS = 30_000;

export interface LogSearches {
  /** Finds the newest matching lines. Throws AppError `search-failed` if the search fails or takes too long. */
  search(wanted: LogSearch): Promise<Found>;
  /** Ends the thread. Searches in progress fail. */
  stop(): Promise<void>;
}

/** Searches logs in a separate thread, because a person can enter a pattern that takes long. */
export function createLogSearches({
  clock,
  log,
}: {
  readonly clock: Clock;
  readonly log: Logger;
}): LogSearches {
  const thread = createThread<LogSearch, Found>({
    script: new URL('./search-worker.ts', import.meta.url),
    patienceMs: PATIENCE_MS,
    failed: (reason) =>
      new AppError('search-failed', 'I could not search the log: the search took too long.', {
        hint: 'Use a simpler pattern, or a text without slashes.',
        cause: new Error(reason),
      }),
    broken: 'log: the thread that searches logs failed',
    clock,
    log,
  });
  return {
    async search(wanted) {
      const whole = wanted.log;
      const cut =
        whole.length <= MOST ? 0 : whole.indexOf('\n', whole.length - MOST) + 1 || whole.length - MOST;
      const found = await thread.run({ ...wanted, log: whole.slice(cut) });
      return { ...found, isComplete: found.isComplete && cut === 0 };
    },
    stop: () => thread.stop(),
  };
}
