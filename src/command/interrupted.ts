import type { Line } from '../chat/card.ts';
import type { Directory } from './define.ts';

export const MAYBE = 'It may or may not have been done: look with status or list, and ask again if not.';

/** What a person reads whose invocation was carried out, or was to be, by a process that did not live to answer. */
export function interruptedLine(
  directory: Directory,
  about: {
    /** `stop`, `tags add`, or `stop:confirm` for a button. */
    readonly what: string;
    readonly changes: boolean;
    /** `unanswered`: it was carried out, and its answer cannot be shown. */
    readonly how: 'interrupted' | 'unanswered';
    /** Whom to ping: for a place where others read it too. */
    readonly mention?: { readonly id: string; readonly name: string };
  },
): Line {
  const { what, changes, how, mention } = about;
  const [name = what, action] = what.split(':');
  const command = directory.get(name.split(' ')[0] ?? '');
  const entry = command?.entries.find((one) => one.name === name);
  const done = action === undefined ? entry : (command?.actions[action] ?? command?.forms[action]);
  const sentence = changes ? (done?.interrupted ?? MAYBE) : 'Run it again.';
  return {
    kind: 'line',
    tone: 'warning',
    text: [
      ...(mention ? [{ mention: mention.id, name: mention.name }, ' '] : []),
      how === 'interrupted'
        ? 'I was restarted in the middle of your '
        : 'I could not show you the answer to your ',
      { code: name },
      `. ${sentence}`,
    ],
  };
}
