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
