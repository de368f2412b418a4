import { closest, distance } from 'fastest-levenshtein';
import type { InvocationRequest } from '../chat/port.ts';
import { InputError } from '../errors.ts';
import type { Options, RawValue } from './kinds/kind.ts';
import { nameKey } from './same-name.ts';
import { usageHint } from './usage.ts';

/**
 * A longer command, name and values together, is read by nothing, nor is a longer field of a form: no command and no
 * field is as long, and reading takes time.
 */
export const MAX_REQUEST = 12_000;

/** Option values as given, by name. */
export type RawValues = Readonly<Record<string, RawValue>>;

/** `--name` or `--name=value`, with the dashes of any keyboard. */
const OPTION = /^(?:[-‐‑−]{2}|[‒–—―]{1,2})([^=]+)(?:=(.*))?$/su;

/**
 * Reads `kart-racing v1.2 --near Montreal --tag qa`: positional options in order, then `--name value` or
 * `--name=value`. What a phone's keyboard makes of it (curly quotes, a long dash for `--`) means what the person meant.
 * Throws InputError.
 */
export function parseText(text: string, command: string, options: Options): RawValues {
  return parseTokens(tokenise(text), command, options);
}

/** `hintAt`: the hint at an unknown option, where the caller has a better hint than the usage. */
export function parseTokens(
  tokens: readonly Token[],
  command: string,
  options: Options,
  hintAt?: (option: Token) => string | undefined,
): RawValues {
  const positional = Object.entries(options).filter(([, option]) => option.positional);
  const values: Record<string, string | boolean | string[]> = {};
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (!token) continue;
    const [, given, inline] = optionIn(token) ?? [];
    if (given === undefined) {
      const next = positional.find(([name]) => values[name] === undefined);
      if (!next || isMisspeltOption(token, options)) throw tooMany(token.text, command, options);
      set(next[0], token.text);
      continue;
    }
    const name = given.toLowerCase();
    if (!Object.hasOwn(options, name))
      throw new InputError('option-unknown', `${command} has no option ${quoted(`--${given}`)}.`, {
        hint: hintAt?.(token) ?? hintFor(name, command, options),
      });
    if (options[name]?.input.type === 'boolean' && inline === undefined) {
      set(name, true);
      continue;
    }
    const following = tokens[index + 1];
    const value = inline ?? (following && !optionIn(following) ? following.text : '');
    const hint = usageHint(command, options);
    if (!value.trim()) throw new InputError('value-missing', `--${name} needs a value.`, { hint });
    if (inline === undefined) index++;
    set(name, value);
  }
  return values;

  function set(name: string, value: string | boolean): void {
    const before = values[name];
    if (options[name]?.kind.many && typeof value === 'string') {
      if (Array.isArray(before)) before.push(value);
      else values[name] = [value];
      return;
    }
    if (before !== undefined)
      throw new InputError('given-twice', `${name} is given twice.`, { hint: usageHint(command, options) });
    values[name] = value;
  }
}

/** What is said to a request with more to read than any command or form has. */
export function tooLong(request: InvocationRequest): InputError | undefined {
  if (!isTooLong(request)) return undefined;
  return new InputError('text-too-long', `That is too long: I read at most ${MAX_REQUEST} characters.`, {
    hint: `Nothing was done. Type ${request.kind === 'form' ? 'less' : 'a shorter command'}.`,
  });
}

function isTooLong(request: InvocationRequest): boolean {
  if (request.kind === 'action') return false;
  // Each field alone: a platform takes so many fields, and so much in each.
  if (request.kind === 'form')
    return Object.values(request.fields).some(({ length }) => length > MAX_REQUEST);
  const { command, args } = request;
  const given = args.kind === 'text' ? [args.text] : Object.values(args.values);
  return [command, ...given].join('').length > MAX_REQUEST;
}

/** The known name nearest to a mistyped one, if any is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  // A comma for a dot, as in `v1,2`.
  const key = nameKey(name.replace(/(?<=\d),(?=\d)/g, '.'));
  const keys = known.map((one) => nameKey(one));
  const best = closest(key, keys);
  const isNear = distance(key, best) <= Math.max(1, Math.floor(best.length / 3));
  // Two letters in the wrong order are one slip of the fingers, and two of the distance.
  if (isNear || letters(key) === letters(best)) return known[keys.indexOf(best)];
  // Or what was typed is the beginning of one alone, as `dep` is of `deploy`.
  const begun = key.length > 1 ? known.filter((_, index) => keys[index]?.startsWith(key)) : [];
  return begun.length === 1 ? begun[0] : undefined;
}

function letters(word: string): string {
  return [...word].toSorted().join('');
}

/** Without what cannot be seen around it: a name that was copied from a web page may have a zero-width blank at its end. */
export function bare(text: string): string {
  return between(text, (character) => !/[\s\p{Cf}]/u.test(character));
}

