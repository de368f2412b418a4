/**
 * A message, or a part of one, without what reverses the reading direction: one name could look like another, and no chat
 * shows that it does.
 */
export function inOneDirection<Part>(part: Part): Part {
  if (typeof part === 'string') return part.replace(/\p{Bidi_Control}/gu, '') as Part;
  if (Array.isArray(part)) return part.map(inOneDirection) as Part;
  if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) return part;
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, inOneDirection(value)]),
  ) as Part;
}
