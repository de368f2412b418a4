import { isIP } from 'node:net';
import { isOwnTag } from '../deployments/deployment.ts';
import { InputError } from '../errors.ts';
import { quoted, type RawValues, usageHint } from './argv.ts';
import type { OptionSpec, OptionSpecs } from './options.ts';

export interface ParseSettings {
  readonly maxTagLength: number;
}

/**
 * Checks each value by itself: present where required, of the right form. Whether what it names exists is `resolve`'s
 * question. Needs nothing but the values, so it comes before any acknowledgement. Throws InputError.
 */
export function parseValues(
  raw: RawValues,
  command: string,
  specs: OptionSpecs,
  settings: ParseSettings,
): Record<string, unknown> {
  const parsed: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(specs)) {
    const value = raw[name];
    const empty = value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
    if (!empty) parsed[name] = parseOne(value, name, spec, settings);
    else if (spec.required)
      throw new InputError('argument-missing', `${command} needs ${article(name)}: ${spec.description}.`, {
        hint: usageHint(command, specs),
      });
  }
  return parsed;
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
      return list(value, (item) => (spec.of === 'ip' ? ip(item) : tag(item, settings)));
    case 'choice':
      return choice(String(value), name, spec.choices);
    case 'tag':
      return tag(text(value, name, 200), settings);
    case 'deployment':
      return requestId(text(value, name, 100_000));
    case 'string':
      return text(value, name, spec.maxLength ?? 200);
    case 'application':
    case 'version':
      // The vendor's own bound for both names.
      return text(value, name, 64);
    case 'location':
      return text(value, name, 100);
  }
}

function text(value: unknown, name: string, maxLength: number): string {
  const trimmed = String(value).trim();
  const length = [...trimmed].length;
  if (length > maxLength)
    throw new InputError(
      'value-too-long',
      `${name} is ${length} characters long; at most ${maxLength} fit.`,
      {
        hint: `It begins with ${quoted(trimmed)}.`,
      },
    );
  if (/\p{Cc}/u.test(trimmed))
    throw new InputError('value-control', `${name} holds a line break or another control character.`, {
      hint: 'Type it on one line.',
    });
  return trimmed;
}

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
  const found = choices.find((one) => one.toLowerCase() === value.trim().toLowerCase());
  if (found !== undefined) return found;
  throw new InputError('not-a-choice', `${name} must be one of ${choices.join(', ')}, not ${quoted(value)}.`);
}

function list(
  value: string | number | boolean | readonly string[],
  item: (text: string) => string,
): string[] {
  const items = (Array.isArray(value) ? value : [String(value)])
    .flatMap((part) => part.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return [...new Set(items.map(item))];
}

function ip(value: string): string {
  if (isIP(value) !== 0) return value;
  throw new InputError('not-an-ip', `${quoted(value)} is not an IP address.`, {
    hint: 'Give public IPv4 or IPv6 addresses of players, separated by commas, e.g. 203.0.113.7.',
  });
}

function tag(value: string, { maxTagLength }: ParseSettings): string {
  const length = [...value].length;
  if (length > maxTagLength)
    throw new InputError(
      'tag-too-long',
      `The tag ${quoted(value)} has ${length} characters; at most ${maxTagLength} fit.`,
      {
        hint: 'Choose a shorter one.',
      },
    );
  if (/\p{Cc}/u.test(value))
    throw new InputError('tag-control', 'A tag cannot hold a line break or another control character.');
  if (isOwnTag(value))
    throw new InputError('tag-reserved', `The tag ${quoted(value)} is the bot’s own.`, {
      hint: 'It ties the deployment to its messages and cannot be used or changed. Choose another name.',
    });
  return value;
}

function requestId(value: string): string {
  if (/^(@last|[A-Za-z0-9_-]{1,64})$/.test(value)) return value;
  throw new InputError('not-a-request-id', `${quoted(value)} is not a request_id.`, {
    hint: 'A request_id has letters and digits only, like 93924761ccde. The card of a deployment shows it; list shows all.',
  });
}

function article(name: string): string {
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}
