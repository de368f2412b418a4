import type { ActionRequest, FormRequest, MessageRequest } from '../chat/port.ts';
import { InputError } from '../errors.ts';
import type { Action, Directory, Pressed } from './define.ts';
import { menuActions } from './on-card.ts';
import { stale } from './usage.ts';

/**
 * Finds the action of a button or a menu, and the argument of the action. Undefined if this version of the bot does not
 * have the action. If the person chose the action from the menu of a message, the argument is still empty.
 */
export function findAction(
  directory: Directory,
  request: ActionRequest | FormRequest | MessageRequest,
): { readonly action: Action; readonly pressed: Pressed } | undefined {
  if (request.kind === 'message') {
    const found = menuActions(directory).find(({ label }) => label === request.entry);
    if (!found) return undefined;
    const ref = { command: found.command, action: found.name, arg: '' };
    return { action: found.action, pressed: { action: ref, chosen: [] } };
  }
  const { action: ref } = request;
  const { actions = {} } = (ref && directory.get(ref.command)) ?? {};
  const action = ref && Object.hasOwn(actions, ref.action) ? actions[ref.action] : undefined;
  if (request.kind === 'form' || !ref || !action) return undefined;
  const pressed: Pressed = { action: ref, chosen: request.chosen };
  return { action, pressed };
}

/** The error for a button, form or menu item that an older version of the bot made. */
export function staleControl({ kind }: ActionRequest | FormRequest | MessageRequest): InputError {
  if (kind === 'message') return stale('I no longer have this entry of the menu.');
  const what = kind === 'form' ? 'form' : 'button';
  return new InputError('action-unknown', `This ${what} is from an older version of me.`, {
    hint: `Run the command again for a fresh ${what}.`,
  });
}
