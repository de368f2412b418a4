import type { Inline, Rich } from '../../chat/card.ts';
import { literalLine, literalLines } from './literal.ts';
import { type Span, type SpanLine, type Style, span } from './spans.ts';

export interface Reader {
  /** Epoch milliseconds. */
  readonly now: number;
  /** IANA name of the time zone. Undefined: the time zone of the machine. */
  readonly timeZone: string | undefined;
}

/** Turns text with markup into lines of spans. A line break in a literal string starts a new line. */
export function inlineLines(rich: Rich, reader: Reader, base: Style = []): SpanLine[] {
  const lines: Span[][] = [[]];
  for (const inline of rich) {
    const isLiteral = typeof inline === 'string';
    const [first, ...more] = isLiteral
      ? literalLines(inline).map((line) => span(line, base))
      : [markedUp(inline, reader, base)];
    if (first) lines.at(-1)?.push(first);
    for (const next of more) lines.push([next]);
  }
  return lines;
}

/** Turns text with markup into a single line, for titles and cells. A visible sign replaces each line break. */
export function inlineLine(rich: Rich, reader: Reader, base: Style): SpanLine {
  return rich.map((inline) =>
    typeof inline === 'string' ? span(literalLine(inline), base) : markedUp(inline, reader, base),
  );
}

function markedUp(inline: Exclude<Inline, string>, reader: Reader, base: Style): Span {
  const styled = (text: string, own: Style = []) => span(text, [base, own].flat());
  if ('bold' in inline) return styled(literalLine(inline.bold), 'bold');
  if ('code' in inline) return styled(literalLine(inline.code), 'cyan');
  if ('typed' in inline) return styled(literalLine(inline.typed), 'cyan');
  if ('link' in inline)
    return styled(linkText(literalLine(inline.text), literalLine(inline.link)), 'underline');
  if ('mention' in inline) return styled(`@${literalLine(inline.name)}`, 'bold');
  if ('person' in inline) return styled(literalLine(inline.name));
  if ('channel' in inline) return styled(`#${literalLine(inline.channel)}`);
  const { time, style } = inline;
  return styled(style === 'clock' ? clockTime(time, reader) : relativeTime(time - reader.now));
}

/**
 * Returns the text with its address, because terminals make addresses clickable. If the text equals the address,
 * returns only the address.
 */
function linkText(text: string, url: string): string {
  const bare = (value: string) => value.replace(/^https?:\/\//, '').replace(/\/$/, '');
  return text === '' || bare(text) === bare(url) ? url : `${text} (${url})`;
}

function clockTime(time: number, { now, timeZone }: Reader): string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  const [today] = format.format(now).split(' ');
  const [day, clock = ''] = format.format(time).split(' ');
  return day === today ? clock : `${day} ${clock}`;
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

function relativeTime(ms: number): string {
  for (const [unit, size] of UNITS) {
    // The number is truncated, not rounded: 59 and a half minutes are shown as "59 minutes ago".
    if (Math.abs(ms) >= size) return relative.format(Math.trunc(ms / size), unit);
  }
  return 'just now';
}
