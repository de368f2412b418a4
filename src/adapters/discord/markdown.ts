import { type Inline, plainText, type Rich, withText } from '../../chat/card.ts';
import { largest } from '../../chat/shorten.ts';

/**
 * Discord's markdown, written and escaped. The rules are those of Discord's help article "Markdown Text 101" and its
 * developer reference "Message Formatting": a backslash before a punctuation mark shows the mark itself; inside code
 * nothing is escaped, and only a run of backticks ends the code.
 */

/** Separates characters that would be read as a single mark; has no width on screen. */
const ZERO_WIDTH = '\u200b';
const SNOWFLAKE = /^\d{17,20}$/;

/**
 * Everywhere: emphasis, spoilers, code, links, mentions and `<t:>` (all start with `<`), `@everyone`, `:emoji:` and
 * the `://` that turns an address into a link. Square brackets and parentheses make masked links.
 */
const ANYWHERE = /[\\*_~|`[\]()<@:]/g;
/** Only where a line begins: headings, small print, lists, quotes. Any string may stand at the beginning of a line. */
const LINE_START = /(^|\n)([^\S\n]*)([-+#>]+)/g;
/** `1. ` is a numbered list; the number may be the end of the string before. */
const NUMBERED = /(^|\d)\.(?=\s|$)/g;

/** Shows `text` exactly as it is. */
export function escapeMarkdown(text: string): string {
  return printable(text)
    .replace(ANYWHERE, '\\$&')
    .replace(
      LINE_START,
      (_, start: string, space: string, marks: string) =>
        start + space + [...marks].map((c) => `\\${c}`).join(''),
    )
    .replace(NUMBERED, '$1\\.');
}

/** `text` as a block of code. Backticks in a row are kept apart, because three in a row would end the block. */
export function codeBlock(text: string): string {
  return `\`\`\`\n${codeText(text)}\n\`\`\``;
}

/** The characters of a block's fences. */
export const CODE_BLOCK_OVERHEAD = codeBlock('x').length - 1;

export function codeText(text: string): string {
  const shown = printable(text).replace(/`(?=`)/g, `\`${ZERO_WIDTH}`);
  // Discord shows the fences themselves if a block holds only line breaks.
  return /[^\n]/.test(shown) ? shown : ZERO_WIDTH;
}

function inlineCode(text: string): string {
  // A single pattern takes quadratic time on a long run of blanks without a line break.
  const lines = printable(text).split('\n');
  const line = lines.length === 1 ? (lines[0] ?? '') : joinTrimmed(lines);
  if (line === '') return '';
  if (!line.includes('`')) return `\`${line}\``;
  const apart = line.replace(/`(?=`)/g, `\`${ZERO_WIDTH}`).replace(/^`/, `${ZERO_WIDTH}\``);
  return `\`\`${apart.replace(/`$/, `\`${ZERO_WIDTH}`)}\`\``;
}

/** Joins lines with single blanks; blanks at the beginning and the end of the whole text stay. */
function joinTrimmed(lines: readonly string[]): string {
  const last = lines.length - 1;
  return lines
    .map((line, n) => (n === 0 ? line.trimEnd() : n === last ? line.trimStart() : line.trim()))
    .filter((line, n) => line !== '' || n === 0 || n === last)
    .join(' ');
}

/** Rich text in Discord's markdown, of at most `room` characters; text that was cut ends in an ellipsis. */
export function toMarkdown(rich: Rich, room = Number.POSITIVE_INFINITY): string {
  const whole = rich.reduce((out: string, inline) => join(out, render(inline)), '');
  if (whole.length <= room) return whole;
  let out = '';
  for (const inline of rich) {
    const longer = join(out, render(inline));
    // A character stays free for the ellipsis.
    if (longer.length < room) out = longer;
    else return cut(out, inline, room);
  }
  return out;
}

/** `**a****b**` and `` `a``b` `` would be read as other marks: neighbours are kept apart. */
function join(before: string, piece: string): string {
  const mark = /[*`]$/.exec(before)?.[0];
  return mark && piece.startsWith(mark) ? before + ZERO_WIDTH + piece : before + piece;
}

function render(inline: Inline): string {
  if (typeof inline === 'string') return escapeMarkdown(inline);
  if ('bold' in inline) return inline.bold === '' ? '' : `**${escapeMarkdown(inline.bold)}**`;
  if ('code' in inline) return inlineCode(inline.code);
  if ('link' in inline) return link(inline.link, inline.text);
  if ('mention' in inline)
    return isSnowflake(inline.mention) ? `<@${inline.mention}>` : escapeMarkdown(inline.name);
  if ('channel' in inline)
    return isSnowflake(inline.channel) ? `<#${inline.channel}>` : escapeMarkdown(`#${inline.channel}`);
  return `<t:${Math.floor(inline.time / 1000)}:${inline.style === 'relative' ? 'R' : 'f'}>`;
}

/** Appends as much of `inline` as fits, found by halving, because escapes make lengths uneven. */
function cut(out: string, inline: Inline, room: number): string {
  const characters = [...textOf(inline)];
  const fits = largest(0, characters.length - 1, (count) => attempt(count).length <= room) ?? 0;
  return fits === 0 ? `${out}…`.slice(0, room) : attempt(fits);

  function attempt(count: number): string {
    return join(out, render(withText(inline, () => `${characters.slice(0, count).join('')}…`)));
  }
}

function textOf(inline: Inline): string {
  if (typeof inline === 'string') return inline;
  // A mention, a channel or a time is shown whole or not at all.
  return 'bold' in inline || 'code' in inline || 'link' in inline ? plainText([inline]) : '';
}

/** A link for web addresses, with the characters that would end the link encoded; for other addresses, the text alone. */
function link(address: string, text: string): string {
  const url = URL.parse(address);
  if (!url || !/^https?:$/.test(url.protocol)) return escapeMarkdown(text);
  const target = url.href.replace(/[()<>\\\s]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `[${escapeMarkdown(text === '' ? url.href : text)}](${target})`;
}

export function isSnowflake(id: string): boolean {
  return SNOWFLAKE.test(id);
}

/** Without control characters, which Discord shows as boxes or drops; tabs and line breaks stay. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern is there to find control characters.
  return text.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '');
}
