import type { Question } from '../chat/port.ts';
import { type Policy, refusal } from './authorise.ts';
import type { Services } from './define.ts';

/**
 * The suggestions for an option, which come from the option itself or from its kind. A person who may not use the
 * command gets no suggestions.
 */
export async function suggestions(
  { command, subcommand, option: name, at, typed, given, person }: Question,
  { services, policy }: { readonly services: Services; readonly policy: Policy },
): Promise<readonly string[]> {
  const { entries = [] } = services.directory.get(command) ?? {};
  const entry = entries.find(({ word }) => word === subcommand);
  const option = entry && Object.hasOwn(entry.options, name) ? entry.options[name] : undefined;
  if (!entry || !option?.suggest) return [];
  if (refusal(policy, at.platform, await person('cached'), entry.permission)) return [];
  return await option.suggest({ ...services, at, typed, given, fields: option });
}
