import { BlockList, isIP, SocketAddress } from 'node:net';
import { isOwnTag } from '../edgegap/outside.ts';
import { InputError } from '../errors.ts';
import { bare, quoted, type RawValues, usageHint } from './argv.ts';
import type { OptionSpec, OptionSpecs } from './options.ts';
import { namesakes, unquoted } from './same-name.ts';

export interface ParseSettings {
  readonly maxTagLength: number;
}

/**
 * Checks each value by itself: present where required, of the right form. Whether what it names exists is `resolve`'s
 * question, and so is an application or version that is not given. Needs nothing but the values, so it comes before any
 * acknowledgement. Throws InputError.
 */
export function parseValues(
  raw: RawValues,
  command: string,
  specs: OptionSpecs,
  settings: ParseSettings,
): Record<string, unknown> {
  const stale = Object.keys(raw).find((name) => !Object.hasOwn(specs, name));
  if (stale !== undefined)
    throw new InputError('option-stale', `${command} no longer has the option ${quoted(stale)}.`, {
      hint: 'My commands have changed since they were registered here. Whoever runs me can run: npm run register',
    });
  const parsed: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(specs)) {
    const value = raw[name];
    if (value !== undefined && !isBlank(value)) parsed[name] = parseOne(value, name, spec, settings);
    else if (isRequired(spec)) throw argumentMissing(name, command, specs);
    // Which there are is Edgegap's to say.
    else if (spec.required) continue;
    // Taken as not given, a filter would be left out, and a deployment would go somewhere else.
    else if (value !== undefined)
      throw new InputError('value-missing', `${name} is given without a value.`, {
        hint: 'Give it a value, or leave it out.',
      });
  }
  return parsed;
}

/** Here and now: what `resolve` can say more about is left to it. */
function isRequired({ required = false, kind }: OptionSpec): boolean {
  return required && kind !== 'application' && kind !== 'version';
}

/** `known` is a sentence with what could be given. */
export function argumentMissing(name: string, command: string, specs: OptionSpecs, known = ''): InputError {
  const what = lowerFirst(specs[name]?.description ?? '');
  return new InputError('argument-missing', `${command} needs ${article(name)}: ${what}.`, {
    hint: `${known} ${usageHint(command, specs)}`.trim(),
  });
}

/** Holds nothing to go by: blanks, or commas without anything between them. */
function isBlank(value: RawValues[string]): boolean {
  if (typeof value === 'number' || typeof value === 'boolean') return false;
  return [value].flat().every((part) => /^[\s,\p{Cf}]*$/u.test(part));
}

function parseOne(
  value: string | number | boolean | readonly string[],
  name: string,
  spec: OptionSpec,
  settings: ParseSettings,
): unknown {
  switch (spec.kind) {
    case 'integer':
      return integer(String(value), name, spec.min, spec.max);
    case 'boolean':
      return boolean(value, name);
    case 'list':
      return list(value, spec.of === 'ip' ? ip : (item) => tag(item, settings), SEPARATORS[spec.of]);
    case 'choice':
      return choice(String(value), name, spec.choices);
    case 'tag':
      return tag(text(value, name, 200), settings);
    case 'deployment':
      return parseRequestId(text(bare(String(value)), name, 100_000));
    case 'string':
      return text(value, name, spec.maxLength ?? 200);
    case 'application':
    case 'version':
      // The vendor's own bound for both names.
      return text(bare(String(value)), name, 64);
    case 'location':
      return text(bare(String(value)), name, 100);
  }
}

function text(value: unknown, name: string, maxLength: number): string {
  const trimmed = String(value).trim();
  const length = [...trimmed].length;
  if (length > maxLength)
    throw new InputError(
      'value-too-long',
      `${name} is ${length} characters long; at most ${maxLength} fit.`,
      { hint: `It begins with ${quoted(trimmed)}.` },
    );
  if (UNPRINTABLE.test(trimmed) || !trimmed.isWellFormed())
    throw new InputError('value-control', `${name} holds a line break or an invisible control character.`, {
      hint: 'Type it by hand, on one line.',
    });
  return trimmed;
}

