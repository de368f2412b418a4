/*
 * Text in a monospaced font, and text that is too long. A character takes two columns where Unicode draws it wide: the
 * East Asian scripts, fullwidth forms and emoji (UAX #11, UTS #51); no column where it only combines with its neighbour.
 * A character that terminals disagree about counts as they mostly draw it.
 */
const WIDE =
  /^(?:\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Script=Bopomofo}|\p{Script=Yi}|[\u3000-\u303e\u31c0-\u31ef\uff01-\uff60\uffe0-\uffe6])/u;
// Halfwidth katakana and hangul belong to wide scripts and are narrow all the same.
const HALFWIDTH = /^[\uff61-\uffdc]/u;
const EMOJI = /^\p{Emoji_Presentation}|\ufe0f|^\p{Regional_Indicator}{2}/u;
const INVISIBLE = /^[\p{Mark}\p{Default_Ignorable_Code_Point}\p{Control}]+$/u;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const PLAIN = /^[\u0020-\u007e]*$/;

/** How many columns a text takes. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  return [...graphemes.segment(text)].reduce((sum, { segment }) => sum + widthOfGrapheme(segment), 0);
}

function widthOfGrapheme(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  if (HALFWIDTH.test(grapheme)) return 1;
  return WIDE.test(grapheme) || EMOJI.test(grapheme) ? 2 : 1;
}

/** Blanks after `text` until it is `columns` wide. */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

/** The longest beginning of `text` that fits into `columns`, at least one character of it. */
export function headOf(text: string, columns: number): string {
  let head = '';
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment);
    if (head !== '' && width > columns) break;
    head += segment;
  }
  return head;
}

/** A table as lines with aligned columns and two blanks between the columns; the head first. */
export function aligned(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  shown: (cell: string) => string,
): string[] {
  const lines = [columns, ...rows].map((row) => columns.map((_, column) => shown(row[column] ?? '')));
  const widths = columns.map((_, column) => Math.max(...lines.map((cells) => widthOf(cells[column] ?? ''))));
  const padded = lines.map((cells) => cells.map((cell, column) => padTo(cell, widths[column] ?? 0)));
  return padded.map((cells) => cells.join('  ').trimEnd());
}

/** Without line breaks, and with one blank where there were several. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** The first `length` characters, with an ellipsis where something was cut. Never splits a surrogate pair. */
export function cutEnd(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, Math.max(0, length - 1)).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
