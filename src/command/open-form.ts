import { InputError } from '../errors.ts';

/** `hint` says how the person can go on without a form. */
export function formImpossible(hint: string): InputError {
  const problem = 'I have to ask more with a form, and cannot open a form here.';
  return new InputError('form-impossible', problem, { hint });
}

/**
 * The error for a form that is ready only after the acknowledgement. No platform opens a form after an acknowledgement.
 */
export function formTooLate(): InputError {
  const problem = 'The form came too late to be opened here, so I did nothing.';
  return new InputError('form-late', problem, {
    hint: 'Try again in a moment.',
    missing: true,
  });
}
