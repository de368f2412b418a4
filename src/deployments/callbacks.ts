import { createHash, timingSafeEqual } from 'node:crypto';
import { maskedBody } from '../edgegap/outside.ts';
import { together } from '../store/together.ts';
import { type CallbackParts, CallbackWork } from './callback-work.ts';
import { type CallbackEvent, isId } from './deployment.ts';

/** A callback that had the secret of its deployment. */
interface Received {
  readonly event: CallbackEvent;
  readonly id: string;
  readonly body: string;
}

/** How many callbacks are checked, or stored, by a single statement. */
const AT_ONCE = 250;

/** Stores Edgegap's callbacks, and has them handled once Edgegap has its answer. */
export class Callbacks {
  readonly #parts: CallbackParts;
  readonly #work: CallbackWork;

  constructor(parts: CallbackParts) {
    this.#parts = parts;
    this.#work = new CallbackWork(parts);
  }

  /** Handles all callbacks that are left, those of dead processes included, and keeps looking for more. */
  async start(): Promise<void> {
    await this.#work.start();
  }

  /** Finishes the callbacks that are being handled; the rest stays in the store for the next process. */
  async stop(): Promise<void> {
    await this.#work.stop();
  }

  /** Resolves when all callbacks that were received here have been handled, or tried. */
  async idle(): Promise<void> {
    await this.#work.idle();
  }

  /** Whether `secret` is the secret of the deployment `id`. */
  async isOurs(id: string, secret: string): Promise<boolean> {
    this.#work.giveWay();
    // A stranger may send any id, even characters that no database takes for text.
    const expected = isId(id) ? await this.#secretOf(id) : undefined;
    // The time taken may show whether the id exists, but must show nothing of the secret.
    return sameSecret(secret, expected ?? '') && expected !== undefined;
  }

  readonly #secretOf = together<string, string | undefined>(async (ids) => {
    const secrets = await this.#parts.repository.secretsOf([...new Set(ids)]);
    return ids.map((id) => secrets.get(id));
  }, AT_ONCE);

  /**
   * Stores a callback with the right secret. When the promise resolves, the callback is committed, and is handled
   * later; a second delivery changes nothing. Callbacks that arrive during a commit share the next commit.
   */
  receive(event: CallbackEvent, id: string, body: string): Promise<void> {
    return this.#keep({ event, id, body: maskedBody(body, this.#parts.mask) });
  }

  readonly #keep = together<Received, void>(async (received) => {
    const received_at = this.#parts.clock.now();
    // Always in the same order, so that two processes that store the same callbacks never wait for each other.
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

/** Compares digests, so that neither the content nor the length of the secret shows in the time taken. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
