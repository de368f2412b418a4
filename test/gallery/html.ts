/** Finished HTML, in which text from outside is escaped. */
export type Html = string & { readonly __html: true };

function escaped(text: string): Html {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`) as Html;
}

/** Puts HTML together. Only the texts of `plain` are escaped, and arrays are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly (Piece | readonly Piece[])[]): Html {
  const shown = (value: Piece | readonly Piece[]) => [value].flat().map(piece).join('');
  return parts.reduce((out, part, i) => out + shown(values[i - 1]) + part) as Html;
}

type Piece = Html | Plain | undefined | false;
/** Escapes the text. */
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
 * The signs of the bot, as pictures. The project has no font for emoji, and the signs must look the same on every
 * machine. For screen readers, the sign also stays in the text.
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

/** A piece of text, which begins with a match of `pattern`. `draw` makes the HTML. */
export type Rule = readonly [pattern: RegExp, draw: (match: RegExpExecArray) => Html];

/**
 * Draws a text piece by piece, each piece with the first rule that matches. At every position, at least one rule must
 * match.
 */
export function drawn(text: string, rules: readonly Rule[]): Html[] {
  const out: Html[] = [];
  for (let rest = text; rest !== ''; ) {
    const [pattern, draw] = rules.find(([rule]) => rule.test(rest)) as Rule;
    const match = pattern.exec(rest) as RegExpExecArray;
    out.push(draw(match));
    rest = rest.slice(match[0].length);
  }
  return out;
}
