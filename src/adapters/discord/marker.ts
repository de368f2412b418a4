import { createHash } from 'node:crypto';

/**
 * Turns a message's key into a number, by which the bot finds the message again. The number becomes the `id` of the
 * message's outermost component. The `id` is a 32-bit integer that the sender chooses. Discord stores the `id` and
 * returns it when the channel is read (Components Reference, "Anatomy of a Component"). Discord does not return the
 * `nonce` of a message, so the `nonce` cannot be used instead. Discord's client does not show the `id`. 31 bits are
 * enough to tell apart the messages that the bot posts in a channel within a few minutes.
 */
export function markerOf(key: string): number {
  const number = createHash('sha256').update(key).digest().readUInt32BE(0) & 0x7fff_ffff;
  // Discord itself assigns small numbers to components without an id, and treats 0 as no id.
  return number < 1000 ? number + 1000 : number;
}
