import { MASK } from './patterns.ts';

/** A text that repeats this many characters of a value in a row gives the value away in part. */
const PIECE = 8;

/**
 * Masks in `text` every place that repeats one of the values or a piece of a value, for example because the end of the
 * value was cut off. A short value is masked only where it stands alone, because otherwise the value `1` would mask all digits.
 */
export function maskValues(text: string, values: readonly string[]): string {
  const hidden = new Set<number>();
  // In JSON, a value stands with the escapes of JSON.
  for (const value of new Set(values.flatMap((one) => [one, JSON.stringify(one).slice(1, -1)]))) {
    const length = Math.min(PIECE, value.length);
    for (let from = 0; length > 0 && from + length <= value.length; from++) {
      const piece = value.slice(from, from + length);
      for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + 1))
        if (length === PIECE || standsAlone(text, at, length))
          for (let offset = 0; offset < length; offset++) hidden.add(at + offset);
    }
  }
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
