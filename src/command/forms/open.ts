import type { ActionRef } from '../../chat/card.ts';
import type { RawValues } from '../argv.ts';
import type { CheckContext, Directory, Entry } from '../define.ts';
import type { Page } from './layout.ts';
import { formAction } from './ref.ts';
import { keepValues } from './state.ts';

/**
 * The action that opens the form of a command, for a button, a menu or a shortcut. `entry` is the name of a command or
 * subcommand, such as `deploy` or `tags add`. `given` holds the values with which the form opens, as a person would
 * type them. These values are stored for twelve hours, and only this person can use the button. A button without
 * `given` works for all people and does not expire. The bot checks the person's permission when the form opens and
 * again when the person submits the form.
 */
export async function openFormFor(
  context: Pick<CheckContext<unknown>, 'directory' | 'payloads' | 'vault' | 'asker'>,
  entry: string,
  given: RawValues = {},
  page: Page | 'pick' = '',
): Promise<ActionRef> {
  const isEmpty = Object.keys(given).length === 0;
  const key = isEmpty ? '' : await keepValues(context, context.asker, given);
  return formAction(entryNamed(context.directory, entry), key, page);
}

function entryNamed(directory: Directory, name: string): Entry {
  const [command = ''] = name.split(' ');
  const found = directory.get(command)?.entries.find((one) => one.name === name);
  if (!found) throw new Error(`There is no command ${name}`);
  return found;
}
