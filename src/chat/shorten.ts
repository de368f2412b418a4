import type { Field, Inline, Message, Rich } from './card.ts';

/**
 * Number of fields at the end of a long list that are always shown, because they hold the location and the id. The
 * earlier fields are all alike, so some of them can be left out.
 */
const LAST = 3;

/**
 * Cuts a message to at most `most` fields in each group of fields and at most `most` pieces in each text, and adds the
 * number of omitted parts. Renderers need this function, because data can have any length, but a platform limits the
 * length of a message.
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

/** Only omitted parts with markup are counted. Plain strings are just the commas between these parts. */
function shortenRich(rich: Rich, most: number): Rich {
  if (rich.length <= most) return rich;
  const left = rich.slice(most).filter((inline: Inline) => typeof inline !== 'string').length;
  return [...rich.slice(0, most), left > 0 ? ` … and ${left} more` : '…'];
}

/**
 * Returns the largest number from `low` to `high` for which `good` is true. Returns undefined if `good(low)` is false.
 * If `good` is true for a number, it must be true for every smaller number. The function tries `high` first, because
 * most texts fit without a cut.
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
