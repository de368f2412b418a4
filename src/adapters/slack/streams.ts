import type { Streams } from '../../chat/port.ts';
import { isDeliveryError } from '../../errors.ts';
import type { SlackApi } from './api.ts';
import { toDeliveryError } from './errors.ts';
import { replyPlace, toRef } from './invocation.ts';
import { LIMITS } from './limits.ts';
import type { createPosts } from './posts.ts';

const FENCE = '```';
/**
 * After these errors, the bot has to begin a new message. Slack ends the streaming of a message some minutes after the
 * last text, and limits the length of a message (chat.appendStream, "Errors").
 */
const ENDED = [
  'slack-message-not-in-streaming-state',
  'slack-message-not-found',
  'slack-msg-too-long',
  'slack-msg-blocks-too-long',
] as const;

/** Appends lines to messages with Slack's streaming methods, which work only in threads. */
export function createStreams(api: SlackApi, posts: ReturnType<typeof createPosts>): Streams {
  const { chat } = api.write;

  return {
    mostCharacters: LIMITS.streamed,
    async append(lines, { message, under, reader }) {
      const markdown_text = fenced(lines);
      const { channel, workspace } = under;
      if (message) {
        try {
          await chat.appendStream({ channel, ts: message.message, markdown_text });
          return message;
        } catch (cause) {
          const error = toDeliveryError(cause);
          if (!isDeliveryError(error, ...ENDED)) throw error;
        }
      }
      const place = replyPlace(under, under);
      const { ts = '' } = await posts.joining(channel, () =>
        chat.startStream({
          channel,
          thread_ts: place.thread ?? under.message,
          recipient_user_id: reader,
          recipient_team_id: workspace,
          markdown_text,
        }),
      );
      return toRef({ ...place, ts }, workspace);
    },
    async end({ channel, message: ts }) {
      await chat.stopStream({ channel, ts }).catch((error: unknown) => {
        throw toDeliveryError(error);
      });
    },
  };
}

/**
 * Formats the lines as a block of code. Inserts a zero-width space wherever the text could end the block or mention a
 * person. Readers do not see this space.
 */
function fenced(lines: readonly string[]): string {
  const text = lines
    .join('\n')
    .replaceAll('``', '`\u200B`')
    .replaceAll(/<(?=[@#!])/g, '<\u200B');
  return `${FENCE}\n${text}\n${FENCE}\n`;
}
