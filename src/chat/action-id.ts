import type { ActionRef } from './card.ts';

/** Discord's limit for a `custom_id`, the lowest limit of all platforms (message component reference). */
export const ACTION_ID_LENGTH = 100;

/**
 * Makes the id of a button, which has the same form on all platforms, such as `stop:confirm:abc123`. Throws if the id
 * is too long.
 */
export function encodeActionId({ command, action, arg }: ActionRef): string {
  const id = `${command}:${action}:${arg}`;
  if (id.length > ACTION_ID_LENGTH) throw new Error(`Action id longer than ${ACTION_ID_LENGTH}: ${id}`);
  return id;
}

/** Reads an id that `encodeActionId` made. Returns undefined for any other id. */
export function decodeActionId(id: string): ActionRef | undefined {
  const match = /^([a-z][a-z0-9-]*):([a-z][a-z0-9-]*):(.*)$/s.exec(id);
  if (!match || id.length > ACTION_ID_LENGTH) return undefined;
  const [, command = '', action = '', arg = ''] = match;
  return { command, action, arg };
}
