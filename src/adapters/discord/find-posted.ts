import type { APIMessage } from 'discord.js';
import { DeliveryError } from '../../errors.ts';
import type { MessageApi } from './api.ts';
import { limits } from './limits.ts';
import { markerOf } from './marker.ts';

/** Discord's ids hold a time: milliseconds since 2015, 22 bits up (developer reference, "Snowflakes"). */
const DISCORD_EPOCH = 1_420_070_400_000;
/** Discord's clock and this machine's may differ; looking further back costs nothing, as the marker is unique. */
const CLOCK_SKEW_MS = 60_000;
/** Pages read before giving up: more than a channel gets in the few minutes between two attempts. */
const PAGES = 20;
/** Not among the many messages that were read, oldest first. */
const TOO_LONG = 'discord-history-too-long';
/** The channel shows nothing to the bot: it may be empty, or not for it to read. */
const UNREADABLE = 'discord-unreadable';

/**
 * The bot's own message that carries the key's marker, among those posted from `since` on. Throws DeliveryError where the
 * channel cannot be read, or not to its end.
 */
export async function findByMarker(
  api: MessageApi,
  channel: string,
  wanted: { key: string; since: number; author: string },
): Promise<APIMessage | undefined> {
  const marker = markerOf(wanted.key);
  let after = snowflakeAt(wanted.since - CLOCK_SKEW_MS);
  let seen = 0;
  for (let page = 0; page < PAGES; page++) {
    const messages = await api.history(channel, { after, limit: limits.historyPage });
    const found = messages.find(
      (message) => message.author.id === wanted.author && message.components?.[0]?.id === marker,
    );
    if (found) return found;
    seen += messages.length;
    if (messages.length < limits.historyPage) {
      if (seen === 0) await requireReadable(api, channel);
      return undefined;
    }
    after = messages.reduce((newest, { id }) => (BigInt(id) > BigInt(newest) ? id : newest), after);
  }
  throw new DeliveryError(TOO_LONG, 'This channel is too busy to look for a message in it.', {
    outcome: 'unknown',
    retryable: false,
  });
}

/** Without Read Message History Discord does not refuse, it returns nothing (Message Resource, "Get Channel Messages"). */
async function requireReadable(api: MessageApi, channel: string): Promise<void> {
  const newest = await api.history(channel, { limit: 1 });
  if (newest.length > 0) return;
  throw new DeliveryError(UNREADABLE, 'The bot cannot read this channel.', {
    hint: 'In the channel settings, Permissions, allow the bot: Read Message History.',
    outcome: 'not-sent',
    retryable: false,
  });
}

export function snowflakeAt(time: number): string {
  return String(BigInt(Math.max(0, time - DISCORD_EPOCH)) << 22n);
}
