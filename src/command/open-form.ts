import { InputError } from '../errors.ts';

/** The error if the platform cannot open a form for this request. `hint` says what the person can do without a form. */
export function formImpossible(hint: string): InputError {
  const problem = 'I have to ask more with a form, and cannot open a form here.';
  return new InputError('form-impossible', problem, { hint });
}

/**
 * The error for a form that was not ready before the acknowledgement. No platform can open a form after the
 * acknowledgement.
 */
export function formTooLate(): InputError {
  const problem = 'The form came too late to be opened here, so I did nothing.';
  return new InputError('form-late', problem, {
    hint: 'Try again in a moment.',
    missing: true,
  });
}
