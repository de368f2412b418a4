import type { Choice } from '../chat/card.ts';
import { inOneDirection } from '../chat/direction.ts';
import type { SuggestionRequest } from '../chat/port.ts';
import { type Policy, refusal } from './authorise.ts';
import type { Services } from './define.ts';
import { addedTo } from './forms/added.ts';
import { isPrintable } from './kinds/checked-text.ts';
import type { Option } from './kinds/kind.ts';

/**
 * Returns the suggestions for an option. A person who may not use the command gets no suggestions. Values with
 * invisible characters are left out, because the option would refuse such values.
 */
export async function suggestions(
  { command, subcommand, option: name, at, typed, given, onlyOffered, person }: SuggestionRequest,
  { services, policy }: { readonly services: Services; readonly policy: Policy },
): Promise<readonly Choice[]> {
  const { entries = [] } = services.directory.get(command) ?? {};
  const entry = entries.find(({ word }) => word === subcommand);
  const option = entry && Object.hasOwn(entry.options, name) ? entry.options[name] : undefined;
  if (!entry || !option?.suggest) return [];
  if (refusal(policy, at.platform, await person('cached'), entry.permission)) return [];
  services.keepFresh();
  const { options } = entry;
  const lookup = { ...services, at };
  const added = await addedTo(given, entry, lookup);
  const about = { ...lookup, typed, given: { ...added?.values, ...given }, fields: option, options };
  const offered = await option.suggest(about);
  const known = offered.map((one) => (typeof one === 'string' ? { label: one, value: one } : one));
  const own = onlyOffered && mayBeNew(typed, known, option) ? [{ label: typed, value: typed }] : [];
  return [...known, ...own]
    .filter(({ value }) => value.trim() !== '' && isPrintable(value))
    .map((one) => ({ ...one, label: inOneDirection(one.label) }));
}

/** Whether the typed text itself may be a new value, so that the text must be among the suggestions. */
function mayBeNew(typed: string, known: readonly Choice[], { kind }: Option): boolean {
  if (known.some(({ value }) => value === typed)) return false;
  return !kind.field?.closed || known.length === 0;
}
