import {
  type APIGuild,
  type APIGuildMember,
  type APIInteraction,
  PermissionFlagsBits,
  PermissionsBitField,
} from 'discord.js';
import type { Person } from '../../chat/port.ts';

/**
 * Who pressed or typed. Discord sends the member's roles and permissions along with every interaction, as they are at
 * that moment, so there is nothing to look up and nothing that could be stale.
 */
export function personOf(interaction: APIInteraction, guilds: readonly string[]): Person {
  const { member } = interaction;
  const user = member?.user ?? interaction.user;
  if (!user) throw new Error('An interaction without a user');
  const home = member !== undefined && guilds.includes(interaction.guild_id ?? '');
  const permissions = new PermissionsBitField(BigInt(member?.permissions ?? 0));
  return personAs({ user, nick: member?.nick, roles: member?.roles ?? [] }, home, permissions);
}

/** The same for somebody who is not there to press or type: what their roles may, Discord leaves to be added up. */
export function memberAs(member: APIGuildMember, guild: APIGuild, guilds: readonly string[]): Person {
  // The role that everybody has carries the server's own id (Permissions, "Permission Hierarchy").
  const held = guild.roles.filter(({ id }) => id === guild.id || member.roles.includes(id));
  const permissions = new PermissionsBitField(held.map((role) => BigInt(role.permissions)));
  if (guild.owner_id === member.user.id) permissions.add(PermissionFlagsBits.ManageGuild);
  return personAs(member, guilds.includes(guild.id), permissions);
}

type Member = Pick<APIGuildMember, 'user' | 'nick' | 'roles'>;

/** A server that this bot does not serve is someone else's: what a person is there counts for nothing here. */
function personAs({ user, nick, roles }: Member, home: boolean, permissions: PermissionsBitField): Person {
  return {
    id: user.id,
    name: nick ?? user.global_name ?? user.username,
    home,
    guest: false,
    admin: home && permissions.has(PermissionFlagsBits.ManageGuild),
    groups: home ? roles : [],
  };
}