/** From the first character of that sort to the last: a pattern for the end would begin anew at each blank before it. */
export function between(text: string, isOfIt: (character: string) => boolean): string {
  const characters = [...text];
  const end = characters.findLastIndex(isOfIt) + 1;
  return characters.slice(0, end).slice(characters.findIndex(isOfIt)).join('');
}

/** Without how the bot is spoken to, once more: `: list` and `/edgegap list` after a mention, `/list` as elsewhere. */
export function unaddressed(line: string): string {
  return line.replace(ADDRESS, '');
}

/** The first word of a line, and the rest. A colon or comma behind the word is forgiven: `tags: @last`. */
export function firstWord(line: string): [word: string, rest: string] {
  const [, word = '', rest = ''] = /^(\S*?)[:,]?(?:\s+(.*))?$/s.exec(line) ?? [];
  return [word, rest];
}

const ADDRESS =
  /^[\s\p{Cf}:,;!?.–—-]*(?:(?:[/@]edgegap[\w-]*|edgegap)(?![^\s:,;])[\s\p{Cf}:,;!?.–—-]*)?\/?\s*/iu;

/** Something a person typed, short enough to be quoted back. */
export function quoted(text: string): string {
  const shown = [...text].slice(0, 60).join('');
  return `“${shown}${shown.length < text.length ? '…' : ''}”`;
}

export interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

/** They are apostrophes too, where a letter follows. */
const SINGLE = "'‘’‚‛＇❛❜";
/** Families of quotation marks: each mark opens, and any of its family closes, as phones and languages mix them. */
const QUOTES = [SINGLE, '"“”„‟＂❝❞〝〞〟', '«»', '‹›', '「」', '『』', '《》', '〈〉', '｢｣'];

export function tokenise(text: string): Token[] {
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
      const quote = QUOTES.find((family) => family.includes(character));
      // An apostrophe inside a word is a letter; after `=` or at the start it opens a quotation.
      if (quote && (word === '' || characters[index - 1] === '=')) {
        isQuoted ||= word === '';
        const { inside, end } = quotation(characters, index, quote);
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
    } else if (closing.includes(character) && !(closing === SINGLE && /\p{L}/u.test(next))) {
      return { inside, end: at };
    } else {
      inside += character;
    }
  }
  throw new InputError('quote-open', `A quotation is opened with ${characters[start]} and never closed.`, {
    hint: 'Close it, or leave the quotation marks out: they are only needed around a value with spaces.',
  });
}

/** `-near`, with one dash too few. */
function isMisspeltOption({ text, quoted: isQuoted }: Token, options: Options): boolean {
  const bare = isQuoted ? undefined : /^-([\p{L}\d-]+)(?:=.*)?$/su.exec(text)?.[1];
  return bare !== undefined && Object.hasOwn(options, bare.toLowerCase());
}

/** The first `count` of those that are neither the name of an option nor, as it seems, the value of one. */
export function words(tokens: readonly Token[], count: number): Token[] {
  const named = (token: Token | undefined) => token !== undefined && optionIn(token) !== undefined;
  return tokens
    .filter((token, nth) => !named(token) && (!named(tokens[nth - 1]) || tokens[nth - 1]?.text.includes('=')))
    .slice(0, count);
}

/** The name of an option, and the value that stands in the same token. */
export function optionIn({ text, quoted: isQuoted }: Token): RegExpExecArray | undefined {
  return (!isQuoted && OPTION.exec(text)) || undefined;
}

function tooMany(text: string, command: string, options: Options): InputError {
  const [, name] = /^[\p{Pd}−]+([^=]+)/u.exec(text) ?? [];
  return new InputError('argument-extra', `I do not know what to do with ${quoted(text)}.`, {
    hint: hintFor(name, command, options),
  });
}

/** The option that was meant, where there is one like it. */
function hintFor(name: string | undefined, command: string, options: Options): string {
  const near = name && nearest(name, Object.keys(options));
  return near ? `Did you mean --${near}?` : usageHint(command, options);
}