/** Control characters, line separators, and what reverses the reading direction. Not the joiners of emoji. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

function integer(value: string, name: string, min: number, max: number): number {
  const number = Number(value.trim());
  if (!/^[+-]?\d+$/.test(value.trim()) || number < min || number > max)
    throw new InputError(
      'not-a-number',
      `${name} must be a whole number from ${min} to ${max}, not ${quoted(value)}.`,
    );
  return number;
}

function boolean(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  const word = String(value).toLowerCase();
  if (/^(true|yes|on|1)$/.test(word)) return true;
  if (/^(false|no|off|0)$/.test(word)) return false;
  throw new InputError('not-a-flag', `${name} must be yes or no, not ${quoted(word)}.`);
}

function choice(value: string, name: string, choices: readonly string[]): string {
  const [found] = namesakes(value, choices, (one) => one);
  if (found !== undefined) return found;
  throw new InputError('not-a-choice', `${name} must be one of ${choices.join(', ')}, not ${quoted(value)}.`);
}

/** Commas, of a Chinese or Japanese keyboard too; of addresses whatever none holds. */
const SEPARATORS = { ip: /[,;，、\s]/u, tag: /[,，]/u } as const;

function list(
  value: string | number | boolean | readonly string[],
  item: (text: string) => string,
  separator: RegExp,
): string[] {
  const items = (Array.isArray(value) ? value : [String(value)])
    .flatMap((part) => part.split(separator))
    .map((part) => part.trim())
    .filter((part) => !isBlank(part));
  return [...new Set(items.map(item))];
}

function ip(value: string): string {
  const refused = (code: string, problem: string) =>
    new InputError(code, `${quoted(value)} is ${problem}.`, {
      hint: 'Give public IPv4 or IPv6 addresses of players, separated by commas, e.g. 203.0.113.7.',
    });
  const address = bareAddress(value);
  const version = isIP(address);
  if (version === 0) throw refused('not-an-ip', 'not an IP address');
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (privateAddresses.check(address, family))
    throw refused('ip-private', 'a private address, which does not say where a player is');
  if (reservedAddresses.check(address, family)) throw refused('ip-reserved', 'the address of no machine');
  return address;
}

/** Without quotation marks, nor what a sentence, a list or formatting puts around a word: `(93924761ccde).` */
function wordIn(value: string, around: string): string {
  const characters = [...unquoted(value).normalize('NFKC')];
  const isOfWord = (character: string) => !around.includes(character);
  const end = characters.findLastIndex(isOfWord) + 1;
  return characters.slice(0, end).slice(characters.findIndex(isOfWord)).join('');
}

/** Without protocol, port, brackets and the name of a network card; one of IPv4 that is written as one of IPv6 as what it is. */
function bareAddress(value: string): string {
  const whole = wordIn(value, ' *~()<>.,;!?').replace(/^[a-z]{2,8}:\/\//i, '');
  const text = whole.replace(/\/(?:32|128)?$/, '');
  const [, inner] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text) ?? /^([\d.]+):\d{1,5}$/.exec(text) ?? [];
  const address = (inner ?? text).trim().replace(/%.*$/s, '');
  if (isIP(address) !== 6) return address;
  return new SocketAddress({ address, family: 'ipv6' }).address.replace(/^::ffff:(?=.*\.)/, '');
}

/** Multicast, and what is kept for later, the broadcast address in it (RFC 1112, 4291). */
const reservedAddresses = listOf('224.0.0.0/4', '240.0.0.0/4', 'ff00::/8');

/** The ranges of a home, an office or one machine (RFC 1918, 1122, 3927, 6598; 4291, 4193). */
const privateAddresses = listOf(
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.168.0.0/16', '::/127', 'fe80::/10', 'fc00::/7'],
);

function listOf(...networks: string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

function tag(value: string, { maxTagLength }: ParseSettings): string {
  const length = [...value].length;
  if (length > maxTagLength)
    throw new InputError(
      'tag-too-long',
      `The tag ${quoted(value)} has ${length} characters; at most ${maxTagLength} fit.`,
      { hint: 'Choose a shorter one.' },
    );
  if (UNPRINTABLE.test(value) || !value.isWellFormed())
    throw new InputError('tag-control', 'A tag cannot hold a line break or an invisible control character.', {
      hint: 'Type it by hand, on one line.',
    });
  // As part of an address these mean another one.
  if (value === '.' || value === '..')
    throw new InputError('tag-dots', `${quoted(value)} cannot be a tag.`, { hint: 'Choose another name.' });
  if (isOwnTag(value))
    throw new InputError('tag-reserved', `The tag ${quoted(value)} is the bot’s own.`, {
      hint: 'It ties the deployment to its messages and cannot be used or changed. Choose another name.',
    });
  return value;
}

export function parseRequestId(value: string): string {
  const id = wordIn(value, ' *~#()<>[]{}.,;:!?');
  if (/^@last$/i.test(id)) return '@last';
  if (/^[A-Za-z0-9]{1,64}$/.test(id)) return id;
  throw new InputError('not-a-request-id', `${quoted(value)} is not a request_id.`, {
    hint: 'A request_id has letters and digits only, like 93924761ccde. The card of a deployment shows it; list shows all.',
  });
}

function article(name: string): string {
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
