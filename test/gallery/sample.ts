import type { Message } from '../../src/chat/card.ts';
import type { Form } from '../../src/chat/form.ts';

/** The present time in all samples. It is fixed, so the samples always show the same times and ages. */
export const NOW = Date.UTC(2026, 2, 3, 16, 30, 20);

/** A message or a form in one state, with a readable name. */
export interface Sample {
  /** The group of the sample on the page and in the pictures, such as `deployment`. */
  readonly group: string;
  readonly name: string;
  readonly shown: Message | Form;
}

export function isForm(shown: Message | Form): shown is Form {
  return 'fields' in shown;
}
