import type { Field, Inline, Message, Rich } from './card.ts';

/**
 * Number of fields that are kept from the end of a long list, because the last fields hold the location and the id. The
 * fields before them are all alike, so some of them can be left out.
 */
const LAST = 3;

/**
 * Cuts a message to at most `most` fields in each group of fields and at most `most` pieces in each text, and adds how
 * many were left out. Used by renderers, because data can be of any length while a platform limits the length of a
 * message.
 */
export function shorten(message: Message, most: number): Message {
  if (message.kind === 'line') return { ...message, text: shortenRich(message.text, most) };
  return {
    ...message,
    nodes: message.nodes.map((node) => {
      if (node.kind === 'text' || node.kind === 'note')
        return { ...node, text: shortenRich(node.text, most) };
      return node.kind === 'fields' ? { ...node, fields: shortenFields(node.fields, most) } : node;
    }),
  };
}

export function shortenFields(fields: readonly Field[], most: number): readonly Field[] {
  const short = fields.map(({ label, value }) => ({ label, value: shortenRich(value, most) }));
  if (fields.length <= most) return short;
  const last = Math.min(LAST, most - 1);
  const first = most - last;
  const more: Field = { label: '…', value: [`and ${fields.length - most} more`] };
  return [...short.slice(0, first), more, ...short.slice(short.length - last)];
}

/**
 * Pieces with markup that are left out are counted. Plain strings are not counted, because they are only commas between
 * the pieces.
 */
function shortenRich(rich: Rich, most: number): Rich {
  if (rich.length <= most) return rich;
  const left = rich.slice(most).filter((inline: Inline) => typeof inline !== 'string').length;
  return [...rich.slice(0, most), left > 0 ? ` … and ${left} more` : '…'];
}

/**
 * Returns the largest number from `low` to `high` for which `good` is true, or undefined if `low` is not good. Every
 * number below a good number must be good, too. The highest number is tried first, because most texts fit whole.
 */
export function largest(low: number, high: number, good: (value: number) => boolean): number | undefined {
  if (low <= high && good(high)) return high;
  if (!good(low)) return undefined;
  let best = low;
  let bad = high;
  while (bad - best > 1) {
    const middle = Math.floor((best + bad) / 2);
    if (good(middle)) best = middle;
    else bad = middle;
  }
  return best;
}
