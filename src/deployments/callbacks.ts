import { createHash, timingSafeEqual } from 'node:crypto';
import { maskedBody } from '../edgegap/outside.ts';
import { together } from '../store/together.ts';
import { type CallbackParts, CallbackWork } from './callback-work.ts';
import { type CallbackEvent, isId } from './deployment.ts';

/** One callback, of a deployment whose secret it knew. */
interface Received {
  readonly event: CallbackEvent;
  readonly id: string;
  readonly body: string;
}

/** How many are looked up, or stored, by one statement. */
const AT_ONCE = 250;

/** Stores what Edgegap calls back with, and has it worked off after it has been answered. */
export class Callbacks {
  readonly #parts: CallbackParts;
  readonly #work: CallbackWork;

  constructor(parts: CallbackParts) {
    this.#parts = parts;
    this.#work = new CallbackWork(parts);
  }

  /** Works off what was left, also by processes that are no more, and keeps looking for more of it. */
  async start(): Promise<void> {
    await this.#work.start();
  }

  /** Finishes what is being worked off and begins nothing more: the rest is in the store, for whoever comes next. */
  async stop(): Promise<void> {
    await this.#work.stop();
  }

  /** Resolves when everything that was received here has been worked off, or tried. */
  async idle(): Promise<void> {
    await this.#work.idle();
  }

  /** Whether a callback with this secret is one of ours. */
  async isOurs(id: string, secret: string): Promise<boolean> {
    this.#work.giveWay();
    // A stranger's may be anything, even what no database takes for a text.
    const expected = isId(id) ? await this.#secretOf(id) : undefined;
    // Whether there is such an id may show in the time taken; it is the secret that must not.
    return sameSecret(secret, expected ?? '') && expected !== undefined;
  }

  readonly #secretOf = together<string, string | undefined>(async (ids) => {
    const secrets = await this.#parts.repository.secretsOf([...new Set(ids)]);
    return ids.map((id) => secrets.get(id));
  }, AT_ONCE);

  /**
   * Stores a callback that is ours: it is committed when this resolves, and a second delivery of it changes nothing;
   * everything else happens after. Those that arrive while a commit is under way share the next one.
   */
  receive(event: CallbackEvent, id: string, body: string): Promise<void> {
    return this.#keep({ event, id, body: maskedBody(body, this.#parts.mask) });
  }

  readonly #keep = together<Received, void>(async (received) => {
    const received_at = this.#parts.clock.now();
    // In one order, so that two processes that store the same never wait for each other.
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
