import type { APIMessage } from 'discord.js';
import { DeliveryError } from '../../errors.ts';
import type { MessageApi } from './api.ts';
import { limits } from './limits.ts';
import { markerOf } from './marker.ts';

/**
 * An id of Discord contains a time: the milliseconds since the start of 2015, shifted left by 22 bits (developer
 * reference, "Snowflakes").
 */
const DISCORD_EPOCH = 1_420_070_400_000;
/**
 * The search starts this long before the given time, because Discord's clock and this machine's clock may differ.
 * Searching further back is safe, because the marker is unique.
 */
const CLOCK_SKEW_MS = 60_000;
/**
 * Maximum number of pages that are read. The search covers only the few minutes between two attempts. In that time, a
 * channel gets fewer messages than these pages hold.
 */
const PAGES = 20;

/**
 * Finds the bot's own message that carries the key's marker and was posted at `since` or later. Throws DeliveryError if
 * the channel cannot be read, or can be read only in part.
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
  throw new DeliveryError('discord-history-too-long', 'This channel is too busy for me to search.', {
    outcome: 'unknown',
    retryable: false,
  });
}

/**
 * Throws if the bot lacks the permission "Read Message History". Discord does not report the missing permission, but
 * returns an empty list of messages (Message Resource, "Get Channel Messages").
 */
async function requireReadable(api: MessageApi, channel: string): Promise<void> {
  const newest = await api.history(channel, { limit: 1 });
  if (newest.length > 0) return;
  throw new DeliveryError('discord-unreadable', 'I cannot read this channel.', {
    hint: 'In the channel settings, under Permissions, allow me: Read Message History.',
    outcome: 'not-sent',
    retryable: false,
  });
}

export function snowflakeAt(time: number): string {
  return String(BigInt(Math.max(0, time - DISCORD_EPOCH)) << 22n);
}
