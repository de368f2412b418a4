import type { ActionRequest, FormRequest } from '../chat/port.ts';
import { InputError } from '../errors.ts';
import type { Directory, Pressed } from './define.ts';

/**
 * Finds the action of a button, a menu or a form, together with the input of the action. Undefined if this version of
 * the bot has no such action.
 */
export function findAction(directory: Directory, request: ActionRequest | FormRequest) {
  const { kind, action: ref } = request;
  const command = ref && directory.get(ref.command);
  const known = (kind === 'form' ? command?.forms : command?.actions) ?? {};
  const action = ref && Object.hasOwn(known, ref.action) ? known[ref.action] : undefined;
  if (!ref || !action) return undefined;
  const pressed: Pressed =
    kind === 'form'
      ? { action: ref, chosen: [], fields: request.fields }
      : { action: ref, chosen: request.chosen, fields: {} };
  return { action, pressed };
}

/** The answer, on every platform, to a button or form in a message that an older version of the bot has posted. */
export function staleControl({ kind }: ActionRequest | FormRequest): InputError {
  const what = kind === 'form' ? 'form' : 'button';
  return new InputError('action-unknown', `This ${what} is from an older version of me.`, {
    hint: `Run the command again for a fresh ${what}.`,
  });
}
