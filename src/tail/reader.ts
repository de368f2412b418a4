import type { Clock } from '../clock.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createThread } from '../thread.ts';
import type { Look, LookJob } from './look.ts';

/** A look at a log of 32 MiB takes about two seconds, and several looks may wait for the thread. */
const PATIENCE_MS = 60_000;
/** For this long an answer serves all who follow the same log. */
const FRESH_MS = 1_000;

/** A log to look at. */
export interface Source {
  readonly account: string;
  readonly api: Pick<EdgegapApi, 'logBytes'>;
  readonly request_id: string;
  readonly signal: AbortSignal;
}

export interface Reader {
  /** Asks for the log and finds the new lines. Throws EdgegapError, and AppError `log-unreadable`. */
  look(source: Source, job: Omit<LookJob, 'bytes'>): Promise<Look>;
  stop(): Promise<void>;
}

/** Reads logs in a thread of its own. Looks at the same log at about the same time cost one call to Edgegap. */
export function createReader(parts: {
  readonly clock: Clock;
  /** The machine's own clock, for the thread. */
  readonly realClock: Clock;
  readonly log: Logger;
}): Reader {
  const { clock, realClock, log } = parts;
  const calls = new Map<string, Promise<Uint8Array>>();
  const thread = createThread<LookJob, Look>({
    script: new URL('./worker.ts', import.meta.url),
    patienceMs: PATIENCE_MS,
    failed: (reason) =>
      new AppError('log-unreadable', 'I could not read the log.', { cause: new Error(reason) }),
    broken: 'tail: the thread that reads logs failed',
    clock: realClock,
    log,
  });

  function ask({ account, api, request_id, signal }: Source): Promise<Uint8Array> {
    const key = `${account} ${request_id}`;
    const under = calls.get(key);
    if (under) return under;
    const call = api.logBytes(request_id, { lane: 'background', signal });
    calls.set(key, call);
    const forget = () => clock.after(FRESH_MS, () => void calls.delete(key));
    call.then(forget, forget);
    return call;
  }

  return {
    look: async (source, job) => await thread.run({ ...job, bytes: await ask(source) }),
    stop: () => thread.stop(),
  };
}
