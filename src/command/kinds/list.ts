import { bare } from '../argv.ts';
import { NAME_LENGTH, plainText } from './checked-text.ts';
import { ip } from './ip.ts';
import type { Kind, RawValue } from './kind.ts';
import { parseTag } from './tag.ts';

/**
 * The types of items in a list. `parse` checks an item, and `between` matches a separator between two items. A blank
 * separates two addresses or hosts, but can be part of a tag.
 */
const items = {
  ip: { parse: ip, between: /[,;，、\s]/u },
  tag: { parse: parseTag, between: /[,，]/u },
  host: { parse: (value: string) => plainText(bare(value), 'host', NAME_LENGTH), between: /[,;，、\s]/u },
};

export const list: Kind<readonly string[], { readonly of: keyof typeof items }> = {
  placeholder: 'a,b',
  many: true,
  input: () => ({ type: 'text', maxLength: 1000 }),
  parse(given, { of }, settings) {
    return [...new Set(itemsIn(given, of).map((value) => items[of].parse(value, settings)))];
  },
};

/** The items of a list as the person typed them. */
export function itemsIn(given: RawValue, of: keyof typeof items): string[] {
  return [given]
    .flat()
    .flatMap((part) => String(part).split(items[of].between))
    .map((part) => part.trim())
    .filter((part) => !/^\p{Cf}*$/u.test(part));
}
