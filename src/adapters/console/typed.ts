import { firstWord, unaddressed } from '../../command/argv.ts';

/** What a line that was typed asks for. */
export type Typed =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'press'; readonly number: number }
  | { readonly kind: 'command'; readonly name: string; readonly text: string }
  | { readonly kind: 'malformed'; readonly problem: string };

const LEAVE = /^(?:exit|quit|bye)$/i;

/**
 * Reads a line as Slack would read what follows `/edgegap`. A leading `/` or `/edgegap` is forgiven: that is how it is
 * typed elsewhere. `#1` presses a button; any other line that begins with `#`, but for what looks like a number,
 * is a comment.
 */
export function readLine(line: string, isCommand: (name: string) => boolean): Typed {
  const text = line.replace(/^\ufeff/, '').trim();
  if (text === '') return { kind: 'nothing' };

  const press = /^#(\d{1,9})$/.exec(text);
  if (press) return { kind: 'press', number: Number(press[1]) };
  if (/^#\d+$/.test(text)) return { kind: 'malformed', problem: 'No button has a number like that.' };
  if (/^#[-+]?\d/.test(text)) {
    return {
      kind: 'malformed',
      problem: 'A button is pressed by its number alone, like #1. A comment has a blank after the #.',
    };
  }
  if (text.startsWith('#')) return { kind: 'nothing' };

  const rest = isCommand('edgegap') ? text.replace(/^\//, '') : unaddressed(text);
  if (rest === '') return { kind: 'command', name: 'help', text: '' };
  if (LEAVE.test(rest) && !isCommand(rest.toLowerCase())) return { kind: 'leave' };
  const [name, args] = firstWord(rest);
  return { kind: 'command', name, text: args };
}
