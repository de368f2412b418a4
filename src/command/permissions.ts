/** The permissions, each with the level that a person needs. */
export const permissions = {
  help: 'open',
  'deployments.read': 'read',
  'deployments.deploy': 'change',
  'deployments.stop': 'change',
  'deployments.tag': 'change',
  'bot.operate': 'change',
} as const satisfies Record<string, PermissionLevel>;

/** `open`: all members of the served server or workspace; `read`: readers and operators; `change`: operators. */
export type PermissionLevel = 'open' | 'read' | 'change';

export type Permission = keyof typeof permissions;

/** For each permission to change something: the sentence that tells a person that nothing was changed. */
export const noEffect: Readonly<Partial<Record<Permission, string>>> = {
  'deployments.deploy': 'Nothing was deployed.',
  'deployments.stop': 'Nothing was stopped.',
  'deployments.tag': 'Nothing was changed.',
  'bot.operate': 'I go on running.',
};
