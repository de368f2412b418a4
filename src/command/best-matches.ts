import { type SearchKey, searchKey } from './same-name.ts';

/** The maximum number of suggestions on any platform. Slack shows 100, and Discord shows 25. */
export const MOST_SUGGESTIONS = 100;

/**
 * Returns at most `MOST_SUGGESTIONS` items that match the typed text. First come the items that are equal to the text,
 * and then the items that begin with the text. Next come the items in which each typed word is the beginning of a word.
 * The items that contain each typed word anywhere come last. Within each of these groups, the items keep their order.
 * The comparison ignores case, accents and the order of the words.
 */
export function bestMatches<Item>(
  typed: string,
  items: Iterable<Item>,
  keyOf: (item: Item) => SearchKey,
): Item[] {
  const key = searchKey(typed);
  const words = key.spaced.split(' ');
  const groups: Item[][] = [[], [], [], []];
  for (const item of items) {
    const group = groups[rank(key, words, keyOf(item))];
    if (group && group.length < MOST_SUGGESTIONS) group.push(item);
  }
  return groups.flat().slice(0, MOST_SUGGESTIONS);
}

/** Like `bestMatches`, for a list of names. */
export function bestNames(typed: string, names: Iterable<string>): string[] {
  return bestMatches(typed, names, searchKey);
}

/** The number of the group in which `bestMatches` puts the item. The number is -1 if the item does not match. */
function rank(typed: SearchKey, words: readonly string[], { spaced, joined, all }: SearchKey): number {
  if (!words.every((word) => all.includes(word))) return -1;
  if (joined === typed.joined || (typed.joined !== '' && all.endsWith(`\n${typed.joined}`))) return 0;
  if (joined.startsWith(typed.joined)) return 1;
  const padded = ` ${spaced}`;
  return words.every((word) => padded.includes(` ${word}`)) ? 2 : 3;
}
