import type { Invocation } from '../chat/port.ts';
import { type Clock, steadyNow } from '../clock.ts';
import { type AppError, RefusedError } from '../errors.ts';

/** A request counts for so long, in milliseconds. */
const COUNT_MS = 10_000;
/** Platforms deliver a request again within minutes. */
const REMEMBERED = 10_000;

export interface PerPerson {
  /** So many requests within ten seconds are carried out at once, any more one after another; 0: all at once. */
  readonly requests: number;
  /** So many may wait, any more are refused; 0: all may. */
  readonly waiting: number;
}

interface Asker {
  /** When the last requests came, by steady time: one more than are carried out at once. */
  times: number[];
  readonly queue: PromiseWithResolvers<void>[];
  /** Of those that had to wait, the one that is carried out now. */
  current?: PromiseWithResolvers<void> | undefined;
  told: boolean;
}

/**
 * Keeps one person from taking all there is of the bot and of Edgegap's rate limits: who asks too much has one request
 * at a time carried out, so that everybody else's get there before the rest.
 */
export class FairShare {
  readonly #limits: PerPerson;
  readonly #clock: Clock;
  /** By platform, workspace and id; whoever asked last comes last. */
  readonly #askers = new Map<string, Asker>();
  /** Ids of requests: what is delivered again is no further request. */
  readonly #taken = new Set<string>();

  constructor(limits: PerPerson, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * Has `work` done, which may only acknowledge until `wait` resolves. Throws where the request is refused; where its
   * person was told so already, and the platform shows nothing amiss without an answer, `drop` is called instead.
   */
  async take(
    invocation: Invocation,
    work: (wait?: Promise<void>) => Promise<void>,
    drop: (reason: RefusedError) => Promise<void>,
  ): Promise<void> {
    const { requests, waiting } = this.#limits;
    const { id, at, meanwhile } = invocation;
    if (requests === 0 || this.#taken.has(id)) return await work();
    const person = meanwhile?.askerId ?? (await invocation.person('cached')).id;
    const asker = this.#asker(JSON.stringify([at.platform, at.workspace, person]));
    const [first = 0] = asker.times;
    const hasty = asker.times.length > requests && steadyNow(this.#clock) - first < COUNT_MS;
    asker.told &&= hasty;
    if (hasty && waiting > 0 && asker.queue.length >= waiting) {
      if (asker.told && invocation.maySkip) return await drop(tooMany(waiting));
      asker.told = true;
      throw tooMany(waiting);
    }
    this.#remember(id);
    await (hasty ? inTurn(asker, work) : work());
  }

  /** Whoever waits is told `reason` instead. */
  close(reason: AppError): void {
    for (const { queue } of this.#askers.values())
      for (const waiting of queue.splice(0)) waiting.reject(reason);
  }

  /** Counts the request that came, and forgets whoever has been quiet. */
  #asker(key: string): Asker {
    const now = steadyNow(this.#clock);
    for (const [other, { times, current }] of this.#askers) {
      if (now - (times.at(-1) ?? 0) < COUNT_MS) break;
      if (!current) this.#askers.delete(other);
    }
    const asker = this.#askers.get(key) ?? { times: [], queue: [], told: false };
    asker.times = [...asker.times, now].slice(-this.#limits.requests - 1);
    this.#askers.delete(key);
    this.#askers.set(key, asker);
    return asker;
  }

  #remember(id: string): void {
    this.#taken.add(id);
    const [oldest = id] = this.#taken;
    if (this.#taken.size > REMEMBERED) this.#taken.delete(oldest);
  }
}

async function inTurn(asker: Asker, work: (wait?: Promise<void>) => Promise<void>): Promise<void> {
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
