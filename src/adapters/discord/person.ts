import { type APIInteraction, PermissionFlagsBits, PermissionsBitField } from 'discord.js';
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
  // A server this bot does not serve is someone else's: what they are there counts for nothing here.
  const permissions = new PermissionsBitField(BigInt(home ? member.permissions : 0));
  return {
    id: user.id,
    name: member?.nick ?? user.global_name ?? user.username,
    home,
    guest: false,
    admin: permissions.has(PermissionFlagsBits.ManageGuild),
    groups: home ? member.roles : [],
  };
}
