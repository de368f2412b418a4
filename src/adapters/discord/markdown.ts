import { type Inline, plainText, type Rich, withText } from '../../chat/card.ts';
import { largest } from '../../chat/shorten.ts';

/**
 * Writes and escapes Discord's markdown. The rules are those of Discord's help article "Markdown Text 101" and its
 * developer reference "Message Formatting". After a backslash, a punctuation mark is shown as it is. Inside code
 * nothing is escaped, and only a run of backticks ends the code.
 */

/** Separates two marks that would otherwise be read as a single mark. The character has no width on screen. */
const ZERO_WIDTH = '\u200b';
const SNOWFLAKE = /^\d{17,20}$/;

/**
 * Characters that are escaped everywhere in a text. These characters mark emphasis, spoilers, code, `@everyone`,
 * `:emoji:` and the `://` that turns an address into a link. Mentions, times and links in angle brackets start with
 * `<`. Square brackets and parentheses make masked links.
 */
const ANYWHERE = /[\\*_~|`[\]()<@:]/g;
/**
 * Characters that are escaped only at the beginning of a line, where they mark headings, small print, lists and quotes.
 * Every string is escaped in this way, because any string may begin a line.
 */
const LINE_START = /(^|\n)([^\S\n]*)([-+#>]+)/g;
/**
 * `1. ` at the beginning of a line starts a numbered list. The number may be the end of the previous string, so a dot
 * at the beginning of a string is escaped, too.
 */
const NUMBERED = /(^|\d)\.(?=\s|$)/g;

/** Escapes `text`, so that Discord shows the text exactly as it is. */
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

/**
 * Turns `text` into a block of code. Consecutive backticks are separated, because three in a row would end the block.
 */
export function codeBlock(text: string): string {
  return `\`\`\`\n${codeText(text)}\n\`\`\``;
}

/** The number of characters that the two fences (three backticks each) and their line breaks add to a block. */
export const CODE_BLOCK_OVERHEAD = codeBlock('x').length - 1;

export function codeText(text: string): string {
  const shown = printable(text).replace(/`(?=`)/g, `\`${ZERO_WIDTH}`);
  // If a block contains only line breaks, Discord shows the backticks around the block. An invisible character prevents
  // this.
  return /[^\n]/.test(shown) ? shown : ZERO_WIDTH;
}

function inlineCode(text: string): string {
  // The text is split into lines first. A single pattern for the whole text would take quadratic time on a long run of
  // blanks.
  const lines = printable(text).split('\n');
  const line = lines.length === 1 ? (lines[0] ?? '') : joinTrimmed(lines);
  if (line === '') return '';
  if (!line.includes('`')) return `\`${line}\``;
  const apart = line.replace(/`(?=`)/g, `\`${ZERO_WIDTH}`).replace(/^`/, `${ZERO_WIDTH}\``);
  return `\`\`${apart.replace(/`$/, `\`${ZERO_WIDTH}`)}\`\``;
}

/** Joins lines with single blanks. Blanks at the beginning and at the end of the whole text are kept. */
function joinTrimmed(lines: readonly string[]): string {
  const last = lines.length - 1;
  return lines
    .map((line, n) => (n === 0 ? line.trimEnd() : n === last ? line.trimStart() : line.trim()))
    .filter((line, n) => line !== '' || n === 0 || n === last)
    .join(' ');
}

/** Turns rich text into Discord's markdown, with at most `room` characters. Text that was cut ends with an ellipsis. */
export function toMarkdown(rich: Rich, room = Number.POSITIVE_INFINITY): string {
  const whole = rich.reduce((out: string, inline) => join(out, render(inline)), '');
  if (whole.length <= room) return whole;
  let out = '';
  for (const inline of rich) {
    const longer = join(out, render(inline));
    // The condition `<` keeps a character free for the ellipsis.
    if (longer.length < room) out = longer;
    else return cut(out, inline, room);
  }
  return out;
}

/**
 * Joins two pieces. If the first piece ends with the same mark with which the second piece begins, separates the two
 * marks. Discord would misread `**a****b**` or `` `a``b` ``.
 */
function join(before: string, piece: string): string {
  const mark = /[*`]$/.exec(before)?.[0];
  return mark && piece.startsWith(mark) ? before + ZERO_WIDTH + piece : before + piece;
}

function render(inline: Inline): string {
  if (typeof inline === 'string') return escapeMarkdown(inline);
  if ('bold' in inline) return inline.bold === '' ? '' : `**${escapeMarkdown(inline.bold)}**`;
  if ('code' in inline) return inlineCode(inline.code);
  if ('typed' in inline) return inline.id ? `</${inline.typed}:${inline.id}>` : inlineCode(inline.typed);
  if ('link' in inline) return link(inline.link, inline.text);
  if ('mention' in inline)
    return isSnowflake(inline.mention) ? `<@${inline.mention}>` : escapeMarkdown(inline.name);
  // Discord shows the person's name without a ping, because the message does not allow this mention.
  if ('person' in inline)
    return isSnowflake(inline.person) ? `<@${inline.person}>` : escapeMarkdown(inline.name);
  if ('channel' in inline)
    return isSnowflake(inline.channel) ? `<#${inline.channel}>` : escapeMarkdown(`#${inline.channel}`);
  return `<t:${Math.floor(inline.time / 1000)}:${inline.style === 'clock' ? 'f' : 'R'}>`;
}

/**
 * Appends as much of `inline` as fits. The length is found by halving, because an escaped character takes more room
 * than a plain character.
 */
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
  // Mentions, channels and times cannot be cut. They are shown in full or left out.
  return 'bold' in inline || 'code' in inline || 'link' in inline ? plainText([inline]) : '';
}

/**
 * Makes a link for a web address, and encodes the characters that would end the link. For any other address, only the
 * text is shown.
 */
function link(address: string, text: string): string {
  const url = URL.parse(address);
  if (!url || !/^https?:$/.test(url.protocol)) return escapeMarkdown(text);
  const target = url.href.replace(/[()<>\\\s]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `[${escapeMarkdown(text === '' ? url.href : text)}](${target})`;
}

export function isSnowflake(id: string): boolean {
  return SNOWFLAKE.test(id);
}

/** Removes control characters, which Discord shows as boxes or drops. Tabs and line breaks are kept. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern is there to find control characters.
  return text.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '');
}
