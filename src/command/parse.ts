import { InputError } from '../errors.ts';
import { quoted, type RawValues } from './argv.ts';
import type { Options, ParseSettings, RawValue } from './kinds/kind.ts';
import { argumentMissing, stale } from './usage.ts';

/**
 * Checks each value by itself: present where required, of the right form. `resolveValues` checks whether the thing that
 * a value names exists, and reports a missing required option whose possible values only Edgegap knows. Asks no
 * service, so runs before any acknowledgement. Throws InputError.
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
    // If a blank value counted as not given, a filter would not filter, and a deployment would go to another place.
    else if (!required && value !== undefined)
      throw new InputError('value-missing', `${name} is given without a value.`, {
        hint: 'Give a value, or leave the option out.',
      });
  }
  return parsed;
}

/** Whether the value holds only blanks, invisible characters and commas. */
function isBlank(value: RawValue): boolean {
  if (typeof value === 'number' || typeof value === 'boolean') return false;
  return [value].flat().every((part) => /^[\s,\p{Cf}]*$/u.test(part));
}
