import type { Person } from '../chat/port.ts';
import type { AccessRules } from '../config.ts';
import { RefusedError } from '../errors.ts';
import { type Permission, type PermissionLevel, permissions } from './permissions.ts';

export interface Policy {
  /** The rules of each platform, by the platform's name. */
  readonly rules: Readonly<Record<string, AccessRules>>;
  readonly readOnly: boolean;
}

/** The levels that operators have. */
const OPERATORS: readonly PermissionLevel[] = ['read', 'inspect', 'change'];

const REFUSALS: Readonly<Partial<Record<PermissionLevel, string>>> = {
  read: 'You may not look at servers here.',
  inspect: 'Only operators may examine the bot.',
  change: 'You may not change servers here.',
};

/** The answer of a command that every person may use, to a person who may use no other command. */
export const NO_ACCESS =
  'You may not look at or change servers here. Ask an administrator of this place for access.';

/** Why the person lacks the permission, in words for that person. Undefined if the person has the permission. */
export function refusal(policy: Policy, platform: string, person: Person, permission: Permission) {
  if (!person.home)
    return new RefusedError('not-home', 'I do not serve this place.', {
      hint: 'I answer only to members of the server or workspace I was set up for, in its own channels.',
    });
  const level = permissions[permission];
  if (level === 'open') return undefined;
  if (level === 'change' && policy.readOnly)
    return new RefusedError('read-only', 'I am set to read-only, so nothing can be changed from here.', {
      hint: 'Whoever runs me can unset READ_ONLY.',
    });
  const rules = policy.rules[platform];
  // TypeScript's types do not hold at run time. If a permission level has no rule, nobody gets the permission.
  if (rules && OPERATORS.includes(level) && isOperator(rules, person)) return undefined;
  if (level === 'read' && rules && isReader(rules, person)) return undefined;
  return new RefusedError('not-permitted', REFUSALS[level] ?? 'You may not do this here.', {
    hint: 'Ask an administrator of this place: access is granted by role or group in my settings.',
  });
}

function isOperator(rules: AccessRules, person: Person): boolean {
  return rules.operators ? isIn(rules.operators, person) : person.admin && !person.guest;
}

function isReader(rules: AccessRules, person: Person): boolean {
  if (rules.readers === 'everyone') return true;
  if (rules.readers) return isIn(rules.readers, person);
  return rules.readersByDefault === 'members' && !person.guest;
}

function isIn(ids: readonly string[], person: Person): boolean {
  return ids.some((id) => person.groups.includes(id));
}
