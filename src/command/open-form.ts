import { InputError } from '../errors.ts';

/** `hint`: how to go on without a form. */
export function formImpossible(hint: string): InputError {
  const problem = 'I have to ask more with a form, and cannot open a form here.';
  return new InputError('form-impossible', problem, { hint });
}

/** After an acknowledgement, no platform opens a form any more. */
export function formTooLate(): InputError {
  const problem = 'The form came too late to be opened here, so I did nothing.';
  return new InputError('form-late', problem, { hint: 'Try again in a moment.' });
}
