import { type Clock, steadyNow } from '../clock.ts';
import { InputError } from '../errors.ts';

/** A second press within this time counts as an accident, even if the bot has already answered the first press. */
const DOUBLE_MS = 1_000;

export type DoublePresses = ReturnType<typeof createDoublePresses>;

/**
 * Treats several quick presses of a button by the same person as a single press. Used for buttons with a public answer,
 * and for actions with `once`.
 */
export function createDoublePresses(clock: Clock) {
  /**
   * The latest accepted press of each person on each button. `invocation` is the id of the press. Until the time
   * `until`, by the steady clock, a further press is refused.
   */
  const held = new Map<string, { readonly invocation: string; until: number }>();
  return {
    /**
     * Records a press. Throws InputError if the bot still carries out an earlier press of this button, or if the
     * earlier press was less than `DOUBLE_MS` ago. The caller must call the returned function when the press has been
     * carried out.
     */
    take(button: string, invocation: string): () => void {
      const now = steadyNow(clock);
      for (const [key, { until }] of held) if (until <= now) held.delete(key);
      const first = held.get(button);
      // If the platform sends the first press again, this function accepts it. A later step recognises the repetition
      // by the invocation's id.
      if (first?.invocation === invocation) return () => undefined;
      if (first)
        throw new InputError(
          'pressed-twice',
          'You pressed this button a moment ago; its answer is there, or on its way.',
          {
            hint: 'This press did nothing. Press again in a few seconds if no answer has come.',
          },
        );
      const press = { invocation, until: Number.POSITIVE_INFINITY };
      held.set(button, press);
      return () => {
        press.until = now + DOUBLE_MS;
      };
    },
  };
}
