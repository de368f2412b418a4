import { InputError } from '../../errors.ts';
import { between, nearest, quoted } from '../argv.ts';
import { unquoted } from '../same-name.ts';
import type { OptionInput } from './kind.ts';

/** Of a name: longer than anything that exists, short enough to stop a whole paste; what exists is checked by the bot. */
export const NAME_LENGTH = 200;

export const nameInput = (): OptionInput => ({ type: 'text', maxLength: NAME_LENGTH });

/** A text of at most `maxLength` characters on one line. Throws InputError. */
export function plainText(value: unknown, name: string, maxLength: number): string {
  const trimmed = String(value).trim();
  const length = [...trimmed].length;
  if (length > maxLength)
    throw new InputError(
      'value-too-long',
      `${name} is ${length} characters long; at most ${maxLength} fit.`,
      { hint: `It begins with ${quoted(trimmed)}.` },
    );
  if (!isPrintable(trimmed))
    throw new InputError('value-control', `${name} holds a line break or an invisible control character.`, {
      hint: 'Type it by hand, on one line.',
    });
  return trimmed;
}

export function isPrintable(text: string): boolean {
  return !UNPRINTABLE.test(text) && text.isWellFormed();
}

/** Control characters, line separators, and what reverses the reading direction. Not the joiners of emoji. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** Without quotation marks, nor what a sentence, a list or formatting puts around a word: `(93924761ccde).` */
export function wordIn(value: string, around: string): string {
  return between(unquoted(value).normalize('NFKC'), (character) => !around.includes(character));
}

/** The values that what was typed so far may become. */
export function beginningWith(typed: string, values: readonly string[]): string[] {
  return values.filter((value) => value.toLowerCase().startsWith(typed.toLowerCase()));
}

/** A sentence with the one that may be meant by `name`, or with those that there are. */
export function suggestion(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'There is none that can be used.';
  const near = name && nearest(name, known);
  if (near) return `Did you mean ${near}?`;
  const shown = known.slice(0, 12).join(', ');
  return `There ${known.length === 1 ? 'is' : 'are'}: ${shown}${known.length > 12 ? ` and ${known.length - 12} more` : ''}.`;
}
