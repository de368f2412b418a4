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

/** The answer to a person who may use only the commands that are open to every person. */
export const NO_ACCESS =
  'You may not look at or change servers here. Ask an administrator of this place for access.';

/** The error which tells the person why the permission is missing. Undefined if the person has the permission. */
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
  // TypeScript does not check types at run time. If `level` is an unknown level, the bot refuses the permission.
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
