import type { types } from '@slack/bolt';
import { type Inline, type Instant, plainText, type Rich } from '../../chat/card.ts';

/**
 * Renders inlines as `rich_text` elements. The caller must pass the inlines through `accepted` first. Slack shows the
 * `text` of these elements literally, so text from outside cannot create formatting, links, pings or emoji. For this
 * reason, cards use rich_text and not mrkdwn sections.
 */
export function richElements(rich: Rich, bold = false): types.RichTextElement[] {
  const elements: types.RichTextElement[] = [];
  for (const inline of rich) {
    const next = element(inline, bold);
    const last = elements.at(-1);
    if (next?.type === 'text' && last?.type === 'text' && sameStyle(next, last)) last.text += next.text;
    else if (next) elements.push(next);
  }
  return elements;
}

function sameStyle(a: types.RichTextText, b: types.RichTextText): boolean {
  return a.style?.bold === b.style?.bold && a.style?.code === b.style?.code;
}

function element(inline: Inline, bold: boolean): types.RichTextElement | undefined {
  const style = bold ? { style: { bold } } : {};
  if (typeof inline === 'string') return literal(inline, bold ? { bold } : undefined);
  if ('bold' in inline) return literal(inline.bold, { bold: true });
  if ('code' in inline) return literal(inline.code, { ...(bold ? { bold } : {}), code: true });
  if ('typed' in inline) return literal(inline.typed, { ...(bold ? { bold } : {}), code: true });
  if ('link' in inline) return { type: 'link', url: inline.link, text: inline.text, ...style };
  if ('mention' in inline) return { type: 'user', user_id: inline.mention, ...style };
  // Shows only the name, because a mention would ping the person.
  if ('person' in inline) return literal(inline.name, bold ? { bold } : undefined);
  if ('channel' in inline) return { type: 'channel', channel_id: inline.channel, ...style };
  return { type: 'date', ...dateOf(inline), ...style };
}

function literal(text: string, style?: { bold?: boolean; code?: boolean }): types.RichTextText | undefined {
  if (text === '') return undefined;
  return style ? { type: 'text', text, style } : { type: 'text', text };
}

/**
 * Slack accepts only whole seconds (date element reference). Slack documents `{ago}` only for times in the past. Slack
 * capitalises a date at the start of the format, so the format starts with an invisible character.
 */
function dateOf({ time, style }: Instant) {
  return {
    timestamp: Math.floor(time / 1000),
    format: style === 'relative' ? '{ago}' : '\u200b{date_short_pretty} at {time}',
    fallback: new Date(time).toISOString(),
  };
}

/** A date as mrkdwn. */
export function dateMarkup(instant: Instant): string {
  const { timestamp, format, fallback } = dateOf(instant);
  return `<!date^${timestamp}^${format}|${fallback}>`;
}

/** Replaces an inline by plain text if Slack would not accept the inline as a link, a person or a channel. */
export function accepted(inline: Inline): Inline {
  if (typeof inline === 'string') return inline;
  const isRefused =
    ('link' in inline && !/^https?:\/\/[^\s<>|]+$/.test(inline.link)) ||
    ('mention' in inline && !/^[UW][A-Z0-9]+$/.test(inline.mention)) ||
    ('channel' in inline && !/^[CG][A-Z0-9]+$/.test(inline.channel));
  return isRefused ? plainText([inline]) : inline;
}
