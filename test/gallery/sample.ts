import type { Message } from '../../src/chat/card.ts';
import type { Form } from '../../src/chat/form.ts';

/**
 * The time at which all samples are shown. It never changes, so the samples show the same times and ages on every day.
 */
export const NOW = Date.UTC(2026, 2, 3, 16, 30, 20);

/** A message or a form in one state, with a name for people. */
export interface Sample {
  /** The family of samples on the page and in the pictures, such as `deployment`. */
  readonly group: string;
  readonly name: string;
  readonly shown: Message | Form;
}

export function isForm(shown: Message | Form): shown is Form {
  return 'fields' in shown;
}
