import type { Form } from '../chat/form.ts';
import type { Invocation } from '../chat/port.ts';
import { InputError } from '../errors.ts';

/**
 * What opens the form as first response; undefined without a form. Throws InputError, with `hint`, where the platform
 * opens none for this invocation.
 */
export function formOpener(
  invocation: Invocation,
  form: Form | undefined,
  hint: string,
): (() => Promise<void>) | undefined {
  if (form && !invocation.openForm)
    throw new InputError('form-impossible', 'I have to ask more with a form, and cannot open one here.', {
      hint,
    });
  return form && (async () => await invocation.openForm?.(form));
}

/** After an acknowledgement no platform opens a form any more. */
export function formTooLate(): InputError {
  return new InputError('form-late', 'What the form asks for took too long to look up, so I did nothing.', {
    hint: 'Try again in a moment.',
  });
}
