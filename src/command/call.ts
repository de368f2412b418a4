import type { ActionRef } from '../chat/card.ts';
import type { InvocationRequest } from '../chat/port.ts';
import type { Directory, Entry } from './define.ts';

/** The action that every command has: to call the command without any options, as if a person had typed its name. */
export const CALL = 'call';

/** The action of a button that calls a command. */
export function callOf({ name, word = '' }: Entry): ActionRef {
  const [command = ''] = name.split(' ');
  return { command, action: CALL, arg: word };
}

/** The command that a pressed button calls. Undefined for any other request. */
export function calledBy(request: InvocationRequest, directory: Directory) {
  const ref = request.kind === 'action' ? request.action : undefined;
  if (ref?.action !== CALL || !directory.get(ref.command)) return undefined;
  const args = { kind: 'values', ...(ref.arg ? { subcommand: ref.arg } : {}), values: {} } as const;
  return { kind: 'command', command: ref.command, args } as const;
}
