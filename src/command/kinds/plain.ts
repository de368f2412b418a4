/* The kinds whose values need no data from Edgegap. */
import { InputError } from '../../errors.ts';
import { quoted } from '../argv.ts';
import { bestNames } from '../best-matches.ts';
import { namesakes } from '../same-name.ts';
import { NAME_LENGTH, plainText } from './checked-text.ts';
import type { Kind, OneOf } from './kind.ts';

/** Discord's limits for application commands, from Discord's reference. No other platform has tighter limits. */
const LIMITS = { text: 6000, choices: 25, choice: 100 };

export const string: Kind<string, { readonly maxLength?: number }> = {
  placeholder: 'text',
  input: ({ maxLength = NAME_LENGTH }) => ({ type: 'text', maxLength }),
  problem: ({ name, maxLength = 1 }) =>
    maxLength > LIMITS.text ? `the maxLength of ${name} is over ${LIMITS.text}` : undefined,
  parse: (given, { name, maxLength = NAME_LENGTH }) => plainText(given, name, maxLength),
};

export const integer: Kind<number, { readonly min: number; readonly max: number }> = {
  placeholder: 'number',
  input: ({ min, max }) => ({ type: 'integer', min, max }),
  problem: ({ name, min, max }) =>
    min <= max ? undefined : `${name} has no number between its min and its max`,
  parse(given, { name, min, max }) {
    const number = Number(String(given).trim());
    if (!/^[+-]?\d+$/.test(String(given).trim()) || number < min || number > max)
      throw new InputError(
        'not-a-number',
        `${name} must be a whole number from ${min} to ${max}, not ${quoted(String(given))}.`,
      );
    return number;
  },
};

export const boolean: Kind<boolean> = {
  input: () => ({ type: 'boolean' }),
  parse(given, { name }) {
    const word = String(given).toLowerCase();
    if (/^(true|yes|on|1)$/.test(word)) return true;
    if (/^(false|no|off|0)$/.test(word)) return false;
    throw new InputError('not-a-flag', `${name} must be yes or no, not ${quoted(word)}.`);
  },
};

export const choice: Kind<OneOf<'choices'>, { readonly choices: readonly string[] }> = {
  input: ({ choices }) => ({ type: 'choice', choices }),
  problem({ name, choices }) {
    if (choices.length < 1 || choices.length > LIMITS.choices)
      return `${name} must have 1 to ${LIMITS.choices} choices`;
    // Two choices must not differ only in case, because the parser ignores the case of a typed choice.
    if (new Set(choices.map((one) => one.toLowerCase())).size < choices.length)
      return `${name} has a choice twice`;
    const isRefused = (one: string) => one.length < 1 || one.length > LIMITS.choice;
    return choices.some(isRefused)
      ? `a choice of ${name} must have 1 to ${LIMITS.choice} characters`
      : undefined;
  },
  parse(given, { name, choices }) {
    const [found] = namesakes(String(given), choices, (one) => one);
    if (found !== undefined) return found;
    throw new InputError(
      'not-a-choice',
      `${name} must be one of ${choices.join(', ')}, not ${quoted(String(given))}.`,
    );
  },
  suggest: async ({ typed, fields: { choices } }) => bestNames(typed, choices),
};
