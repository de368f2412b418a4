import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../../errors.ts';
import { tokenise } from '../argv.ts';
import { DOTS } from './dots.ts';
import type { Kind, RawValue } from './kind.ts';

/** Edgegap's limit for a value, in bytes (API reference, POST /v2/deployments). */
const MAX_VALUE = 4096;
const KEY = /^[A-Za-z_.-][\w.-]*$/;
const MAX_KEY = 255;
/** Control characters, apart from the tab and the line breaks. */
const CONTROL = /(?![\t\n\r])\p{Cc}/u;

export interface Variable {
  readonly key: string;
  readonly value: string;
}

/** Environment variables of a container. Error messages never contain a value, because a value may be secret. */
export const variables: Kind<readonly Variable[]> = {
  placeholder: 'KEY=VALUE',
  many: true,
  secret: true,
  input: () => ({ type: 'text', maxLength: 6000 }),
  shown: (given) =>
    pairsIn(given)
      .map((pair) => pair.replace(/=.*$/s, ''))
      .join(', '),
  parse(given, { name }) {
    const pairs = pairsIn(given);
    const found = pairs.map((pair, index) => variableIn(pair, `Variable ${index + 1} of ${name}`));
    const keys = found.map(({ key }) => key);
    const twice = keys.find((key, index) => keys.indexOf(key) !== index);
    if (twice === undefined) return found;
    throw new InputError('env-twice', `${name} sets ${twice} twice.`, { hint: 'Give each variable once.' });
  },
  field: { lines: 'paragraph', read: linesIn, write },
};

/**
 * Variables whose values a person enters in a form, so that the chat does not show the values. Edgegap encrypts these
 * values and never shows the values again.
 */
export const hiddenVariables: Kind<readonly Variable[]> = {
  ...variables,
  onlyInForm: true,
  parse(given, about, settings) {
    const found = variables.parse(given, about, settings);
    const dotted = typeof found === 'string' ? undefined : found.find(({ value }) => value.includes(DOTS));
    if (dotted === undefined) return found;
    throw new InputError('env-dots', `I do not know the value of ${dotted.key}, for which the dots stand.`, {
      hint: 'Type the value in place of the dots, or delete the line.',
    });
  },
  field: {
    lines: 'paragraph',
    filledHint: `${DOTS} stands for a value that you entered. To remove a variable, delete the line.`,
    read: (text, before = []) => {
      const known = new Map(pairsIn(before).map((pair) => [withDots(pair), pair]));
      return linesIn(text).map((line) => known.get(line) ?? line);
    },
    write(given) {
      const pairs = pairsIn(given);
      const lines = pairs.map(withDots);
      return pairs.every(hasName) && new Set(lines).size === lines.length ? lines.join('\n') : undefined;
    },
  },
};

function withDots(pair: string): string {
  return pair.replace(/=.*$/s, `=${DOTS}`);
}

/** Whether the pair begins with a valid name. A line without a valid name may be a secret value. */
function hasName(pair: string): boolean {
  const key = pair.slice(0, Math.max(pair.indexOf('='), 0)).trim();
  return KEY.test(key) && key.length <= MAX_KEY;
}

/** Returns the pairs in the text field of a form. Each line is a pair. Quotation marks around a value are removed. */
function linesIn(text: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const [, key = '', value] = /^([^=]*=)\s*((["'])(?:.*)\3)\s*$/.exec(line) ?? [];
    return value === undefined ? line.trim() : key.trim() + value.slice(1, -1);
  });
}

/**
 * Writes each pair on a separate line. A value is put in quotation marks if `linesIn` would otherwise remove blanks or
 * quotation marks of the value.
 */
function write(given: RawValue): string | undefined {
  const lines = pairsIn(given).map((pair) => {
    const reads = (line: string) => isDeepStrictEqual(linesIn(line), [pair]);
    return [pair, `${pair.replace('=', '="')}"`].find(reads);
  });
  return lines.includes(undefined) ? undefined : lines.join('\n');
}

/**
 * Returns the pairs. A typed command gives an array of pairs. A platform with a single input field for the option gives
 * one text with all pairs, separated by blanks as in a shell.
 */
function pairsIn(given: RawValue): string[] {
  return Array.isArray(given) ? given.map(String) : tokenise(String(given)).map(({ text }) => text);
}

function variableIn(pair: string, which: string): Variable {
  const at = pair.indexOf('=');
  if (at < 0)
    throw new InputError('env-shape', `${which} has no equals sign.`, {
      hint: 'Write a name, an equals sign and a value: MODE=race. Put a value with spaces in quotation marks: MOTD="two words".',
    });
  const [key, value] = [pair.slice(0, at).trim(), pair.slice(at + 1)];
  if (!KEY.test(key))
    throw new InputError('env-key', `${which} has a name that cannot be used.`, {
      hint: 'A name has letters, digits, dots, dashes and underscores, and does not begin with a digit.',
    });
  if (key.length > MAX_KEY)
    throw new InputError(
      'env-key-long',
      `${which} has a name of ${key.length} characters; at most ${MAX_KEY} fit.`,
      {
        hint: 'Give the variable a shorter name.',
      },
    );
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_VALUE)
    throw new InputError(
      'env-too-long',
      `The value of ${key} has ${bytes} bytes; at most ${MAX_VALUE} fit.`,
      {
        hint: 'Put a long value into the image, or let the server download the value.',
      },
    );
  if (CONTROL.test(value) || !value.isWellFormed())
    throw new InputError('env-control', `The value of ${key} has an invisible control character.`, {
      hint: 'Type the value by hand.',
    });
  return { key, value };
}
