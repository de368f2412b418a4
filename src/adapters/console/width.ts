/**
 * How many terminal columns a text takes. Two for what Unicode draws wide: the East Asian scripts, fullwidth
 * forms and emoji (UAX #11, UTS #51); none for what only combines with its neighbour. A character that terminals
 * disagree about counts as they mostly draw it.
 */
const WIDE =
  /^(?:\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Script=Bopomofo}|\p{Script=Yi}|[\u3000-\u303e\u31c0-\u31ef\uff01-\uff60\uffe0-\uffe6])/u;
// Halfwidth katakana and hangul belong to wide scripts and are narrow all the same.
const HALFWIDTH = /^[\uff61-\uffdc]/u;
const EMOJI = /^\p{Emoji_Presentation}|\ufe0f|^\p{Regional_Indicator}{2}/u;
const INVISIBLE = /^[\p{Mark}\p{Default_Ignorable_Code_Point}\p{Control}]+$/u;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const PLAIN = /^[\u0020-\u007e]*$/;

export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += widthOfGrapheme(segment);
  return width;
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
    width += widthOfGrapheme(segment);
    if (head !== '' && width > columns) break;
    head += segment;
  }
  return head;
}

function widthOfGrapheme(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  if (HALFWIDTH.test(grapheme)) return 1;
  return WIDE.test(grapheme) || EMOJI.test(grapheme) ? 2 : 1;
}
