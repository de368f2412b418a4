/** What can be permitted, and whether it changes anything. */
export const permissions = {
  help: 'open',
  'deployments.read': 'read',
  'deployments.deploy': 'change',
  'deployments.stop': 'change',
  'deployments.tag': 'change',
} as const satisfies Record<string, PermissionLevel>;

/** `open`: everybody of the served server or workspace; `read`: readers and operators; `change`: operators. */
export type PermissionLevel = 'open' | 'read' | 'change';

export type Permission = keyof typeof permissions;

/** What a person is told where nothing came of it. */
export const nothingDone: Readonly<Partial<Record<Permission, string>>> = {
  'deployments.deploy': 'Nothing was deployed.',
  'deployments.stop': 'Nothing was stopped.',
  'deployments.tag': 'Nothing was changed.',
};
