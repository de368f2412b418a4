import { InputError } from '../errors.ts';
import { quoted, type RawValues } from './argv.ts';
import type { Options, ParseSettings, RawValue } from './kinds/kind.ts';
import { argumentMissing, stale } from './usage.ts';

/**
 * Checks each value by itself: present where required, of the right form. Whether what it names exists is `resolve`'s
 * question, and so is a required option that only Edgegap can say more about. Needs nothing but the values, so it comes
 * before any acknowledgement. Throws InputError.
 */
export function parseValues(raw: RawValues, command: string, options: Options, settings: ParseSettings) {
  const unknown = Object.keys(raw).find((name) => !Object.hasOwn(options, name));
  if (unknown !== undefined) throw stale(`${command} no longer has the option ${quoted(unknown)}.`);
  const parsed: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) {
    const { kind, required } = option;
    const value = raw[name];
    if (value !== undefined && !isBlank(value))
      parsed[name] = kind.parse(value, { ...option, name }, settings);
    else if (required && !kind.known) throw argumentMissing(name, command, options);
    // Taken as not given, a filter would be left out, and a deployment would go somewhere else.
    else if (!required && value !== undefined)
      throw new InputError('value-missing', `${name} is given without a value.`, {
        hint: 'Give it a value, or leave it out.',
      });
  }
  return parsed;
}

/** Holds nothing to go by: blanks, or commas without anything between them. */
function isBlank(value: RawValue): boolean {
  if (typeof value === 'number' || typeof value === 'boolean') return false;
  return [value].flat().every((part) => /^[\s,\p{Cf}]*$/u.test(part));
}
