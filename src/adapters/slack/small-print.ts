import type { types } from '@slack/bolt';
import { type Inline, plainText, type Rich } from '../../chat/card.ts';
import { cutEnd } from '../../chat/text.ts';
import { escapeMrkdwn } from './escape.ts';
import { LIMITS } from './limits.ts';
import { dateMarkup } from './rich-text.ts';

type Element = types.PlainTextElement | types.MrkdwnElement;

/**
 * Renders text as a context block, which is Slack's small print. The text must have passed through `accepted`. A
 * context block cannot contain rich_text, so literal strings become plain_text, which has no markup. Only inlines that
 * need markup become mrkdwn, and that markup is written by the bot itself.
 */
export function smallPrint(rich: Rich): types.ContextBlock | undefined {
  const elements: Element[] = [];
  for (const inline of rich) {
    const element = elementOf(inline);
    const last = elements.at(-1);
    if (last?.type === 'plain_text' && element.type === 'plain_text') last.text += element.text;
    else elements.push(element);
  }
  const shown = elements.filter(({ text }) => text.trim() !== '').map(fitted);
  if (shown.length === 0) return undefined;
  if (shown.length <= LIMITS.context) return { type: 'context', elements: shown };
  return { type: 'context', elements: [fitted(literal(plainText(rich)))] };
}

function elementOf(inline: Inline): Element {
  if (typeof inline === 'string') return literal(inline);
  if ('bold' in inline) return marked(inline.bold, '*');
  if ('code' in inline) return marked(inline.code, '`');
  if ('link' in inline)
    return mrkdwn(`<${escapeMrkdwn(inline.link)}|${escapeMrkdwn(inline.text).replaceAll('|', '¦')}>`);
  if ('mention' in inline) return mrkdwn(`<@${inline.mention}>`);
  if ('channel' in inline) return mrkdwn(`<#${inline.channel}>`);
  return mrkdwn(dateMarkup(inline));
}

/** Text that contains a character of Slack's markup stays plain, because such characters cannot be escaped. */
function marked(text: string, mark: '*' | '`'): Element {
  return /[*_~`\n]/.test(text) || text.trim() !== text || text === ''
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
