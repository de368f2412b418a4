/** The permissions, each with the level that a person needs. */
export const permissions = {
  help: 'open',
  'deployments.read': 'read',
  'deployments.deploy': 'change',
  'deployments.stop': 'change',
  'deployments.tag': 'change',
  'presets.change': 'change',
  'bot.operate': 'change',
  'bot.inspect': 'inspect',
} as const satisfies Record<string, PermissionLevel>;

/**
 * The people who have the permission. `open`: all members of the Discord server or Slack workspace. `read`: readers and
 * operators. `change`: operators, but only if the bot is not read-only. `inspect`: operators.
 */
export type PermissionLevel = 'open' | 'read' | 'inspect' | 'change';

export type Permission = keyof typeof permissions;

/** For each permission to change something, the sentence which tells a person that nothing was changed. */
export const noEffect: Readonly<Partial<Record<Permission, string>>> = {
  'deployments.deploy': 'Nothing was deployed.',
  'deployments.stop': 'Nothing was stopped.',
  'deployments.tag': 'Nothing was changed.',
  'presets.change': 'No preset was changed.',
  'bot.operate': 'I go on running.',
};
