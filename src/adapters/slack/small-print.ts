import type { types } from '@slack/bolt';
import { type Inline, plainText, type Rich } from '../../chat/card.ts';
import { cutEnd } from '../../chat/text.ts';
import { escapeMrkdwn } from './escape.ts';
import { LIMITS } from './limits.ts';
import { dateMarkup } from './rich-text.ts';

type Element = types.PlainTextElement | types.MrkdwnElement;

/** Matches emphasis, code, emoji codes, quotes and line breaks of mrkdwn. An underscore inside a word is not markup. */
const MARKUP = /[*~`\n]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|:[\w+-]+:|^\s*>/u;

/**
 * Renders the text as a single string of mrkdwn. The caller must pass the text through `accepted` first. Returns
 * undefined if plain text contains characters of Slack's markup, because Slack has no escape for them.
 */
export function mrkdwnOf(rich: Rich): string | undefined {
  let out = '';
  for (const { type, text } of elementsOf(rich)) {
    const isLiteral = type === 'plain_text';
    if (isLiteral && MARKUP.test(text)) return undefined;
    // Slack reads `*` or a backtick as markup only if no word touches the outer side of the character.
    if (/[*`][\p{L}\p{N}_]$|[\p{L}\p{N}_][*`]$/u.test(out.slice(-1) + text.slice(0, 1))) return undefined;
    out += isLiteral ? escapeMrkdwn(text) : text;
  }
  return out;
}

/**
 * Renders text as a context block, which Slack shows as small print. The caller must pass the text through `accepted`
 * first. A context block cannot contain rich_text. Slack draws a gap between the elements of the block, so the whole
 * text becomes a single mrkdwn element if possible. Otherwise, plain strings become plain_text elements, in which Slack
 * reads no markup.
 */
export function smallPrint(rich: Rich): types.ContextBlock | undefined {
  const elements = elementsOf(rich);
  const whole = elements.length > 1 ? mrkdwnOf(rich) : undefined;
  const isWhole = whole !== undefined && whole.length <= LIMITS.text;
  const shown = (isWhole ? [mrkdwn(whole)] : elements).filter(({ text }) => text.trim() !== '').map(fitted);
  if (shown.length === 0) return undefined;
  if (shown.length <= LIMITS.context) return { type: 'context', elements: shown };
  return { type: 'context', elements: [fitted(literal(plainText(rich)))] };
}

function elementsOf(rich: Rich): Element[] {
  const elements: Element[] = [];
  for (const inline of rich) {
    const element = elementOf(inline);
    const last = elements.at(-1);
    if (last?.type === 'plain_text' && element.type === 'plain_text') last.text += element.text;
    else elements.push(element);
  }
  return elements;
}

function elementOf(inline: Inline): Element {
  if (typeof inline === 'string') return literal(inline);
  if ('bold' in inline) return marked(inline.bold, '*');
  if ('code' in inline) return marked(inline.code, '`');
  if ('typed' in inline) return marked(inline.typed, '`');
  if ('link' in inline)
    return mrkdwn(`<${escapeMrkdwn(inline.link)}|${escapeMrkdwn(inline.text).replaceAll('|', '¦')}>`);
  if ('mention' in inline) return mrkdwn(`<@${inline.mention}>`);
  // Shows only the name, because a mention would ping the person, also in small print.
  if ('person' in inline) return literal(inline.name);
  if ('channel' in inline) return mrkdwn(`<#${inline.channel}>`);
  return mrkdwn(dateMarkup(inline));
}

/** Text with characters of Slack's markup stays plain, because Slack has no escape for them. */
function marked(text: string, mark: '*' | '`'): Element {
  return MARKUP.test(text) || text.trim() !== text || text === ''
    ? literal(text)
    : mrkdwn(mark + escapeMrkdwn(text) + mark);
}

function fitted(element: Element): Element {
  return element.text.length <= LIMITS.text ? element : literal(cutEnd(element.text, LIMITS.text));
}

function literal(text: string): types.PlainTextElement {
  return { type: 'plain_text', text, emoji: false };
}

function mrkdwn(text: string): types.MrkdwnElement {
  return { type: 'mrkdwn', text, verbatim: true };
}
