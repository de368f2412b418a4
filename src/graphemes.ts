/** Characters as people see them, and the columns that they take in a monospaced font. */
import { createRequire } from 'node:module';
import type stringWidth from 'string-width';

const require = createRequire(import.meta.url);
const ASCII = /^[ -~]*$/;

/**
 * The tables of Unicode, which take 50 ms and 7 MiB. They are loaded with the first text that needs them, because a bot
 * that has just started needs none.
 */
const tables = lazily(() => ({
  widthOf: (require('string-width') as { default: typeof stringWidth }).default,
  graphemes: new Intl.Segmenter('en', { granularity: 'grapheme' }),
}));

function lazily<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The number of columns that a text takes. */
export function widthOf(text: string): number {
  return ASCII.test(text) ? text.length : tables().widthOf(text);
}

/** The characters of a text. An accent that is stored as a character of its own belongs to the character before. */
export function graphemesOf(text: string): Iterable<Pick<Intl.SegmentData, 'segment'>> {
  return tables().graphemes.segment(text);
}
