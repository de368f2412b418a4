/** Characters as people see them, and their width in columns of a monospaced font. */
import { createRequire } from 'node:module';
import type stringWidth from 'string-width';

const require = createRequire(import.meta.url);
const ASCII = /^[ -~]*$/;

/**
 * The Unicode tables take 50 ms and 7 MiB to load. They are loaded only for the first text that needs them, so a start
 * does not load them.
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

/** The characters of a text. An accent that is stored as a separate character belongs to the character before it. */
export function graphemesOf(text: string): Iterable<Pick<Intl.SegmentData, 'segment'>> {
  return tables().graphemes.segment(text);
}
