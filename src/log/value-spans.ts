const OPENING = /[^\S\n]{0,60}[[{(]?(?:[burf]{1,2}(?=["'])|[\w.]{1,20}\((?=["']))?(\\{0,7}["'`])/y;
/** In formatted JSON, the value may be on the next line, or may be the first value of a list on the next line. */
const OPENING_BELOW = new RegExp(`(?:[^\\S\\n]{0,8}\\[?\\r?\\n)?${OPENING.source}`, 'y');
/** `password: |`, followed by lines with more indentation. */
const BLOCK = /[^\S\n]{0,8}[|>][-+\d]{0,2}\r?\n([^\S\n]{1,40})([^\n]*(?:\n\1[^\n]*){0,255})/y;
/** `password:`, followed by a single word on the next line with more indentation. */
const WORD_BELOW = /[^\S\n]{0,8}\r?\n[^\S\n]{1,40}([^\s#-]\S{0,300}(?<![:{[]))(?=[^\S\n]{0,8}(?:\r?\n|$))/y;
/** Spaces, and the type that may precede a value in YAML. */
const BLANKS = /[^\S\n]{0,60}(?:!!?[a-z]{1,12}[^\S\n]{1,8})?/y;

export interface Value {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * A value between quotation marks. Without a closing mark, the value extends to the end of the line. With `orBelow`,
 * the value may start on the next line.
 */
export function quotedValue(text: string, at: number, orBelow = false): Value | undefined {
  const [whole = '', quote = ''] = matchAt(orBelow ? OPENING_BELOW : OPENING, text, at) ?? [];
  if (quote === '') return undefined;
  const from = at + whole.length;
  const start = from - quote.length;
  const mark = quote.slice(-1);
  const line = endOfLine(text, from);
  for (let to = text.indexOf(mark, from); to !== -1 && to < line; to = text.indexOf(mark, to + 1)) {
    let escapes = 0;
    while (escapes < 16 && text[to - 1 - escapes] === '\\') escapes++;
    if (quote.length === 1 && escapes % 2 === 0) return { start, end: to + 1, text: text.slice(from, to) };
    if (quote.length > 1 && escapes < quote.length)
      return { start, end: to + 1, text: text.slice(from, to - escapes) };
  }
  return { start, end: line, text: text.slice(from, line) };
}

/** A value on the lines below its name, with more indentation. */
export function blockValue(text: string, at: number): Value | undefined {
  const match = matchAt(BLOCK, text, at) ?? matchAt(WORD_BELOW, text, at);
  if (!match) return undefined;
  const [whole, value = ''] = [match[0], match.at(-1)];
  const end = at + whole.length;
  return { start: end - value.length, end, text: value };
}

export function spanTo(text: string, at: number, stop: RegExp): Value {
  const start = at + (matchAt(BLANKS, text, at)?.[0].length ?? 0);
  return trimmed(text, start, matchAt(stop, text, start)?.index ?? text.length);
}

export function trimmed(text: string, from: number, to: number): Value {
  let [start, end] = [from, to];
  while (start < end && isBlank(text[start])) start++;
  while (end > start && (isBlank(text[end - 1]) || text[end - 1] === '\r')) end--;
  return { start, end, text: text.slice(start, end) };
}

export function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

export function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\u00a0';
}

/** A sticky pattern matches only at `at`. A global pattern matches at `at` or anywhere after it. */
function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
