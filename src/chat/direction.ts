/**
 * Returns a message, or a part of a message, without the characters that reverse the reading direction. These
 * characters are invisible in every chat, but can make a name look like a different name.
 */
export function inOneDirection<Part>(part: Part): Part {
  if (typeof part === 'string') return part.replace(/\p{Bidi_Control}/gu, '') as Part;
  if (Array.isArray(part)) return part.map(inOneDirection) as Part;
  if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) return part;
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, inOneDirection(value)]),
  ) as Part;
}
