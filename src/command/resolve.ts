import { atOption, InputError } from '../errors.ts';
import { quoted, type RawValues } from './argv.ts';
import type { Entry } from './define.ts';
import type { Kind, Lookup, Options } from './kinds/kind.ts';
import { argumentMissing } from './usage.ts';

/**
 * Replaces names by the named things, for example the name of a city by a location, and the beginning of a request_id
 * by the deployment. Throws InputError, with a hint that lists possible values, in these cases: a named thing does not
 * exist, an application or version is inactive, or a required application or version is missing.
 */
export async function resolveValues(
  parsed: Readonly<Record<string, unknown>>,
  command: string,
  options: Options,
  lookup: Lookup,
): Promise<Record<string, unknown>> {
  const resolved: Record<string, unknown> = { ...parsed };
  const found = new Map<Kind, unknown>();
  for (const [name, option] of Object.entries(options)) {
    const { kind, required } = option;
    const value = parsed[name];
    if (value === undefined && required && kind.known)
      throw argumentMissing(name, command, options, await kind.known(lookup, found));
    if (typeof value !== 'string' || !kind.resolve) continue;
    resolved[name] = await kind
      .resolve(value, lookup, found, { ...option, name })
      .catch((error: unknown) => Promise.reject(atOption(error, name)));
    found.set(kind, resolved[name]);
  }
  return resolved;
}

/**
 * Adds to the error the names of the options that come from a preset. The person did not type these options, and must
 * know where they come from.
 */
export function withSource(
  error: unknown,
  parsed: Readonly<Record<string, unknown>>,
  all: RawValues,
  { options }: Entry,
): unknown {
  const [from, name] = Object.entries(parsed).find(([option]) => options[option]?.kind.expand) ?? [];
  const added = Object.keys(all).filter((option) => !Object.hasOwn(parsed, option));
  if (!(error instanceof InputError) || from === undefined || added.length === 0) return error;
  const gives = `The ${from} ${quoted(String(name))} gives ${new Intl.ListFormat('en-GB').format(added)}.`;
  const hint = `${error.hint ?? ''} ${gives}`.trim();
  const { missing, option } = error;
  return new InputError(error.code, error.userMessage, { hint, missing, option, cause: error });
}

/**
 * Returns the given values, together with the values of presets. For example, `--preset qa` adds the options that are
 * saved as `qa`. Throws InputError if the preset has an option that the command does not have.
 */
export async function withExpanded(
  parsed: Readonly<Record<string, unknown>>,
  given: RawValues,
  { name: command, options }: Pick<Entry, 'name' | 'options'>,
  lookup: Lookup,
): Promise<RawValues> {
  let all = given;
  for (const [name, { kind }] of Object.entries(options)) {
    const value = parsed[name];
    if (!kind.expand || value === undefined) continue;
    const more = await kind.expand(value, lookup).catch((error: unknown) => {
      throw atOption(error, name);
    });
    const gone = Object.keys(more).find((one) => !Object.hasOwn(options, one));
    if (gone !== undefined)
      throw new InputError(
        'preset-outdated',
        `The ${name} ${quoted(String(value))} has the option ${gone}, which ${command} no longer has.`,
        { hint: `Save the ${name} again without that option.`, option: name },
      );
    all = { ...more, ...all };
  }
  return all;
}
