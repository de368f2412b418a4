import { LRUCache } from 'lru-cache';
import type { Invocation } from '../chat/port.ts';
import { type Clock, steadyNow } from '../clock.ts';
import { type AppError, RefusedError } from '../errors.ts';

/** How long a request counts towards the limit of the person, in milliseconds. */
const COUNT_MS = 10_000;
/**
 * The number of request ids that the bot remembers to recognise repeated requests. Platforms repeat a request within
 * minutes.
 */
const REMEMBERED = 10_000;

export interface PerPerson {
  /**
   * The number of requests within ten seconds that need not wait. Further requests wait in a queue. 0 means no limit.
   */
  readonly requests: number;
  /** The maximum number of waiting requests. The bot refuses further requests. 0 means no limit. */
  readonly waiting: number;
}

type Work = (wait?: Promise<void>) => Promise<void>;

interface Asker {
  /** The times of the latest requests, by the steady clock. The list holds at most `requests` + 1 times. */
  times: number[];
  readonly queue: PromiseWithResolvers<void>[];
  /** The request that has left the queue and that the bot carries out now. */
  current?: PromiseWithResolvers<void> | undefined;
  /** Whether the bot has told the person that requests are being refused. */
  told: boolean;
}

/**
 * Limits the requests of each person, so that a single person cannot use up the bot's time and Edgegap's rate limits.
 * If a person sends too many requests, the bot carries out the further requests one at a time.
 */
export function createFairShare({ requests, waiting }: PerPerson, clock: Clock) {
  /**
   * The people who sent requests recently. The key consists of the platform, the workspace and the person's id. The
   * person with the latest request comes last.
   */
  const askers = new Map<string, Asker>();
  /** The ids of the requests that were counted. A request that the platform repeats does not count again. */
  const taken = new LRUCache<string, true>({ max: REMEMBERED });

  /** Counts a request of this person, and deletes the people without a recent request from `askers`. */
  function askerOf(key: string): Asker {
    const now = steadyNow(clock);
    for (const [other, { times, current }] of askers) {
      if (now - (times.at(-1) ?? 0) < COUNT_MS) break;
      if (!current) askers.delete(other);
    }
    const asker = askers.get(key) ?? { times: [], queue: [], told: false };
    asker.times = [...asker.times, now].slice(-requests - 1);
    askers.delete(key);
    askers.set(key, asker);
    return asker;
  }

  return {
    /**
     * Calls `work`. If `work` gets a promise, `work` carries out the request after the promise has resolved. Until
     * then, `work` may acknowledge the request. Throws RefusedError if too many requests wait. After the first refusal,
     * calls `drop` instead of throwing if the platform needs no answer.
     */
    async take(invocation: Invocation, work: Work, drop: (reason: RefusedError) => Promise<void>) {
      const { id, at, meanwhile } = invocation;
      // A form that stays open after an error can be submitted many times. All these submissions have the same id.
      const isForm = invocation.request.kind === 'form';
      if (requests === 0 || (taken.has(id) && !isForm)) return await work();
      const person = meanwhile?.askerId ?? (await invocation.person('cached')).id;
      const asker = askerOf(JSON.stringify([at.platform, at.workspace, person]));
      const [first = 0] = asker.times;
      const hasty = asker.times.length > requests && steadyNow(clock) - first < COUNT_MS;
      asker.told &&= hasty;
      if (hasty && waiting > 0 && asker.queue.length >= waiting) {
        // A form without an answer would close, and the person would lose the values.
        if (asker.told && invocation.maySkip && !isForm) return await drop(tooMany(waiting));
        asker.told = true;
        throw tooMany(waiting);
      }
      taken.set(id, true);
      await (hasty ? inTurn(asker, work) : work());
    },
    /** Refuses all waiting requests with `reason`. */
    close(reason: AppError): void {
      for (const { queue } of askers.values()) for (const waiting of queue.splice(0)) waiting.reject(reason);
    },
  };
}

async function inTurn(asker: Asker, work: Work): Promise<void> {
  const own = Promise.withResolvers<void>();
  // A request that has already ended does not await this promise, so a rejection of the promise is ignored.
  own.promise.catch(() => undefined);
  asker.queue.push(own);
  next(asker);
  try {
    await work(asker.current === own ? undefined : own.promise);
  } finally {
    const place = asker.queue.indexOf(own);
    if (place >= 0) asker.queue.splice(place, 1);
    if (asker.current === own) asker.current = undefined;
    next(asker);
  }
}

function next(asker: Asker): void {
  asker.current ??= asker.queue.shift();
  asker.current?.resolve();
}

function tooMany(waiting: number): RefusedError {
  return new RefusedError(
    'too-many-waiting',
    `${waiting} of your requests wait already, so I refused this request.`,
    {
      hint: 'Nothing was done. Wait for the answers before you send more requests: until then I may refuse without a word.',
      later: true,
    },
  );
}
