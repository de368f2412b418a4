import { closest, distance } from 'fastest-levenshtein';
import type { InvocationRequest } from '../chat/port.ts';
import { InputError } from '../errors.ts';
import type { Option, Options, RawValue } from './kinds/kind.ts';
import { nameKey } from './same-name.ts';
import { excluded, usageHint } from './usage.ts';

/**
 * The maximum length, in characters, of a command (name and values together) and of a field of a form. The bot refuses
 * a longer text without parsing it, because parsing takes time and no real request is that long.
 */
export const MAX_REQUEST = 12_000;

/** The option values as the person typed or picked them, by the option's name. */
export type RawValues = Readonly<Record<string, RawValue>>;

/** Matches `--name` and `--name=value`, with any of the dash characters that keyboards produce. */
const OPTION = /^(?:[-‐‑−]{2}|[‒–—―]{1,2})([^=]+)(?:=(.*))?$/su;

/**
 * Reads a text such as `kart-racing v1.2 --near Montreal --tag qa`: first the positional options in order, then `--name
 * value` or `--name=value`. The keyboard of a phone makes curly quotation marks and turns `--` into a long dash. The
 * parser accepts these characters. Throws InputError.
 */
export function parseText(text: string, command: string, options: Options): RawValues {
  return parseTokens(tokenise(text), command, options);
}

/** `hintAt` can return a hint for an unknown option. The hint then replaces the usage line. */
export function parseTokens(
  tokens: readonly Token[],
  command: string,
  options: Options,
  hintAt?: (option: Token) => string | undefined,
): RawValues {
  const typed = new Set(tokens.map((token) => optionIn(token)?.[1]?.toLowerCase()));
  const isExcluded = ([, { unless }]: [string, Option]) => unless !== undefined && typed.has(unless);
  const all = Object.entries(options).filter(([, option]) => option.positional);
  const positional = all.filter((option) => !isExcluded(option));
  const values: Record<string, string | boolean | string[]> = {};
  let last: string | undefined;
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (!token) continue;
    const [, given, inline] = optionIn(token) ?? [];
    if (given === undefined) {
      const marked = markedBy(token, options);
      if (!marked && options[last ?? '']?.kind.secret) throw splitValue(last);
      const [next] = marked ?? positional.find(([name]) => values[name] === undefined) ?? [];
      if (isMisspeltOption(token, options)) throw tooMany(token.text, command, options, before(last));
      if (next === undefined) {
        const [left, { unless = '' } = {}] = all.find(isExcluded) ?? [];
        throw left
          ? excluded(left, unless, command, options)
          : tooMany(token.text, command, options, before(last));
      }
      set(next, token.text);
      last = undefined;
      continue;
    }
    const name = given.toLowerCase();
    last = name;
    if (!Object.hasOwn(options, name))
      throw new InputError('option-unknown', `${command} has no option ${quoted(`--${given}`)}.`, {
        hint: hintAt?.(token) ?? hintFor(name, command, options),
      });
    if (options[name]?.kind.onlyInForm) throw onlyInForm(name, command);
    if (options[name]?.input.type === 'boolean' && inline === undefined) {
      set(name, true);
      continue;
    }
    const following = tokens[index + 1];
    const value = inline ?? (following && !optionIn(following) ? following.text : '');
    if (!value.trim())
      throw new InputError('value-missing', `--${name} needs a value.`, {
        hint: usageHint(command, options),
      });
    if (inline === undefined) index++;
    set(name, value);
  }
  return values;

  /**
   * The option with this name and the value so far, as in `--name "value`, without a closing quotation mark. Empty if
   * the value is not text.
   */
  function before(name = ''): string {
    const value = [values[name]].flat().at(-1);
    return typeof value === 'string' ? `--${name} "${value}` : '';
  }

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

/** The error for a request that is longer than any real command or form. Undefined for a shorter request. */
export function tooLong(request: InvocationRequest): InputError | undefined {
  if (!isTooLong(request)) return undefined;
  return new InputError('text-too-long', `Your text is too long: I read at most ${MAX_REQUEST} characters.`, {
    hint: `Nothing was done. Type ${request.kind === 'form' ? 'less' : 'a shorter command'}.`,
  });
}

function isTooLong(request: InvocationRequest): boolean {
  if (request.kind === 'action' || request.kind === 'message') return false;
  // The limit applies to each field separately, because the platform limits the number of fields.
  if (request.kind === 'form')
    return Object.values(request.fields).some(({ length }) => length > MAX_REQUEST);
  const { command, args } = request;
  const given = args.kind === 'text' ? [args.text] : Object.values(args.values);
  return [command, ...given].join('').length > MAX_REQUEST;
}

/** The known name that is most similar to the mistyped `name`. Undefined if no known name is similar. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  // People may type a comma instead of a dot, as in `v1,2`.
  const key = nameKey(name.replace(/(?<=\d),(?=\d)/g, '.'));
  const keys = known.map((one) => nameKey(one));
  const best = closest(key, keys);
  const isNear = distance(key, best) <= Math.max(1, Math.floor(best.length / 3));
  // Two swapped letters are a single typing error, although `distance` counts two changes.
  if (isNear || letters(key) === letters(best)) return known[keys.indexOf(best)];
  // The typed text may be the beginning of exactly one known name, such as `dep` of `deploy`.
  const begun = key.length > 1 ? known.filter((_, index) => keys[index]?.startsWith(key)) : [];
  return begun.length === 1 ? begun[0] : undefined;
}

function letters(word: string): string {
  return [...word].toSorted().join('');
}

/**
 * The text without blanks and invisible characters at its ends. For example, a name copied from a web page may end with
 * a zero-width blank.
 */
