import { closest, distance } from 'fastest-levenshtein';
import { InputError } from '../errors.ts';
import { type OptionSpecs, usageOf } from './options.ts';

/** Longest text a person can type after a command. A chat message is 2000 (Discord) to 4000 characters (Slack). */
const MAX_TEXT = 2_000;

/** Option values as given, before they are checked: one string, or several for a list; true for a bare flag. */
export type RawValues = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/**
 * Reads `kart-racing v1.2 --near Montreal --tag qa`: positional options in order, then `--name value` or
 * `--name=value`. What a phone's keyboard makes of it (curly quotes, a long dash for `--`) means what the person meant.
 * Throws InputError.
 */
export function parseText(text: string, command: string, specs: OptionSpecs): RawValues {
  if (text.length > MAX_TEXT)
    throw new InputError('text-too-long', `That is ${text.length} characters; I read at most ${MAX_TEXT}.`, {
      hint: usageHint(command, specs),
    });
  const positional = Object.entries(specs).filter(([, spec]) => spec.positional);
  const values: Record<string, string | boolean | string[]> = {};
  const valueMissing = (name: string) =>
    new InputError('value-missing', `--${name} needs a value.`, { hint: usageHint(command, specs) });
  const tokens = tokenise(text);
  let position = 0;
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (!token) continue;
    const named = token.quoted ? undefined : /^(?:--|[—–])([^=]+)(?:=(.*))?$/su.exec(token.text);
    if (!named) {
      const option = positional[position++];
      if (!option || isMisspeltOption(token, specs)) throw tooMany(token.text, command, specs);
      set(option[0], token.text);
      continue;
    }
    const name = optionName(named[1] ?? '', command, specs);
    const spec = specs[name];
    if (spec?.kind === 'boolean' && named[2] === undefined) {
      set(name, true);
      continue;
    }
    const following = tokens[index + 1];
    const value = named[2] ?? following?.text;
    if (!value?.trim() || (named[2] === undefined && following && isOptionName(following)))
      throw valueMissing(name);
    if (named[2] === undefined) index++;
    set(name, value);
  }
  return values;

  function set(name: string, value: string | boolean): void {
    if (specs[name]?.kind === 'list' && typeof value === 'string') {
      const items = values[name];
      values[name] = [...(Array.isArray(items) ? items : []), value];
      return;
    }
    if (Object.hasOwn(values, name))
      throw new InputError('given-twice', `${name} is given twice.`, { hint: usageHint(command, specs) });
    values[name] = value;
  }
}

/** `Use: deploy <application> <version> [--near <city>]`. */
export function usageHint(command: string, specs: OptionSpecs): string {
  return `Use: ${usage(command, specs)}`;
}

export function usage(command: string, specs: OptionSpecs): string {
  return [command, ...Object.entries(specs).map(([name, spec]) => usageOf(name, spec))].join(' ');
}

/** The known name nearest to a mistyped one, if any is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const lower = name.toLowerCase();
  const best = closest(
    lower,
    known.map((one) => one.toLowerCase()),
  );
  const found = known.find((one) => one.toLowerCase() === best);
  const isNear = distance(lower, best) <= Math.max(1, Math.floor(best.length / 3));
  // Two letters in the wrong order are one slip of the fingers, and two of the distance.
  if (isNear || letters(lower) === letters(best)) return found;
  // Or what was typed is the beginning of one alone, as `dep` is of `deploy`.
  const begun = lower.length > 1 ? known.filter((one) => one.toLowerCase().startsWith(lower)) : [];
  return begun.length === 1 ? begun[0] : undefined;
}

function letters(word: string): string {
  return [...word].toSorted().join('');
}

/** Without what cannot be seen around it: a name that was copied from a web page may have a zero-width blank at its end. */
export function bare(text: string): string {
  return text.replace(/^[\s\p{Cf}]+|[\s\p{Cf}]+$/gu, '');
}

/** Something a person typed, short enough to be quoted back. */
export function quoted(text: string): string {
  const shown = [...text].slice(0, 60).join('');
  return `“${shown}${shown.length < text.length ? '…' : ''}”`;
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

/** Each quotation mark, and what can close it: phones and languages mix them. */
const CLOSING: Readonly<Record<string, string>> = { '"': '"“”„', "'": "'‘’‚" };

function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  const characters = [...text];
  let index = 0;
  while (index < characters.length) {
    if (/\s/u.test(characters[index] ?? '')) {
      index++;
      continue;
    }
    let word = '';
    let isQuoted = false;
    while (index < characters.length && !/\s/u.test(characters[index] ?? '')) {
      const character = characters[index] ?? '';
      const quote = opening(character);
      // An apostrophe inside a word is a letter; after `=` or at the start it opens a quotation.
      if (quote && (word === '' || word.endsWith('='))) {
        isQuoted ||= word === '';
        const { inside, end } = quotation(characters, index, CLOSING[quote] ?? '');
        word += inside;
        index = end + 1;
      } else {
        word += character;
        index++;
      }
    }
    tokens.push({ text: word, quoted: isQuoted });
  }
  return tokens;
}

/** What is between the quotation mark at `start` and the one that closes it; a backslash keeps a mark from closing. */
function quotation(characters: readonly string[], start: number, closing: string) {
  let inside = '';
  for (let at = start + 1; at < characters.length; at++) {
    const character = characters[at] ?? '';
    const next = characters[at + 1] ?? '';
    if (character === '\\' && next !== '' && (next === '\\' || closing.includes(next))) {
      inside += next;
      at++;
    } else if (closing.includes(character)) {
      return { inside, end: at };
    } else {
      inside += character;
    }
  }
  throw new InputError('quote-open', `A quotation is opened with ${characters[start]} and never closed.`, {
    hint: 'Close it, or leave the quotation marks out: they are only needed around a value with spaces.',
  });
}

function opening(character: string): string | undefined {
  return Object.keys(CLOSING).find((quote) => CLOSING[quote]?.includes(character));
}

/** `-near`, with one dash too few. */
function isMisspeltOption({ text, quoted: isQuoted }: Token, specs: OptionSpecs): boolean {
  const bare = isQuoted ? undefined : /^-([\p{L}\d-]+)(?:=.*)?$/su.exec(text)?.[1];
  return bare !== undefined && Object.hasOwn(specs, bare.toLowerCase());
}

function isOptionName({ text, quoted: isQuoted }: Token): boolean {
  return !isQuoted && /^(?:--|[—–])[^=]/u.test(text);
}

function optionName(given: string, command: string, specs: OptionSpecs): string {
  const name = given.toLowerCase();
  if (Object.hasOwn(specs, name)) return name;
  const near = nearest(name, Object.keys(specs));
  throw new InputError('option-unknown', `${command} has no option ${quoted(`--${given}`)}.`, {
    hint: near ? `Did you mean --${near}?` : usageHint(command, specs),
  });
}

function tooMany(text: string, command: string, specs: OptionSpecs): InputError {
  const bare = /^[-—–]+([^=]+)/u.exec(text)?.[1];
  const near = bare && nearest(bare, Object.keys(specs));
  return new InputError('argument-extra', `I do not know what to do with ${quoted(text)}.`, {
    hint: near ? `Did you mean --${near}?` : usageHint(command, specs),
  });
}
