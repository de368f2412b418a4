import { type APIInteraction, ChannelType, PermissionFlagsBits } from 'discord-api-types/v10';
import { DeliveryError } from '../../errors.ts';

const THREADS: readonly (ChannelType | undefined)[] = [
  ChannelType.AnnouncementThread,
  ChannelType.PublicThread,
  ChannelType.PrivateThread,
];

/** The permissions that the bot needs in a channel, with the names that Discord shows. */
export const NEEDED_PERMISSIONS: readonly (readonly [name: string, bit: bigint])[] = [
  ['View Channels', PermissionFlagsBits.ViewChannel],
  ['Send Messages', PermissionFlagsBits.SendMessages],
  ['Send Messages in Threads', PermissionFlagsBits.SendMessagesInThreads],
  ['Read Message History', PermissionFlagsBits.ReadMessageHistory],
  ['Attach Files', PermissionFlagsBits.AttachFiles],
];

/**
 * The link with which an administrator adds the bot to a server and grants the needed permissions. With `guild`, the
 * server is preselected.
 */
export function inviteLink(application: string, guild?: string): string {
  const url = new URL('https://discord.com/oauth2/authorize');
  const permissions = NEEDED_PERMISSIONS.reduce((sum, [, bit]) => sum | bit, 0n);
  const query = { client_id: application, scope: 'bot applications.commands', permissions: `${permissions}` };
  url.search = `${new URLSearchParams({ ...query, ...(guild === undefined ? {} : { guild_id: guild }) })}`;
  return url.href;
}

/** Whether the granted permissions include the needed permission. An administrator has every permission. */
export function allows(granted: bigint, needed: bigint): boolean {
  return (granted & (needed | PermissionFlagsBits.Administrator)) !== 0n;
}

/**
 * Makes sure that the bot's own token can post and edit in the interaction's channel. An answer to an interaction needs
 * no permission, so a successful answer does not prove that the bot can post. Discord sends the bot's permissions in
 * the channel with each interaction (`app_permissions`). Throws a DeliveryError that names the missing permissions.
 */
export function requirePosting(interaction: APIInteraction, withFiles: boolean): void {
  const thread = THREADS.includes(interaction.channel?.type);
  const needed: [name: string, bit: bigint][] = [
    ['View Channel', PermissionFlagsBits.ViewChannel],
    thread
      ? ['Send Messages in Threads', PermissionFlagsBits.SendMessagesInThreads]
      : ['Send Messages', PermissionFlagsBits.SendMessages],
    // Needed to reply to a message (Message Resource, "Create Message").
    ['Read Message History', PermissionFlagsBits.ReadMessageHistory],
  ];
  if (withFiles) needed.push(['Attach Files', PermissionFlagsBits.AttachFiles]);
  const granted = BigInt(interaction.app_permissions);
  const missing = needed.filter(([, bit]) => !allows(granted, bit)).map(([name]) => name);
  if (missing.length === 0) return;
  throw new DeliveryError('discord-missing-permissions', 'I may not post in this channel.', {
    hint: `In the channel settings, under Permissions, allow me: ${missing.join(', ')}. Then try again.`,
    outcome: 'not-sent',
    retryable: false,
  });
}
