import type { Invocation } from '../adapters/adapter.ts';
import { type Clock, steadyNow } from '../clock.ts';
import { AppError } from '../errors.ts';

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

/** The place of one request among those of its person. */
export interface Place {
  /** Where the request has to wait: resolves when it may be carried out, and rejects where that is not to be. */
  readonly wait?: Promise<void> | undefined;
  /** The request is over. */
  leave(): void;
}

interface Asker {
  /** When the last requests came, by steady time: one more than are carried out at once. */
  times: readonly number[];
  readonly queue: PromiseWithResolvers<void>[];
  /** Of those that had to wait, the one that is carried out now. */
  current?: PromiseWithResolvers<void> | undefined;
  told: boolean;
}

const AT_ONCE: Place = { leave: () => undefined };

/**
 * Keeps one person from taking all there is of the bot and of Edgegap's rate limits: who asks too much has one request
 * at a time carried out, so that everybody else's get there before the rest.
 */
export class FairShare {
  readonly #limits: PerPerson;
  readonly #clock: Clock;
  /** By platform, workspace and id; whoever asked last comes last. */
  readonly #askers = new Map<string, Asker>();
  /** Whether a request was taken, by its id: what is delivered again is no further request. */
  readonly #seen = new Map<string, boolean>();

  constructor(limits: PerPerson, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Throws where the request is refused. Undefined where the person was told so already, and their platform allows silence. */
  async enter(invocation: Invocation): Promise<Place | undefined> {
    const { requests, waiting } = this.#limits;
    if (requests === 0) return AT_ONCE;
    const { id, at, meanwhile } = invocation;
    const person = meanwhile?.askerId ?? (await invocation.person('cached')).id;
    const before = this.#seen.get(id);
    if (before) return AT_ONCE;
    const asker = this.#asker(JSON.stringify([at.platform, at.workspace, person]));
    const hasty = this.#isHasty(asker, before === undefined);
    const refused = before === false || (hasty && waiting > 0 && asker.queue.length >= waiting);
    this.#remember(id, !refused);
    if (!refused) return hasty ? this.#line(asker) : AT_ONCE;
    if (asker.told && invocation.maySkip) return undefined;
    asker.told = true;
    throw new AppError(
      'too-many-waiting',
      `${waiting} of your requests wait already; this one was refused.`,
      {
        hint: 'Nothing was done for it. Wait for the answers before you send more: until then I may refuse without a word.',
      },
    );
  }

  /** Whoever waits is told `reason` instead. */
  close(reason: AppError): void {
    for (const { queue } of this.#askers.values())
      for (const waiting of queue.splice(0)) waiting.reject(reason);
  }

  #asker(key: string): Asker {
    const since = steadyNow(this.#clock) - COUNT_MS;
    for (const [other, { times, current }] of this.#askers) {
      if ((times.at(-1) ?? since) > since) break;
      if (!current) this.#askers.delete(other);
    }
    const asker = this.#askers.get(key) ?? { times: [], queue: [], told: false };
    this.#askers.delete(key);
    this.#askers.set(key, asker);
    return asker;
  }

  #isHasty(asker: Asker, counts: boolean): boolean {
    const { requests } = this.#limits;
    const now = steadyNow(this.#clock);
    if (counts) asker.times = [...asker.times, now].slice(-requests - 1);
    const [first = now] = asker.times;
    const hasty = asker.times.length > requests && now - first < COUNT_MS;
    if (!hasty) asker.told = false;
    return hasty;
  }

  #line(asker: Asker): Place {
    const own = Promise.withResolvers<void>();
    // Its request may have been refused for another reason by then.
    own.promise.catch(() => undefined);
    asker.queue.push(own);
    next(asker);
    return {
      wait: asker.current === own ? undefined : own.promise,
      leave() {
        const place = asker.queue.indexOf(own);
        if (place >= 0) asker.queue.splice(place, 1);
        if (asker.current !== own) return;
        asker.current = undefined;
        next(asker);
      },
    };
  }

  #remember(id: string, taken: boolean): void {
    this.#seen.set(id, taken);
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= REMEMBERED) break;
      this.#seen.delete(oldest);
    }
  }
}

function next(asker: Asker): void {
  asker.current ??= asker.queue.shift();
  asker.current?.resolve();
}
