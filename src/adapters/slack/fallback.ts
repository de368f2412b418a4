import { type Inline, type Message, type Node, plainText, type Rich } from '../../chat/card.ts';
import { cutEnd } from '../../chat/text.ts';
import { escapeMrkdwn } from './escape.ts';
import { LIMITS } from './limits.ts';
import { accepted, dateMarkup } from './rich-text.ts';

/**
 * The field `text` of a message, which the bot sends together with the blocks. Notifications show this text, and screen
 * readers read the text aloud.
 */
export function fallbackText(message: Message): string {
  if (message.kind === 'line') return short(message.text);
  const parts = [message.title, ...message.nodes.flatMap(readable)].filter(
    (rich) => plainText(rich).trim() !== '',
  );
  return short(parts.flatMap((rich, index): Rich => (index === 0 ? rich : [' · ', ...rich])));
}

function readable(node: Node): Rich[] {
  if (node.kind === 'text' || node.kind === 'note') return [node.text];
  if (node.kind === 'steps') return [[node.title]];
  if (node.kind === 'fields') return node.fields.map(({ label, value }) => [`${label}: `, ...value]);
  return [];
}

function short(rich: Rich): string {
  let room: number = LIMITS.fallback;
  const parts = rich.map((inline) => {
    const part = markup(accepted(inline), room);
    room = Math.max(0, room - part.length);
    return part;
  });
  return parts.join('') || '…';
}

/**
 * Keeps mentions in Slack's markup, so that a notification shows the person's name. Slack pings the person only once,
 * although the blocks also contain the mention.
 */
function markup(inline: Inline, room: number): string {
  if (room === 0) return '';
  if (typeof inline === 'object' && 'mention' in inline) return `<@${inline.mention}>`;
  if (typeof inline === 'object' && 'channel' in inline) return `<#${inline.channel}>`;
  if (typeof inline === 'object' && 'time' in inline) return dateMarkup(inline);
  return escapeMrkdwn(cutEnd(plainText([inline]), room));
}
