import { createHash } from 'node:crypto';

/**
 * A message's key as a number, for the `id` of the message's outermost component. Discord stores the `id`, a 32-bit integer
 * that the sender chooses, and returns the `id` when the channel is read (Components Reference, "Anatomy of a Component");
 * the `nonce` of a message is not returned. People do not see the `id`. 31 bits are plenty among the bot's own messages of
 * a few minutes in one channel.
 */
export function markerOf(key: string): number {
  const number = createHash('sha256').update(key).digest().readUInt32BE(0) & 0x7fff_ffff;
  // Discord itself gives small numbers to components without an id; 0 counts as no id.
  return number < 1000 ? number + 1000 : number;
}
