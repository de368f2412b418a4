import { InputError } from '../../errors.ts';
import { between, nearest, quoted } from '../argv.ts';
import { unquoted } from '../same-name.ts';
import type { OptionInput } from './kind.ts';

/**
 * The maximum length of a name that a person can enter on a platform. Real names are shorter, and a text pasted by
 * mistake is usually longer.
 */
export const NAME_LENGTH = 200;

export const nameInput = (): OptionInput => ({ type: 'text', maxLength: NAME_LENGTH });

/**
 * Returns the text without blanks at its ends. Throws InputError if the text has more than `maxLength` characters, or
 * more than one line.
 */
export function plainText(value: unknown, name: string, maxLength: number): string {
  const trimmed = String(value).trim();
  const length = [...trimmed].length;
  if (length > maxLength)
    throw new InputError(
      'value-too-long',
      `${name} is ${length} characters long; at most ${maxLength} fit.`,
      { hint: `The value begins with ${quoted(trimmed)}.` },
    );
  if (!isPrintable(trimmed))
    throw new InputError('value-control', `${name} holds a line break or an invisible control character.`, {
      hint: 'Type the value by hand, on one line.',
    });
  return trimmed;
}

export function isPrintable(text: string): boolean {
  return !UNPRINTABLE.test(text) && text.isWellFormed();
}

/**
 * Control characters, line separators and characters that change the reading direction. The joiners inside emoji are
 * allowed.
 */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/**
 * The word without quotation marks, and without the characters in `around` at its ends, such as the brackets in
 * `(93924761ccde).`
 */
export function wordIn(value: string, around: string): string {
  return between(unquoted(value).normalize('NFKC'), (character) => !around.includes(character));
}

/**
 * A sentence with the known name that is most similar to `name`. If no known name is similar, the sentence lists up to
 * twelve known names.
 */
export function suggestion(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'There is no name that can be used.';
  const near = name && nearest(name, known);
  if (near) return `Did you mean ${near}?`;
  const shown = known.slice(0, 12).join(', ');
  return `There ${known.length === 1 ? 'is' : 'are'}: ${shown}${known.length > 12 ? ` and ${known.length - 12} more` : ''}.`;
}
