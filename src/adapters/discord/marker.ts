import { createHash } from 'node:crypto';

/**
 * A message's key, as the number its outermost component carries. Discord stores a component's `id`, a 32-bit integer
 * of our choice, and returns it when the channel is read (Components Reference, "Anatomy of a Component"); the
 * `nonce` a message was posted with is not returned. Nobody sees it. 31 bits are plenty among the bot's own messages
 * of a few minutes in one channel.
 */
export function markerOf(key: string): number {
  const number = createHash('sha256').update(key).digest().readUInt32BE(0) & 0x7fff_ffff;
  // Small numbers are what Discord itself hands out to components without an id; 0 counts as none.
  return number < 1000 ? number + 1000 : number;
}
