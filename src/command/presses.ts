import { type Clock, steadyNow } from '../clock.ts';
import { InputError } from '../errors.ts';

/** A second press this soon was meant to be one, even where the first was answered at once. */
const DOUBLE_MS = 1_000;

/** Presses of buttons that are answered for all to see: a person who presses one several times at once means one. */
export class Presses {
  readonly #clock: Clock;
  /** By person and button: the invocation, and until when another one is refused, in steady time. */
  readonly #held = new Map<string, { readonly invocation: string; until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws InputError where the same press is under way. The returned function ends the press. */
  take(button: string, invocation: string): () => void {
    const now = steadyNow(this.#clock);
    for (const [key, { until }] of this.#held) if (until <= now) this.#held.delete(key);
    const first = this.#held.get(button);
    // A platform's retry of the first is known by its id later on.
    if (first?.invocation === invocation) return () => undefined;
    if (first)
      throw new InputError('pressed-twice', 'You have pressed that already; it is on its way.', {
        hint: 'This press did nothing. Press again in a few seconds if no answer has come.',
      });
    const held = { invocation, until: Number.POSITIVE_INFINITY };
    this.#held.set(button, held);
    return () => {
      held.until = now + DOUBLE_MS;
    };
  }
}
