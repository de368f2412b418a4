import { type Clock, steadyNow } from '../clock.ts';
import { InputError } from '../errors.ts';

/** A second press within this time counts as a slip, even if the first press was answered at once. */
const DOUBLE_MS = 1_000;

export type DoublePresses = ReturnType<typeof createDoublePresses>;

/**
 * Treats several quick presses of a button by the same person as a single press. Used for buttons with a public answer.
 */
export function createDoublePresses(clock: Clock) {
  /**
   * For each person and button: the invocation of the first press, and until when a further press is refused, in steady
   * time.
   */
  const held = new Map<string, { readonly invocation: string; until: number }>();
  return {
    /**
     * Throws InputError while an earlier press of the same button is being carried out. The returned function must be
     * called when the press has been carried out.
     */
    take(button: string, invocation: string): () => void {
      const now = steadyNow(clock);
      for (const [key, { until }] of held) if (until <= now) held.delete(key);
      const first = held.get(button);
      // A platform's retry of the first press is let through here; a later step recognises the retry by the
      // invocation's id.
      if (first?.invocation === invocation) return () => undefined;
      if (first)
        throw new InputError('pressed-twice', 'You pressed this button already; the answer is on its way.', {
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
