import type { Inline, Rich } from '../../chat/card.ts';
import { literalLine, literalLines } from './literal.ts';
import type { Style } from './spans.ts';
import { type Span, type SpanLine, span } from './spans.ts';

/** What the reader's place and moment are, for instants. */
export interface Reader {
  /** Epoch milliseconds. */
  readonly now: number;
  /** IANA name; the machine's own when undefined. */
  readonly timeZone: string | undefined;
}

/** Text with markup as lines of spans: one for each line break in its literal strings. */
export function inlineLines(rich: Rich, reader: Reader, base?: Style): SpanLine[] {
  const lines: Span[][] = [[]];
  for (const inline of rich) {
    const [first, ...more] = spansOf(inline, reader, base);
    if (first) lines.at(-1)?.push(first);
    for (const next of more) lines.push([next]);
  }
  return lines;
}

/** The same on one line, for titles and cells; a line break is shown as a sign. */
export function inlineLine(rich: Rich, reader: Reader, base?: Style): SpanLine {
  return rich.map((inline) =>
    typeof inline === 'string'
      ? span(literalLine(inline), base)
      : span(textOf(inline, reader), merge(base, styleOf(inline))),
  );
}

/** The spans of an inline, each but the first on a new line. */
function spansOf(inline: Inline, reader: Reader, base: Style | undefined): Span[] {
  if (typeof inline === 'string') return literalLines(inline).map((line) => span(line, base));
  return [span(textOf(inline, reader), merge(base, styleOf(inline)))];
}

function textOf(inline: Exclude<Inline, string>, reader: Reader): string {
  if ('bold' in inline) return literalLine(inline.bold);
  if ('code' in inline) return literalLine(inline.code);
  if ('link' in inline) return linkText(literalLine(inline.text), literalLine(inline.link));
  if ('mention' in inline) return `@${literalLine(inline.name)}`;
  if ('channel' in inline) return `#${literalLine(inline.channel)}`;
  return inline.style === 'clock' ? clockTime(inline.time, reader) : relativeTime(inline.time - reader.now);
}

function styleOf(inline: Exclude<Inline, string>): Style | undefined {
  if ('bold' in inline) return 'bold';
  if ('code' in inline) return 'cyan';
  if ('link' in inline) return 'underline';
  if ('mention' in inline) return 'bold';
  return undefined;
}

export function merge(base: Style | undefined, own: Style | undefined): Style | undefined {
  if (base === undefined) return own;
  if (own === undefined) return base;
  return [base, own].flat();
}

/** A terminal makes an address clickable by itself, so it is always shown; once, when the text says nothing else. */
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
    // Cut, not rounded: "59 minutes ago" is still less than an hour.
    if (Math.abs(ms) >= size) return relative.format(Math.trunc(ms / size), unit);
  }
  return 'just now';
}
