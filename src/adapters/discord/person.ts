import {
  type APIGuild,
  type APIGuildMember,
  type APIInteraction,
  PermissionFlagsBits,
} from 'discord-api-types/v10';
import type { Person } from '../../chat/port.ts';
import { allows } from './permissions.ts';

/**
 * The person who caused an interaction. Discord sends the member's present roles and permissions with every
 * interaction, so no request is needed, and the data cannot be out of date.
 */
export function personOf(interaction: APIInteraction, guilds: readonly string[]): Person {
  const { member } = interaction;
  const user = member?.user ?? interaction.user;
  if (!user) throw new Error('An interaction without a user');
  const home = member !== undefined && guilds.includes(interaction.guild_id ?? '');
  const permissions = BigInt(member?.permissions ?? 0);
  return personAs({ user, nick: member?.nick, roles: member?.roles ?? [] }, home, permissions);
}

/** A person without an interaction. The person's roles together give the permissions. */
export function memberAs(member: APIGuildMember, guild: APIGuild, guilds: readonly string[]): Person {
  // Every member has the role whose id equals the server's id (Permissions, "Permission Hierarchy").
  const held = guild.roles.filter(({ id }) => id === guild.id || member.roles.includes(id));
  const ofOwner = guild.owner_id === member.user.id ? PermissionFlagsBits.ManageGuild : 0n;
  const permissions = held.reduce((sum, role) => sum | BigInt(role.permissions), ofOwner);
  return personAs(member, guilds.includes(guild.id), permissions);
}

type Member = Pick<APIGuildMember, 'user' | 'nick' | 'roles'>;

/** On a server that the bot does not serve, a person's rights and roles do not count. */
function personAs({ user, nick, roles }: Member, home: boolean, permissions: bigint): Person {
  return {
    id: user.id,
    name: nick ?? user.global_name ?? user.username,
    home,
    guest: false,
    admin: home && allows(permissions, PermissionFlagsBits.ManageGuild),
    groups: home ? roles : [],
  };
}
