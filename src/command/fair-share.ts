import { LRUCache } from 'lru-cache';
import type { Invocation } from '../chat/port.ts';
import { type Clock, steadyNow } from '../clock.ts';
import { type AppError, RefusedError } from '../errors.ts';

/** How long a request counts, in milliseconds. */
const COUNT_MS = 10_000;
/** How many ids of requests are remembered: platforms deliver a request again within minutes. */
const REMEMBERED = 10_000;

export interface PerPerson {
  /** So many requests within ten seconds are carried out at once, any more one after another; 0: all at once. */
  readonly requests: number;
  /** So many may wait, any more are refused; 0: all may. */
  readonly waiting: number;
}

type Work = (wait?: Promise<void>) => Promise<void>;

interface Asker {
  /** When the last requests came, by steady time: one more than are carried out at once. */
  times: number[];
  readonly queue: PromiseWithResolvers<void>[];
  /** Of those that had to wait, the one that is carried out now. */
  current?: PromiseWithResolvers<void> | undefined;
  told: boolean;
}

/**
 * Keeps one person from using up the bot and Edgegap's rate limits: the requests of a person who asks too much are
 * carried out one at a time, so that other people's requests come before the rest.
 */
export function createFairShare({ requests, waiting }: PerPerson, clock: Clock) {
  /** By platform, workspace and person's id; the person who asked last comes last. */
  const askers = new Map<string, Asker>();
  /** Ids of requests: a request that is delivered again does not count again. */
  const taken = new LRUCache<string, true>({ max: REMEMBERED });

  /** Counts the request that came, and forgets the people who have been quiet. */
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
     * Has `work` done, which may only acknowledge until `wait` resolves. Throws where the request is refused; where its
     * person was told so already, and the platform shows nothing amiss without an answer, `drop` is called instead.
     */
    async take(invocation: Invocation, work: Work, drop: (reason: RefusedError) => Promise<void>) {
      const { id, at, meanwhile } = invocation;
      if (requests === 0 || taken.has(id)) return await work();
      const person = meanwhile?.askerId ?? (await invocation.person('cached')).id;
      const asker = askerOf(JSON.stringify([at.platform, at.workspace, person]));
      const [first = 0] = asker.times;
      const hasty = asker.times.length > requests && steadyNow(clock) - first < COUNT_MS;
      asker.told &&= hasty;
      if (hasty && waiting > 0 && asker.queue.length >= waiting) {
        if (asker.told && invocation.maySkip) return await drop(tooMany(waiting));
        asker.told = true;
        throw tooMany(waiting);
      }
      taken.set(id, true);
      await (hasty ? inTurn(asker, work) : work());
    },
    /** The people whose requests wait are told `reason` instead. */
    close(reason: AppError): void {
      for (const { queue } of askers.values()) for (const waiting of queue.splice(0)) waiting.reject(reason);
    },
  };
}

async function inTurn(asker: Asker, work: Work): Promise<void> {
  const own = Promise.withResolvers<void>();
  // Its request may have ended for another reason by then.
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
    `${waiting} of your requests wait already; this one was refused.`,
    {
      hint: 'Nothing was done for it. Wait for the answers before you send more: until then I may refuse without a word.',
    },
  );
}
