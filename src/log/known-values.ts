import { MASK } from './patterns.ts';

/** A text reveals a part of a value if the text repeats at least this many consecutive characters of the value. */
const PIECE = 8;

/**
 * Masks each part of `text` that repeats one of the values or a piece of a value. A log may contain only a piece if the
 * end of the value was cut off. A short value is masked only as a separate word, because otherwise the value `1` would
 * mask all digits.
 */
export function maskValues(text: string, values: readonly string[]): string {
  const hidden = new Set<number>();
  const short: string[] = [];
  const pieces = new Set<string>();
  // JSON contains the value with JSON's escape sequences.
  for (const value of new Set(values.flatMap((one) => [one, JSON.stringify(one).slice(1, -1)]))) {
    if (value.length < PIECE) short.push(value);
    for (let from = 0; from + PIECE <= value.length; from++) pieces.add(value.slice(from, from + PIECE));
  }
  const hide = (at: number, length: number) => {
    for (let offset = 0; offset < length; offset++) hidden.add(at + offset);
  };
  for (let at = 0; at + PIECE <= text.length; at++)
    if (pieces.has(text.slice(at, at + PIECE))) hide(at, PIECE);
  for (const value of short)
    for (let at = text.indexOf(value); value !== '' && at >= 0; at = text.indexOf(value, at + 1))
      if (standsAlone(text, at, value.length)) hide(at, value.length);
  const parts = [...text.split('').entries()].map(([at, unit]) => {
    if (!hidden.has(at)) return unit;
    return hidden.has(at - 1) ? '' : MASK;
  });
  return parts.join('');
}

function standsAlone(text: string, at: number, length: number): boolean {
  const isWord = (unit: string | undefined) => unit !== undefined && /[\p{L}\p{N}]/u.test(unit);
  return !isWord(text[at - 1]) && !isWord(text[at + length]);
}
