import type { Kind, Lookup, Options } from './kinds/kind.ts';
import { argumentMissing } from './usage.ts';

/**
 * Replaces names by the things that have these names, for example a city's name by its location, and the beginning of a
 * request_id by the deployment. Makes sure that an application and a version are given if they are required, that they
 * exist, and that they can be deployed. Throws InputError with a hint that lists values which can be used.
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
    resolved[name] = await kind.resolve(value, lookup, found, { ...option, name });
    found.set(kind, resolved[name]);
  }
  return resolved;
}
