import type { ActionRef } from './card.ts';

/** Discord's `custom_id` is the tightest: 100 characters (its message component reference). */
export const ACTION_ID_LENGTH = 100;

/** `stop:confirm:abc123`, the id a button carries on every platform. Throws where it would not fit. */
export function encodeActionId({ command, action, arg }: ActionRef): string {
  const id = `${command}:${action}:${arg}`;
  if (id.length > ACTION_ID_LENGTH) throw new Error(`Action id longer than ${ACTION_ID_LENGTH}: ${id}`);
  return id;
}

/** The reverse; undefined for anything that is not one of ours. */
export function decodeActionId(id: string): ActionRef | undefined {
  const match = /^([a-z][a-z0-9-]*):([a-z][a-z0-9-]*):(.*)$/s.exec(id);
  if (!match || id.length > ACTION_ID_LENGTH) return undefined;
  const [, command = '', action = '', arg = ''] = match;
  return { command, action, arg };
}
