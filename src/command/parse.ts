import { atOption, InputError } from '../errors.ts';
import { quoted, type RawValues } from './argv.ts';
import type { Option, Options, ParseSettings, RawValue } from './kinds/kind.ts';
import { argumentMissing, excluded, stale } from './usage.ts';

/**
 * Parses the values, without asking any service. Throws InputError if a required value is missing or if a value has the
 * wrong format. Later, `resolveValues` checks whether the named things exist. If the possible values of a missing
 * required option come from Edgegap, `resolveValues` reports the missing option, together with the possible values.
 */
export function parseValues(raw: RawValues, command: string, options: Options, settings: ParseSettings) {
  const unknown = Object.keys(raw).find((name) => !Object.hasOwn(options, name));
  if (unknown !== undefined) throw stale(`${command} no longer has the option ${quoted(unknown)}.`);
  const parsed: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) {
    const { kind, unless } = option;
    const required = option.required && !(unless && raw[unless] !== undefined);
    const value = raw[name];
    if (unless && value !== undefined && raw[unless] !== undefined)
      throw excluded(name, unless, command, options);
    if (value !== undefined && !isBlank(value)) parsed[name] = parse(value, { ...option, name }, settings);
    else if (required && !kind.known) throw argumentMissing(name, command, options);
    // A blank value is an error, and is not ignored. If blank values were ignored, a blank filter would match all
    // deployments, and a deploy with a blank location would use the default location.
    else if (!required && value !== undefined)
      throw new InputError('value-missing', `${name} is given without a value.`, {
        hint: 'Give a value, or leave the option out.',
        option: name,
      });
  }
  return parsed;
}

function parse(value: RawValue, about: Option & { readonly name: string }, settings: ParseSettings): unknown {
  try {
    return about.kind.parse(value, about, settings);
  } catch (error) {
    throw atOption(error, about.name);
  }
}

/** Whether the value consists only of blanks, invisible characters and commas. */
function isBlank(value: RawValue): boolean {
  if (typeof value === 'number' || typeof value === 'boolean') return false;
  return [value].flat().every((part) => /^[\s,\p{Cf}]*$/u.test(part));
}
