import type { Line } from '../chat/card.ts';
import { withTyped } from '../chat/typed.ts';
import type { Directory } from './define.ts';

export const MAYBE_DONE =
  'Your request may or may not have been carried out: look with `status` or `list`, and ask again if not.';

/**
 * The line which tells the person that the bot was restarted during the invocation, or that the bot cannot show the
 * answer.
 */
export function interruptedLine(
  directory: Directory,
  about: {
    /** For example `stop` or `tags add`, or `stop:confirm` for a button. */
    readonly what: string;
    readonly changes: boolean;
    /** `unanswered`: the bot carried out the invocation, but cannot show the answer. */
    readonly how: 'interrupted' | 'unanswered';
    /** The person to mention. Set if the line appears in a channel. */
    readonly mention?: { readonly id: string; readonly name: string };
  },
): Line {
  const { what, changes, how, mention } = about;
  const [name = what, action] = what.split(':');
  const command = directory.get(name.split(' ')[0] ?? '');
  const entry = command?.entries.find((one) => one.name === name);
  const done = action === undefined ? entry : command?.actions[action];
  const sentence = changes ? (done?.interrupted ?? MAYBE_DONE) : 'Ask again.';
  return {
    kind: 'line',
    tone: 'warning',
    text: [
      ...(mention ? [{ mention: mention.id, name: mention.name }, ' '] : []),
      how === 'interrupted'
        ? 'I was restarted in the middle of your '
        : 'I could not show you the answer to your ',
      { code: name },
      ...withTyped(`. ${sentence}`),
    ],
  };
}
