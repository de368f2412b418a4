import { firstWord, unaddressed } from '../../command/argv.ts';

/** A typed line after it was read. */
export type Typed =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'press'; readonly number: number }
  | { readonly kind: 'command'; readonly name: string; readonly text: string }
  | { readonly kind: 'malformed'; readonly problem: string };

const LEAVE = /^(?:exit|quit|bye)$/i;

/**
 * Reads a line in the way Slack reads the text after `/edgegap`. The line may begin with `/` or `/edgegap`, which
 * people are used to typing on Discord and Slack. `#1` presses a button. Lines such as `#-1` or `#1 now` are malformed.
 * Any other line that begins with `#` is a comment.
 */
export function readLine(line: string, isCommand: (name: string) => boolean): Typed {
  const text = line.replace(/^\ufeff/, '').trim();
  if (text === '') return { kind: 'nothing' };

  const press = /^#(\d{1,9})$/.exec(text);
  if (press) return { kind: 'press', number: Number(press[1]) };
  if (/^#\d+$/.test(text)) return { kind: 'malformed', problem: 'No button has so large a number.' };
  if (/^#[-+]?\d/.test(text)) {
    return {
      kind: 'malformed',
      problem: 'To press a button, type its number alone, like #1. A comment has a blank after the #.',
    };
  }
  if (text.startsWith('#')) return { kind: 'nothing' };

  const rest = isCommand('edgegap') ? text.replace(/^\//, '') : unaddressed(text);
  if (rest === '') return { kind: 'command', name: 'help', text: '' };
  if (LEAVE.test(rest) && !isCommand(rest.toLowerCase())) return { kind: 'leave' };
  const [name, args] = firstWord(rest);
  return { kind: 'command', name, text: args };
}
