import { ip } from './ip.ts';
import type { Kind } from './kind.ts';
import { parseTag } from './tag.ts';

/** What a list can be of: how each item is checked. */
const items = { ip, tag: parseTag };

export const list: Kind<readonly string[], { readonly of: keyof typeof items }> = {
  placeholder: 'a,b',
  many: true,
  input: () => ({ type: 'text', maxLength: 1000 }),
  parse(given, { of }, settings) {
    const values = [given]
      .flat()
      .flatMap((part) => String(part).split(','))
      .map((part) => part.trim())
      .filter((part) => part !== '');
    return [...new Set(values.map((value) => items[of](value, settings)))];
  },
};
