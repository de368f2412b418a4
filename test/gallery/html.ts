/** Finished HTML, in which text from outside is escaped. */
export type Html = string & { readonly __html: true };

function escaped(text: string): Html {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`) as Html;
}

/** Joins parts of HTML. Only the texts of `plain` are escaped. Arrays are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly (Piece | readonly Piece[])[]): Html {
  const shown = (value: Piece | readonly Piece[]) => [value].flat().map(piece).join('');
  return parts.reduce((out, part, i) => out + shown(values[i - 1]) + part) as Html;
}

type Piece = Html | Plain | undefined | false;
/** A text that `html` escapes. */
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
 * The bot's emoji as pictures. The project has no emoji font, and the emoji must look the same on every machine. For
 * screen readers, the text still contains the emoji.
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

/** Draws a part of a text that begins with a match of `pattern`. `draw` makes the HTML. */
export type Rule = readonly [pattern: RegExp, draw: (match: RegExpExecArray) => Html];

/**
 * Draws a text part by part. The first rule that matches draws the next part. At every position, at least one rule must
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
