import { type Clock, steadyNow } from '../clock.ts';
import { InputError } from '../errors.ts';

/** A second press this soon was meant to be one, even where the first was answered at once. */
const DOUBLE_MS = 1_000;

export type DoublePresses = ReturnType<typeof createDoublePresses>;

/** Presses of buttons that are answered for all to see: a person who presses one several times at once means one. */
export function createDoublePresses(clock: Clock) {
  /** By person and button: the invocation, and until when another one is refused, in steady time. */
  const held = new Map<string, { readonly invocation: string; until: number }>();
  return {
    /** Throws InputError where the same press is under way. The returned function ends the press. */
    take(button: string, invocation: string): () => void {
      const now = steadyNow(clock);
      for (const [key, { until }] of held) if (until <= now) held.delete(key);
      const first = held.get(button);
      // A platform's retry of the first is known by its id later on.
      if (first?.invocation === invocation) return () => undefined;
      if (first)
        throw new InputError('pressed-twice', 'You have pressed that already; it is on its way.', {
          hint: 'This press did nothing. Press again in a few seconds if no answer has come.',
        });
      const press = { invocation, until: Number.POSITIVE_INFINITY };
      held.set(button, press);
      return () => {
        press.until = now + DOUBLE_MS;
      };
    },
  };
}
