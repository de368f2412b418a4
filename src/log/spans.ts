const OPENING = /[^\S\n]{0,60}[[{(]?(?:[burf]{1,2}(?=["'])|[\w.]{1,20}\((?=["']))?(\\{0,7}["'`])/y;
const BLANKS = /[^\S\n]{0,60}/y;

export interface Value {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Between quotation marks, up to the one that closes it or, where the text was cut, the end of the line. */
export function quotedValue(text: string, at: number): Value | undefined {
  OPENING.lastIndex = at;
  const [whole = '', quote = ''] = OPENING.exec(text) ?? [];
  if (quote === '') return undefined;
  const start = at + whole.length;
  const line = endOfLine(text, start);
  const mark = quote.slice(-1);
  for (
    let close = text.indexOf(mark, start);
    close !== -1 && close < line;
    close = text.indexOf(mark, close + 1)
  ) {
    let escapes = 0;
    while (escapes < 16 && text[close - 1 - escapes] === '\\') escapes++;
    const closes = quote.length === 1 ? escapes % 2 === 0 : escapes < quote.length;
    if (closes)
      return {
        start: start - quote.length,
        end: close + 1,
        text: text.slice(start, close - (quote.length > 1 ? escapes : 0)),
      };
  }
  return { start: start - quote.length, end: line, text: text.slice(start, line) };
}

/** JSON as it is printed for people may have the value on the next line; YAML, several lines further in. */
export function nextLineValue(text: string, at: number): Value | undefined {
  const line = /^[^\S\n]{0,8}\[?\r?\n/.exec(text.slice(at, at + 12));
  return line ? quotedValue(text, at + line[0].length) : undefined;
}

export function wordValue(text: string, at: number): Value {
  return spanTo(text, at, /[\s,;"'}]/g);
}

/** `password: |` and the lines below it that stand further in. */
export function blockValue(text: string, at: number): Value | undefined {
  const opening = /^[^\S\n]{0,8}[|>][-+]?\r?\n([^\S\n]{1,40})/.exec(text.slice(at, at + 60));
  if (!opening) return undefined;
  let end = at + opening[0].length;
  const start = end;
  for (let n = 0; n < 256; n++) {
    end = endOfLine(text, end);
    if (!text.startsWith(`\n${opening[1]}`, end)) break;
    end += 1;
  }
  return { start, end, text: text.slice(start, end) };
}

export function spanTo(text: string, at: number, stop: RegExp): Value {
  BLANKS.lastIndex = at;
  const start = at + (BLANKS.exec(text)?.[0].length ?? 0);
  stop.lastIndex = start;
  return trimmed(text, start, stop.exec(text)?.index ?? text.length);
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
  return character === ' ' || character === '\t';
}
