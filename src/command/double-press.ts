import { type Clock, steadyNow } from '../clock.ts';
import { InputError } from '../errors.ts';

/** A second press so soon after the first is taken for a slip, even if the first press was answered at once. */
const DOUBLE_MS = 1_000;

export type DoublePresses = ReturnType<typeof createDoublePresses>;

/** Takes several quick presses of one button by one person for a single press. For buttons with a public answer. */
export function createDoublePresses(clock: Clock) {
  /** By person and button: the invocation, and until when a further press is refused, in steady time. */
  const held = new Map<string, { readonly invocation: string; until: number }>();
  return {
    /** Throws InputError while the same press is under way. The returned function ends the press. */
    take(button: string, invocation: string): () => void {
      const now = steadyNow(clock);
      for (const [key, { until }] of held) if (until <= now) held.delete(key);
      const first = held.get(button);
      // A platform's retry of the first press is recognised later, by the invocation's id.
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