export function bare(text: string): string {
  return between(text, (character) => !/[\s\p{Cf}]/u.test(character));
}

/**
 * The text from the first to the last character that `belongs` accepts. The function uses no regular expression,
 * because a pattern for the end of a text would start a slow match at each blank.
 */
export function between(text: string, belongs: (character: string) => boolean): string {
  const characters = [...text];
  const end = characters.findLastIndex(belongs) + 1;
  return characters.slice(0, end).slice(characters.findIndex(belongs)).join('');
}

/**
 * Removes the bot's name and a leading slash from the line. For example, `: list`, `/edgegap list` and `/list` become
 * `list`.
 */
export function unaddressed(line: string): string {
  return line.replace(ADDRESS, '');
}

/** Splits a line into its first word and the rest. A colon or comma after the word is ignored, as in `tags: @last`. */
export function firstWord(line: string): [word: string, rest: string] {
  const [, word = '', rest = ''] = /^(\S*?)[:,]?(?:\s+(.*))?$/s.exec(line) ?? [];
  return [word, rest];
}

const ADDRESS =
  /^[\s\p{Cf}:,;!?.–—-]*(?:(?:[/@]edgegap[\w-]*|edgegap)(?![^\s:,;])[\s\p{Cf}:,;!?.–—-]*)?\/?\s*/iu;

/** The person's text, cut after 60 characters and put in quotation marks. */
export function quoted(text: string): string {
  const shown = [...text].slice(0, 60).join('');
  return `“${shown}${shown.length < text.length ? '…' : ''}”`;
}

/** Writes a value as a person has to type the value, with quotation marks if necessary. */
export function asTyped(value: string): string {
  return /[\s"\u0027=]/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : value;
}

export interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

/** Single quotation marks. Inside a quotation, a mark before a letter is an apostrophe. */
const SINGLE = "'‘’‚‛＇❛❜";
/** Families of quotation marks. Any mark can open a quotation, and any mark of the same family closes it. */
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
      // At the start of a word, or after `=`, the mark opens a quotation. Anywhere else in a word, the mark is part of
      // the word.
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

/**
 * The text between the quotation mark at `start` and its closing mark. A mark after a backslash does not close the
 * quotation.
 */
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
    hint: 'Close the quotation, or leave the quotation marks out: only a value with spaces needs quotation marks.',
  });
}

/** The option whose values begin with the same mark as the token, for example with `@`. */
function markedBy({ text, quoted: isQuoted }: Token, options: Options) {
  if (isQuoted || text.length < 2) return undefined;
  return Object.entries(options).find(([, { kind }]) => kind.mark === text.charAt(0));
}

/** Whether the token is the name of an option after a single dash, such as `-near`. */
function isMisspeltOption({ text, quoted: isQuoted }: Token, options: Options): boolean {
  const bare = isQuoted ? undefined : /^-([\p{L}\d-]+)(?:=.*)?$/su.exec(text)?.[1];
  return bare !== undefined && Object.hasOwn(options, bare.toLowerCase());
}

/** The first `count` tokens that are not the name of an option and are probably not the value of an option. */
export function words(tokens: readonly Token[], count: number): Token[] {
  const named = (token: Token | undefined) => token !== undefined && optionIn(token) !== undefined;
  return tokens
    .filter((token, nth) => !named(token) && (!named(tokens[nth - 1]) || tokens[nth - 1]?.text.includes('=')))
    .slice(0, count);
}

/** Matches a token such as `--name` or `--name=value`. The groups of the match are the option's name and the value. */
export function optionIn({ text, quoted: isQuoted }: Token): RegExpExecArray | undefined {
  return (!isQuoted && OPTION.exec(text)) || undefined;
}

/** The error for a value that the chat would show to everybody. The error does not contain the value. */
function onlyInForm(name: string, command: string): InputError {
  return new InputError(
    'only-in-form',
    `${name} cannot be typed here, because the chat would show the value.`,
    {
      hint: `Nothing was done. In Slack or Discord, use \`${command}\` without any options: then I open a form in which nobody else sees the value.`,
    },
  );
}

/**
 * The error for a word that follows a secret value. The error does not contain the word, because the word may belong to
 * the secret value.
 */
function splitValue(name: string | undefined): InputError {
  return new InputError('value-split', `A word after the value of --${name} belongs to no option.`, {
    hint: `Put a value with spaces in quotation marks: \`--${name} MOTD="two words"\`. Repeat the option for each variable.`,
  });
}

/**
 * The error for a word that belongs to no option. `before` is the text of the option in front of the word, without the
 * closing quotation mark. If the word follows no option, `before` is empty.
 */
function tooMany(text: string, command: string, options: Options, before: string): InputError {
  const [, name] = /^[\p{Pd}−]+([^=]+)/u.exec(text) ?? [];
  const together = `If the words belong together, write \`${before} ${text}"\`.`;
  return new InputError('argument-extra', `I do not know what to do with ${quoted(text)}.`, {
    hint: before && !name ? together : hintFor(name, command, options),
  });
}

/**
 * A hint with the name of the option that the person probably meant. If no option has a similar name, the hint is the
 * usage line.
 */
function hintFor(name: string | undefined, command: string, options: Options): string {
  const near = name && nearest(name, Object.keys(options));
  return near ? `Did you mean \`--${near}\`?` : usageHint(command, options);
}
