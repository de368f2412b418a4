import { InputError } from '../../errors.ts';
import { quoted, type RawValues } from '../argv.ts';
import type { Entry } from '../define.ts';
import type { Lookup, ParseSettings } from '../kinds/kind.ts';
import { withExpanded } from '../resolve.ts';

/**
 * The values that come from another value. For example, the value of the option `preset` adds the values of the preset.
 */
export interface Added {
  /** The value that adds the others, for example `preset “qa”`. */
  readonly by: string;
  readonly values: RawValues;
}

/**
 * The values that a preset among the given values adds. Undefined without a preset, or if the preset does not exist.
 * The check of the command later reports a preset that does not exist.
 */
export async function addedTo(
  given: RawValues,
  entry: Pick<Entry, 'name' | 'options'>,
  lookup: Lookup & { readonly settings: ParseSettings },
): Promise<Added | undefined> {
  const { options } = entry;
  const [name, option] =
    Object.entries(options).find(([one, { kind }]) => kind.expand && given[one] !== undefined) ?? [];
  const value = name === undefined ? undefined : given[name];
  if (name === undefined || option === undefined || value === undefined) return undefined;
  try {
    const parsed = option.kind.parse(value, { ...option, name }, lookup.settings);
    const all = await withExpanded({ [name]: parsed }, given, entry, lookup);
    const values = Object.entries(all).filter(([one]) => given[one] === undefined);
    return { by: `${name} ${quoted(String(parsed))}`, values: Object.fromEntries(values) };
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
