import { LRUCache } from 'lru-cache';
import type { Invocation } from '../chat/port.ts';
import { type Clock, steadyNow } from '../clock.ts';
import { type AppError, RefusedError } from '../errors.ts';

/** How long a request counts against its person, in milliseconds. */
const COUNT_MS = 10_000;
/**
 * How many ids of requests are remembered, so that repeated requests are recognised. Platforms repeat a request within
 * minutes.
 */
const REMEMBERED = 10_000;

export interface PerPerson {
  /**
   * How many requests within ten seconds are carried out at once. Further requests wait for their turn. 0 means no
   * limit.
   */
  readonly requests: number;
  /** How many requests may wait. Further requests are refused. 0 means no limit. */
  readonly waiting: number;
}

type Work = (wait?: Promise<void>) => Promise<void>;

interface Asker {
  /** When the latest requests came, by the steady clock. The list holds at most `requests` + 1 times. */
  times: number[];
  readonly queue: PromiseWithResolvers<void>[];
  /** The request that had to wait and is being carried out now. */
  current?: PromiseWithResolvers<void> | undefined;
  /** Whether the person already knows that requests are being refused. */
  told: boolean;
}

/**
 * Keeps a single person from using up the bot and Edgegap's rate limits. If a person asks too much, the person's
 * further requests are carried out one at a time, and the requests of other people come first.
 */
export function createFairShare({ requests, waiting }: PerPerson, clock: Clock) {
  /** The askers. The key consists of the platform, the workspace and the person's id. The latest asker comes last. */
  const askers = new Map<string, Asker>();
  /** The ids of the requests that were counted. A repeated request does not count again. */
  const taken = new LRUCache<string, true>({ max: REMEMBERED });

  /** Counts a request of the asker, and forgets the askers without a recent request. */
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
     * Calls `work`. If `work` gets a promise, `work` may only acknowledge the request until the promise resolves.
     * Throws if the request is refused. There is an exception: if the person has already been told of a refusal, and
     * the platform needs no answer to this request, `take` calls `drop` instead of throwing.
     */
    async take(invocation: Invocation, work: Work, drop: (reason: RefusedError) => Promise<void>) {
      const { id, at, meanwhile } = invocation;
      // A form that stays open after a mistake can be submitted again and again, and all its submissions have one id.
      const isForm = invocation.request.kind === 'form';
      if (requests === 0 || (taken.has(id) && !isForm)) return await work();
      const person = meanwhile?.askerId ?? (await invocation.person('cached')).id;
      const asker = askerOf(JSON.stringify([at.platform, at.workspace, person]));
      const [first = 0] = asker.times;
      const hasty = asker.times.length > requests && steadyNow(clock) - first < COUNT_MS;
      asker.told &&= hasty;
      if (hasty && waiting > 0 && asker.queue.length >= waiting) {
        // A form would close, and the person would lose the values.
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
  // If the request has already ended, it no longer awaits its turn. A rejection is then no fault, and is ignored.
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
