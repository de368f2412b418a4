/** HTML that is complete: text from outside is escaped already. */
export type Html = string & { readonly __html: true };

export function escaped(text: string): Html {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`) as Html;
}

/** Puts HTML together. Plain strings are escaped, and arrays are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly (Piece | readonly Piece[])[]): Html {
  const shown = (value: Piece | readonly Piece[]) => [value].flat().map(piece).join('');
  return parts.reduce((out, part, i) => out + shown(values[i - 1]) + part) as Html;
}

type Piece = Html | Plain | undefined | false;
/** Text that is escaped. */
interface Plain {
  readonly text: string;
}

export function plain(text: string): Plain {
  return { text };
}

function piece(value: Piece): string {
  if (value === undefined || value === false) return '';
  return typeof value === 'string' ? value : withEmoji(value.text);
}

/**
 * The signs of the bot, drawn the same on every machine, as no font for emoji is a package of the project. The sign stays
 * in the text for screen readers.
 */
const SIGNS: Readonly<Record<string, string>> = {
  '⏳': 'hourglass',
  '🟢': 'green',
  '🔴': 'red',
  '⚠️': 'warning',
  '✅': 'tick',
  '❌': 'cross',
};
const SIGN = new RegExp(Object.keys(SIGNS).join('|'), 'g');

function withEmoji(text: string): string {
  return escaped(text).replace(SIGN, (sign) => `<i class="sign ${SIGNS[sign]}">${sign}</i>`);
}
