/** The origin of a call: a person, or background work of the bot. In every bucket, calls of people have priority. */
export type Lane = 'people' | 'background';

export interface WaitOptions {
  lane: Lane;
  signal?: AbortSignal | undefined;
}

interface Waiting<P> {
  begin(permit: P): void;
  refuse(reason: unknown): void;
}

/**
 * The calls that wait for a permit. Calls of people have priority, and calls of the same lane run in order of arrival.
 */
export class WaitingCalls<P> {
  readonly #waiting: Record<Lane, Waiting<P>[]> = { people: [], background: [] };
  readonly #changed: () => void;

  /** Calls `changed` when a call begins to wait, and when a waiting call is aborted. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** The lane of the next call. Undefined if no call is waiting. */
  get next(): Lane | undefined {
    if (this.#waiting.people.length > 0) return 'people';
    return this.#waiting.background.length > 0 ? 'background' : undefined;
  }

  count(lane: Lane): number {
    return this.#waiting[lane].length;
  }

  /**
   * Waits for a permit and then runs `call`. The promise resolves or rejects as `call` does. If the signal is aborted
   * during the wait, the promise rejects with the signal's reason.
   */
  wait<T>({ lane, signal }: WaitOptions, call: (permit: P) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const queue = this.#waiting[lane];
      const waiting: Waiting<P> = {
        begin(permit) {
          signal?.removeEventListener('abort', abort);
          call(permit).then(resolve, reject);
        },
        refuse(reason) {
          signal?.removeEventListener('abort', abort);
          reject(reason);
        },
      };
      const abort = () => {
        queue.splice(queue.indexOf(waiting), 1);
        reject(signal?.reason);
        this.#changed();
      };
      signal?.addEventListener('abort', abort, { once: true });
      queue.push(waiting);
      this.#changed();
    });
  }

  /**
   * Starts the next call with the permit. Returns false if no call is waiting. If a permit was taken for people, only a
   * person's call may use it.
   */
  begin(permit: P, takenFor: Lane): boolean {
    const waiting =
      this.#waiting.people.shift() ??
      (takenFor === 'background' ? this.#waiting.background.shift() : undefined);
    waiting?.begin(permit);
    return waiting !== undefined;
  }

  /** Rejects all waiting calls with `reason`. */
  refuseAll(reason: unknown): void {
    for (const queue of Object.values(this.#waiting))
      for (const waiting of queue.splice(0)) waiting.refuse(reason);
  }
}
