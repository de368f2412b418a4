import type { Clock } from '../clock.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createThread } from '../thread.ts';
import type { Look, LookJob } from './look.ts';

/**
 * The time limit for one reading, including the wait for the worker thread. Reading a log of 32 MiB takes about two
 * seconds, and other readings may come first.
 */
const PATIENCE_MS = 60_000;
/** All followers of a log share an answer from Edgegap for this long. */
const FRESH_MS = 1_000;

/**
 * A job of the thread. The first job for an answer from Edgegap contains the bytes of the answer. Later jobs contain
 * only the number of the `call`.
 */
export type ReaderJob =
  | (Omit<LookJob, 'log'> & { readonly call: number; readonly bytes: ArrayBuffer | undefined })
  | { readonly call: number; readonly forget: true };

/** The answer to a call. `bytes` is undefined after the thread has received the bytes. */
interface Answer {
  readonly call: number;
  bytes: ArrayBuffer | undefined;
}

/** The log that a follower reads. */
export interface Source {
  readonly account: string;
  readonly api: Pick<EdgegapApi, 'logBytes'>;
  readonly request_id: string;
  readonly signal: AbortSignal;
}

export interface Reader {
  /**
   * Requests the log from Edgegap and finds the new lines. Throws EdgegapError, or AppError with the code
   * `log-unreadable`.
   */
  look(source: Source, job: Omit<LookJob, 'log'>): Promise<Look>;
  stop(): Promise<void>;
}

/**
 * Creates a reader, which reads logs in a separate thread. Several readings of the same log within a short time share
 * one call to Edgegap.
 */
export function createReader(parts: {
  readonly clock: Clock;
  /** The machine's own clock, which measures the time limit of the thread. */
  readonly realClock: Clock;
  readonly log: Logger;
}): Reader {
  const { clock, realClock, log } = parts;
  const calls = new Map<string, Promise<Answer>>();
  const timers = new Set<() => void>();
  let count = 0;
  let stopped = false;
  const thread = createThread<ReaderJob, Look>({
    script: new URL('./worker.ts', import.meta.url),
    patienceMs: PATIENCE_MS,
    failed: (reason) =>
      new AppError('log-unreadable', 'I could not read the log.', { cause: new Error(reason) }),
    broken: 'tail: the thread that reads logs failed',
    clock: realClock,
    log,
  });

  function ask({ account, api, request_id, signal }: Source): Promise<Answer> {
    const key = `${account} ${request_id}`;
    const under = calls.get(key);
    if (under) return under;
    const call = count++;
    const asked = api.logBytes(request_id, { lane: 'background', signal }).then((bytes) => ({ call, bytes }));
    calls.set(key, asked);
    const forget = () => calls.delete(key);
    asked.then(
      () =>
        later(() => {
          forget();
          thread.run({ call, forget: true }).catch(() => undefined);
        }),
      () => later(forget),
    );
    return asked;
  }

  function later(forget: () => void): void {
    if (stopped) return;
    const cancel = clock.after(FRESH_MS, () => {
      timers.delete(cancel);
      forget();
    });
    timers.add(cancel);
  }

  return {
    async look(source, job) {
      const answer = await ask(source);
      const { call, bytes } = answer;
      answer.bytes = undefined;
      return await thread.run({ ...job, call, bytes }, bytes ? [bytes] : []);
    },
    async stop() {
      stopped = true;
      for (const cancel of timers) cancel();
      await thread.stop();
    },
  };
}
