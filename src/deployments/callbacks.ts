import { createHash, timingSafeEqual } from 'node:crypto';
import { maskedBody } from '../edgegap/outside.ts';
import { together } from '../store/together.ts';
import { type CallbackParts, CallbackWork } from './callback-work.ts';
import { type CallbackEvent, isId } from './deployment.ts';

/** A callback that contained the deployment's secret. */
interface Received {
  readonly event: CallbackEvent;
  readonly id: string;
  readonly body: string;
}

/** The maximum number of callbacks that a single statement checks or stores. */
const AT_ONCE = 250;

/** Stores Edgegap's callbacks. The callbacks are handled after Edgegap has received its answer. */
export class Callbacks {
  readonly #parts: CallbackParts;
  readonly #work: CallbackWork;

  constructor(parts: CallbackParts) {
    this.#parts = parts;
    this.#work = new CallbackWork(parts);
  }

  /** Handles all stored callbacks, including those of dead processes, and then polls for more. */
  async start(): Promise<void> {
    await this.#work.start();
  }

  /** Finishes the callbacks that are being handled. All other callbacks stay in the store for the next process. */
  async stop(): Promise<void> {
    await this.#work.stop();
  }

  /**
   * Resolves when all callbacks that this process received have been handled, or an attempt to handle them has failed.
   */
  async idle(): Promise<void> {
    await this.#work.idle();
  }

  /** Whether `secret` is the secret of the deployment `id`. */
  async isOurs(id: string, secret: string): Promise<boolean> {
    this.#work.giveWay();
    // A stranger may send any text as the id, including characters that a database rejects.
    const expected = isId(id) ? await this.#secretOf(id) : undefined;
    // The duration of the check may reveal whether the id exists, but reveals nothing about the secret.
    return sameSecret(secret, expected ?? '') && expected !== undefined;
  }

  readonly #secretOf = together<string, string | undefined>(async (ids) => {
    const secrets = await this.#parts.repository.secretsOf([...new Set(ids)]);
    return ids.map((id) => secrets.get(id));
  }, AT_ONCE);

  /**
   * Stores a callback that has the right secret. The promise resolves when the callback is committed; the callback is
   * handled later. A repeated callback changes nothing. Callbacks that arrive during a commit are stored together by
   * the next commit.
   */
  receive(event: CallbackEvent, id: string, body: string): Promise<void> {
    return this.#keep({ event, id, body: maskedBody(body, this.#parts.mask) });
  }

  readonly #keep = together<Received, void>(async (received) => {
    const received_at = this.#parts.clock.now();
    // The rows are sorted to prevent a deadlock between two processes that store the same callbacks.
    const values = received
      .map(({ event, id, body }) => ({
        deployment_id: id,
        event,
        body,
        received_at,
      }))
      .toSorted((a, b) => (a.deployment_id + a.event < b.deployment_id + b.event ? -1 : 1));
    await this.#parts.store
      .insertInto('callbacks')
      .values(values)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    this.#work.add(received.map(({ id }) => id));
    return received.map(() => undefined);
  }, AT_ONCE);
}

/**
 * Compares digests of both texts, so that the duration of the check reveals neither the content nor the length of the
 * secret.
 */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
