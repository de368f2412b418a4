import type { ActionRef, Button } from '../chat/card.ts';
import type { InvocationRequest } from '../chat/port.ts';
import type { Context, Directory, Entry } from './define.ts';

/**
 * An action that every command has. The action runs the command without any options, as if a person had typed the name.
 */
export const CALL = 'call';

/** The action of a button that runs a command. */
function callOf({ name, word = '' }: Entry): ActionRef {
  const [command = ''] = name.split(' ');
  return { command, action: CALL, arg: word };
}

/** A button that runs the command or subcommand with this name. Empty if the person may not use the command. */
export function callButton(
  { directory, may }: Pick<Context<unknown>, 'directory' | 'may'>,
  name: string,
  { label, style = 'secondary' }: { readonly label: string; readonly style?: 'primary' | 'secondary' },
): Button[] {
  const entry = directory.all.flatMap(({ entries }) => entries).find((one) => one.name === name);
  return entry && may(entry.permission) ? [{ label, style, action: callOf(entry) }] : [];
}

/** The command that the pressed button runs. Undefined if the request is not the press of such a button. */
export function calledBy(request: InvocationRequest, directory: Directory) {
  const ref = request.kind === 'action' ? request.action : undefined;
  if (ref?.action !== CALL || !directory.get(ref.command)) return undefined;
  const args = { kind: 'values', ...(ref.arg ? { subcommand: ref.arg } : {}), values: {} } as const;
  return { kind: 'command', command: ref.command, args } as const;
}
