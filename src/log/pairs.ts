import { type Sureness, surenessOf } from './names.ts';
import { MASK } from './patterns.ts';
import { blockValue, endOfLine, isBlank, quotedValue, spanTo, trimmed, type Value } from './value-spans.ts';
import { isHarmless, looksDrawn, looksMadeUp } from './values.ts';

/** The maximum number of characters between the field that contains a name and the field that contains its value. */
const NEAR = 200;
/** The search for the next pair covers this many characters after the start of a value without quotation marks. */
const REACH = 400;

/** Characters and words that separate a name from its value. */
const SEPARATOR =
  /={1,3}>|-{1,3}>|→|:=|[=:|│┃>,]|%3[AD]|(?<=[a-z]["'`]?)[^\S\n]{1,60}(?:(?:(?:(?:was|has\sbeen|is)\s)?(?:set|changed|updated|reset)\sto|(?:is|was|are)(?:\snow)?|to|has\s(?:the\s)?value)(?::[^\S\n]?|[^\S\n]{1,8}))?(?=[^\s=:>|-])/gi;
/** The start of the next pair, option or column. */
const NEXT_PAIR = /[\s,;](?:\s?["'{]?[\w.-]{1,40}["']?\s{0,2}(?:=|:(?!\/\/))|--?[a-z]|[|│┃])/i;

const NAME_CHARACTERS = new Set('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.');
const CLOSING = new Set('"\'`\\])');
const QUOTES = new Set('"\'`\\');
const BLANKS = new Set(' \t\u00a0');
/** The characters that end a bare word. */
const WORD_END = /[\s,;"'}]/g;

/**
 * If name and value are in two separate fields, `KEY_FIELD` matches the field with the name, and `VALUE_FIELD` matches
 * the field with the value.
 */
const KEY_FIELD = /^(?:key|name|variable|env|var|header|field|id|label|setting|property|param|parameter)$/i;
const VALUE_FIELD = /^(?:values?|val|content|stringvalue)$/i;
const HEADER = /^(?:proxy-|x-)?authorization$|^(?:set-)?cookie2?$/i;

interface Name {
  readonly text: string;
  readonly start: number;
  /** The quotation mark directly after the name, or ''. */
  readonly quote: string;
  /** The character before the name and its quotation mark. */
  readonly before: string;
  /** The word before the name, if only a space separates them. */
  readonly wordBefore: string;
}

/** A name whose possible value begins at `at`. */
interface Pair {
  readonly text: string;
  readonly name: Name;
  readonly mark: string;
  readonly at: number;
  readonly sureness: Sureness;
}

interface Found extends Value {
  readonly kind: 'key' | 'value';
  readonly secret: boolean;
}

/** Masks the values of names that belong to secrets, in all usual formats. Reads `text` only once. */
export function maskPairs(text: string): string {
  const spans: Value[] = [];
  let last: Found | undefined;
  const separator = new RegExp(SEPARATOR);
  for (let match = separator.exec(text); match; match = separator.exec(text)) {
    const name = nameBefore(text, match.index);
    if (!name || (match[0] === ':' && text[match.index + 1] === ':')) continue;
    const at = match.index + match[0].length;
    const field = fieldOf(text, name, match[0], at);
    const value = field ? last && pairOf(text, last, field) : secretValue(text, name, match[0], at);
    if (value) spans.push(value);
    // The search continues after the value. If name and value are in separate fields, the value may be in the first
    // field, which the search has already passed.
    if (value && value !== last) separator.lastIndex = Math.max(separator.lastIndex, value.end);
    if (field) last = value || (last?.kind === 'key' && field.kind === 'value') ? undefined : field;
  }
  return replaced(text, spans);
}

function replaced(text: string, spans: Value[]): string {
  let masked = '';
  let from = 0;
  for (const { start, end } of spans.sort((a, b) => a.start - b.start)) {
    if (start < from) continue;
    // Line breaks are kept, so that the number of lines does not change.
    masked += text.slice(from, start) + text.slice(start, end).replace(/[^\n]+/g, MASK);
    from = end;
  }
  return masked + text.slice(from);
}

function nameBefore(text: string, separator: number): Name | undefined {
  const end = withoutAside(text, startOf(BLANKS, text, separator, 60));
  const to = startOf(CLOSING, text, end, 8);
  let start = startOf(NAME_CHARACTERS, text, to);
  // In `\u0026sig` and `%26sig`, the `&` before the name is encoded.
  if (/[%\\]/.test(text.charAt(start - 1)))
    start += /^(?:u00[23].|[23][6f])/i.exec(text.slice(start, to))?.[0].length ?? 0;
  if (start === to) return undefined;
  const front = startOf(QUOTES, text, start, 8);
  const spaced = /[ :]/.test(text.charAt(start - 1));
  return {
    text: text.slice(start, to),
    start,
    quote: to < end && front < start ? text.slice(to, end) : '',
    before: text[front < start && to === end ? start - 1 : front - 1] ?? '\n',
    wordBefore: spaced ? text.slice(startOf(NAME_CHARACTERS, text, start - 1), start - 1) : '',
  };
}

/**
 * Skips a note between name and value, as in `password (from env)` or `token [12]`. A note that is the name of a secret
 * is not skipped.
 */
function withoutAside(text: string, end: number): number {
  if (!/[)\]]/.test(text.charAt(end - 1))) return end;
  const [aside = '', inner = ''] = /\s[([]([\w .#-]{1,24})[)\]]$/.exec(behind(text, end, 28)) ?? [];
  return surenessOf(inner, '') === 'no' ? end - aside.length : end;
}

/** Returns the start of the run of `characters` that ends at `end`. A name has at most 80 characters. */
function startOf(characters: ReadonlySet<string>, text: string, end: number, most = 80): number {
  let start = end;
  while (start > 0 && end - start < most && characters.has(text.charAt(start - 1))) start--;
  return start;
}

/** A field that holds either the name or the value of a secret, as in `{"key":"API_TOKEN","value":"abc"}`. */
function fieldOf(text: string, name: Name, separator: string, at: number): Found | undefined {
  if (!/[=:]/.test(separator)) return undefined;
  const kind = KEY_FIELD.test(name.text) ? 'key' : VALUE_FIELD.test(name.text) ? 'value' : undefined;
  if (!kind || surenessOf(name.text, name.wordBefore) === 'token') return undefined;
  const value = quotedValue(text, at) ?? spanTo(text, at, WORD_END);
  if (kind === 'value') return { ...value, kind, secret: false };
  if (!/^[\w.-]{2,80}$/.test(value.text)) return undefined;
  return { ...value, kind, secret: !/no|hardly/.test(surenessOf(value.text, '')) };
}

/**
 * Returns the value of a pair of fields, in which either field contains the name of a secret and the other field
 * contains its value.
 */
function pairOf(text: string, first: Found, second: Found): Value | undefined {
  const [key, value] = first.kind === 'key' ? [first, second] : [second, first];
  if (key.kind !== 'key' || value.kind !== 'value' || !key.secret) return undefined;
  const between = text.slice(first.end, Math.min(second.start, first.end + NEAR + 1));
  if (between.length > NEAR || /[{}]|\n[^\n]*\n/.test(between)) return undefined;
  return unlessHarmless(value, 'password');
}

/** Returns the value of a name, if the value must be masked. */
function secretValue(text: string, name: Name, separator: string, at: number): Value | undefined {
  const mark = separator.trim();
  if (mark !== '' && HEADER.test(name.text === 'header' ? name.wordBefore : name.text))
    return headerValue(text, name, at);
  const sureness = sureIn(text, name, separator, at);
  if (sureness === 'no') return undefined;
  const pair = { text, name, mark, at, sureness };
  if (/[|│┃>,]$/.test(mark) && !/[=-]>/.test(mark)) return cellValue(pair);
  const quoted = quotedValue(text, at, name.quote !== '');
  if (mark !== ':' && /^[a-z\s]*:?$/i.test(mark)) return wordedValue(pair, quoted);
  const short = quoted && name.quote && /^(?:pass|pwd|pw)$/i.test(name.text);
  return unlessHarmless(quoted ?? bareValue(pair), short ? 'password' : sureness, !mark.includes('='));
}

function unlessHarmless(value: Value, sureness: Sureness, mayBeSentence?: boolean): Value | undefined {
  return isHarmless(value.text, sureness, mayBeSentence) ? undefined : value;
}

/**
 * Returns the likelihood that the name belongs to a secret. In the query of an address, the name of a secret is often
 * shorter than in other places, for example `sig` or `key`.
 */
function sureIn(text: string, name: Name, separator: string, at: number): Sureness {
  const { text: word, start } = name;
  if (isParameter(text, start)) {
    if (/^(?:sig|signature|auth|pass|pwd)$|[-_]sig(?:nature)?$/i.test(word)) return 'password';
    if (/^(?:key|code|sid|session|session_?id|ticket|apikey)$/i.test(word)) return 'hardly';
  }
  if (separator === '=' && /^pwd$/i.test(word) && /[;,]\s?$/.test(behind(text, start, 2))) return 'password';
  if (/^code$/i.test(word) || (separator.trim() === '' && text[at] === undefined)) return 'no';
  return surenessOf(word, name.wordBefore);
}

function isParameter(text: string, start: number): boolean {
  return /(?:[?&;]|\\u0026|%26|%3F)$/i.test(behind(text, start, 6));
}

/** Returns the characters before `at`. */
function behind(text: string, at: number, count: number): string {
  return text.slice(Math.max(0, at - count), at);
}

/**
 * Returns the whole header as the value, because a scheme such as `Bearer` comes before the secret, and more pairs may
 * come after the secret.
 */
function headerValue(text: string, name: Name, at: number): Value | undefined {
  const quoted = quotedValue(text, at);
  let value = quoted ?? trimmed(text, at, endOfLine(text, at));
  if (!quoted && /["'`]/.test(name.before)) value = spanTo(text, at, new RegExp(`[${name.before}\n]`, 'g'));
  else if (!quoted && value.text.startsWith('[')) value = spanTo(text, value.start, /[\]\n]/g);
  if (/cookie/i.test(name.text) && !value.text.includes('=')) return undefined;
  const [, credentials = ''] = /^\w+\s(\S+)$/.exec(value.text) ?? [];
  return looksMadeUp(credentials) ? value : unlessHarmless(value, 'token');
}

/** Returns the value of the name if the value is a cell of a table, an element of a list, or the text between two tags. */
function cellValue({ text, name, mark, at, sureness }: Pair): Value | undefined {
  const { before, start } = name;
  const inTable = /[|│┃\n]/.test(before) || start === 0 || /[|│┃\n]\s{1,8}$/.test(behind(text, start, 9));
  let value: Value | undefined;
  if (mark === ',') value = name.quote ? quotedValue(text, at) : undefined;
  else if (mark === '>') value = before === '<' ? spanTo(text, at, /[<\n]/g) : undefined;
  else if (inTable) value = spanTo(text, at, /[|│┃\n]/g);
  // If a `:` or a `=` follows the text, the text is not a value but the next name.
  if (!value || (mark === ',' && /^\s{0,8}[:=]/.test(text.slice(value.end, value.end + 10))))
    return undefined;
  const variable = /^[A-Z0-9]+(?:_[A-Z0-9]+)+$/.test(name.text) && sureness !== 'hardly';
  return unlessHarmless(value, variable || mark === '>' ? sureness : 'perhaps');
}

/**
 * Handles `password is x`, `-token x`, `TOKEN   x` and `bearer x`. Masks only a value that looks like a secret, because
 * normal sentences may contain these words.
 */
function wordedValue({ text, name, mark, at, sureness }: Pair, quoted: Value | undefined): Value | undefined {
  const value = quoted ?? spanTo(text, at, WORD_END);
  const bare = value.text.replace(/[.,;!?)]+$/, '');
  const isOption = /^--?[a-z]/i.test(name.text);
  if (
    /[=:](?!=?$)|:$/.test(bare) ||
    isHarmless(bare, sureness === 'hardly' ? 'token' : sureness, !quoted || !isOption)
  )
    return undefined;
  const password = sureness === 'password';
  const odd = looksMadeUp(bare) && /\d|[@!#$%^&*]/.test(bare);
  const end = value.start + bare.length;
  const ends = /^[.,;!]?\s{0,4}(?:\n|$)/.test(text.slice(end, end + 8));
  const word = ends && password && !/(?:ed|ing|able|ible|ly|ful)$/.test(bare);
  if (mark !== '') return quoted || odd || word || looksDrawn(bare) ? value : undefined;
  if (isOption) return value;
  if (password) return quoted || odd || (word && /[_.]/.test(name.text)) ? value : undefined;
  if (looksDrawn(bare) || (UUID.test(bare) && /^token$/i.test(name.text))) return value;
  const long = bare.length >= 12 && odd && !quoted;
  return long && /^[A-Z0-9_]+_[A-Z0-9_]+$|^(?:bearer|basic)$/i.test(name.text) ? value : undefined;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f-]{13,}$/i;

/**
 * Returns a value without quotation marks. The value of a variable or of a line of settings has several words. Any
 * other value has a single word.
 */
function bareValue({ text, name, mark, at, sureness }: Pair): Value {
  if (isParameter(text, name.start)) return spanTo(text, at, /[\s&"'<>\\;#)]/g);
  if (/["'`]/.test(name.before) && !name.quote)
    return spanTo(text, at, new RegExp(`[${name.before}\n]`, 'g'));
  const block = mark === ':' ? blockValue(text, at) : undefined;
  if (block) return block;
  const word = spanTo(text, at, /[\s,;]/g);
  if (mark !== ':' && isHarmless(word.text, sureness, false)) return word;
  const line = endOfLine(text, at);
  const whole = line > word.end + REACH ? word : trimmed(text, word.start, line);
  const next = NEXT_PAIR.exec(whole.text);
  const { start } = whole;
  const long = next ? { start, end: start + next.index, text: whole.text.slice(0, next.index) } : whole;
  const beginsLine = /(?:^|\n)[^\S\n]{0,20}(?:- |export )?$/.test(behind(text, name.start, 30));
  const setting = sureness === 'password' && (mark === ':' ? next !== null : isBlank(text[at]));
  if (beginsLine || setting) return long;
  if (mark === '=' && /^[A-Z][A-Z0-9_]{3,}$/.test(name.text) && !isBlank(text[at]))
    return trimmed(text, start, start + `${long.text}, `.search(/[,;]\s/));
  if (mark === ':' && isHarmless(long.text, sureness)) return long;
  return /^,\S/.test(text.slice(word.end, word.end + 2)) && !next ? spanTo(text, at, /[\s;]/g) : word;
}
