import type { Kind, Lookup, Options } from './kinds/kind.ts';
import { argumentMissing } from './usage.ts';

/**
 * Puts what exists in place of what was named: the location of a city, the deployment of a prefix; and makes sure that
 * an application and version are given where they must be, exist and can be deployed. Throws InputError with what to use
 * instead.
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
