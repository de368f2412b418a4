import type { types } from '@slack/bolt';
import { type Inline, plainText, type Rich } from '../../chat/card.ts';
import { cutEnd } from '../../chat/text.ts';
import { escapeMrkdwn } from './escape.ts';
import { LIMITS } from './limits.ts';
import { dateMarkup } from './rich-text.ts';

type Element = types.PlainTextElement | types.MrkdwnElement;

/** Matches the marks of emphasis, code, emoji codes and quotes in mrkdwn. An underscore inside a word is not a mark. */
const MARKUP = /[*~`\n]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|:[\w+-]+:|^\s*>/u;

/**
 * The text as a single piece of mrkdwn. The text must have passed through `accepted`. Undefined if a literal string
 * contains a character of Slack's markup, because such characters cannot be escaped.
 */
export function mrkdwnOf(rich: Rich): string | undefined {
  let out = '';
  for (const { type, text } of elementsOf(rich)) {
    const isLiteral = type === 'plain_text';
    if (isLiteral && MARKUP.test(text)) return undefined;
    // If `*` or a backtick touches a word on the outer side of the mark, Slack does not read it as markup.
    if (/[*`][\p{L}\p{N}_]$|[\p{L}\p{N}_][*`]$/u.test(out.slice(-1) + text.slice(0, 1))) return undefined;
    out += isLiteral ? escapeMrkdwn(text) : text;
  }
  return out;
}

/**
 * Renders text as a context block, which is Slack's small print. The text must have passed through `accepted`. A
 * context block cannot contain rich_text. Slack draws a gap between the elements of the block, so text with markup
 * becomes a single mrkdwn element if possible. Otherwise literal strings become plain_text elements, which have no
 * markup.
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
  // The name is shown as plain text, because Slack would ping the person for a mention, even in small print.
  if ('person' in inline) return literal(inline.name);
  if ('channel' in inline) return mrkdwn(`<#${inline.channel}>`);
  return mrkdwn(dateMarkup(inline));
}

/**
 * Formats the text with `mark`. Text with a character of Slack's markup stays plain, because this character cannot be
 * escaped.
 */
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
