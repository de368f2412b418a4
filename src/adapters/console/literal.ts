/**
 * Literal text for a terminal. Text from a person, a log line or an API must not move the cursor, change colours,
 * change the title of the window or reverse the reading direction. Characters that could do so are replaced by visible
 * signs.
 */

// C0 and C1 controls (ECMA-48), the line and paragraph separators, and the bidirectional controls (UAX #9).
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu;

/** Makes a single line. A visible sign replaces each line break. */
export function literalLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r?\n/g, '⏎')
    .replace(/\t/g, ' ')
    .replace(UNSAFE, (character) => visible(character));
}

/**
 * Splits the text into lines at the line breaks. Replaces each tab by blanks up to the next multiple of eight columns.
 */
export function literalLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => literalLine(line.replace(/([^\t]*)\t/g, (_, before: string) => untab(before))));
}

function untab(before: string): string {
  return before + ' '.repeat(8 - (before.length % 8));
}

/** Unicode has pictures for the C0 controls, e.g. ␛ for escape. Other characters are shown by their code number. */
function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '␡';
  return `‹U+${code.toString(16).toUpperCase().padStart(4, '0')}›`;
}
