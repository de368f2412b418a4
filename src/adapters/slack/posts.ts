import type { Card, Line } from '../../chat/card.ts';
import { DeliveryError, type HeldUp, isDeliveryError } from '../../errors.ts';
import type { SlackApi } from './api.ts';
import { slackErrorCode, toDeliveryError } from './errors.ts';
import type { Identity } from './identity.ts';
import { createRendering } from './rendering.ts';

/**
 * The type of the metadata that the bot adds to its messages. The metadata holds a key by which the bot can find a
 * message again.
 */
const EVENT_TYPE = 'edgegap_chatops';
const PAGE = 200;
/**
 * Maximum number of pages that a search reads, which together hold a thousand messages. If a channel has more messages
 * since the attempt to post, the search fails.
 */
const PAGES = 5;

/** The search starts this much before the given time, because Slack's clock and this machine's clock may differ. */
const CLOCK_SKEW_MS = 60_000;

const THREAD_GONE = 'slack-thread-not-found';

/**
 * The messages that have to wait after an HTTP 429. Slack counts calls per method and workspace (docs.slack.dev, rate
 * limits), so messages to all channels of the workspace have to wait.
 */
const POSTS: HeldUp = { posts: true, edits: false, everywhere: true };
const EDITS: HeldUp = { posts: false, edits: true, everywhere: true };

/** A channel, or a thread of a channel. */
export interface SlackPlace {
  readonly channel: string;
  readonly thread?: string;
}

/** The channel or thread of a message, and the message's own `ts`. */
export interface PostedMessage extends SlackPlace {
  readonly ts: string;
}

/** A message without its files, because the bot sends files separately (see `Files`). */
export type MessageWithoutFiles = Line | (Card & { readonly files?: never });

export type Posts = ReturnType<typeof createPosts>;

/** Posts messages with the bot's own token. On failure, every function throws DeliveryError. */
export function createPosts(api: SlackApi, identity: () => Identity) {
  const rendered = createRendering();

  /**
   * Makes a call. If Slack answers that the bot is not a member of the channel, joins the channel and repeats the call.
   * The bot can join a public channel without an invitation, but not a private channel.
   */
  async function joining<T>(channel: string, call: () => Promise<T>, heldUp?: HeldUp): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (slackErrorCode(error) !== 'not_in_channel') throw toDeliveryError(error, heldUp);
      try {
        await api.write.conversations.join({ channel });
      } catch (refusal) {
        throw notJoined(toDeliveryError(refusal)) ?? toDeliveryError(error);
      }
      return await call().catch((again: unknown) => {
        throw toDeliveryError(again, heldUp);
      });
    }
  }

  async function findIn(
    { channel, thread }: SlackPlace,
    key: string,
    since: number,
  ): Promise<PostedMessage | undefined> {
    const { botId, botUser } = identity();
    const oldest = ((since - CLOCK_SKEW_MS) / 1000).toFixed(6);
    const range = { channel, oldest, limit: PAGE, include_all_metadata: true };
    let cursor: string | undefined;
    for (let page = 0; page < PAGES; page++) {
      const at = cursor === undefined ? range : { ...range, cursor };
      const answer = await joining(channel, () =>
        thread === undefined
          ? api.read.conversations.history(at)
          : api.read.conversations.replies({ ...at, ts: thread }),
      );
      const ours = (answer.messages ?? []).find(
        ({ bot_id, user, metadata }) => (bot_id === botId || user === botUser) && keyOf(metadata) === key,
      );
      if (ours?.ts !== undefined) return { channel, thread, ts: ours.ts };
      cursor = answer.response_metadata?.next_cursor || undefined;
      if (cursor === undefined) return undefined;
    }
    throw new DeliveryError(
      'slack-history-too-long',
      'This channel is too busy to look for a message in it.',
      { outcome: 'unknown', retryable: false },
    );
  }

  return {
    async post(
      { channel, thread }: SlackPlace,
      message: MessageWithoutFiles,
      { key, alsoToChannel = false }: { readonly key?: string; readonly alsoToChannel?: boolean } = {},
    ): Promise<PostedMessage> {
      const content = {
        channel,
        ...(key === undefined ? {} : { metadata: { event_type: EVENT_TYPE, event_payload: { key } } }),
        unfurl_links: false,
        unfurl_media: false,
      };
      const send = async (at: string | undefined): Promise<PostedMessage> => {
        const inThread =
          at === undefined ? {} : { thread_ts: at, ...(alsoToChannel ? { reply_broadcast: true } : {}) };
        const answer = await rendered(message, at, (blocks) =>
          joining(
            channel,
            () =>
              api.write.chat.postMessage({ ...blocks, ...content, ...inThread } as typeof blocks &
                typeof content),
            POSTS,
          ),
        );
        // For a message to a person, Slack returns the channel of the direct message.
        return { channel: answer.channel ?? channel, thread: at, ts: answer.ts ?? '' };
      };
      try {
        return await send(thread);
      } catch (error) {
        // The first message of the thread was deleted, so the bot posts to the channel instead.
        if (thread === undefined || !isDeliveryError(error, THREAD_GONE)) throw error;
        return await send(undefined);
      }
    },

    async edit(at: PostedMessage, message: MessageWithoutFiles): Promise<PostedMessage> {
      const { channel, ts, thread } = at;
      await rendered(message, thread, (blocks) =>
        joining(channel, () => api.write.chat.update({ channel, ts, ...blocks }), EDITS),
      );
      return at;
    },

    /**
     * Shows a message to a single person. Inside a thread, Slack shows an ephemeral message only if the thread already
     * has replies.
     */
    async postPrivately(
      { channel, thread, user }: SlackPlace & { readonly user: string },
      message: MessageWithoutFiles,
    ) {
      const inThread = thread === undefined ? {} : { thread_ts: thread };
      await rendered(message, thread, (blocks) =>
        joining(channel, () => api.write.chat.postEphemeral({ channel, user, ...blocks, ...inThread })),
      );
    },

    /** Finds the bot's message that has this key and was posted after `since` (epoch milliseconds). */
    async find(to: SlackPlace, key: string, since: number): Promise<PostedMessage | undefined> {
      try {
        return await findIn(to, key, since);
      } catch (error) {
        // The thread was deleted, so the bot may have posted the message to the channel instead.
        if (to.thread === undefined || !isDeliveryError(error, THREAD_GONE)) throw error;
        return await findIn({ channel: to.channel }, key, since);
      }
    },

    joining,
    rendered,
  };
}

/**
 * Returns an error if a temporary failure of Slack kept the bot from joining a channel. Nothing was sent, and a later
 * attempt can succeed without an invitation for the bot. Returns undefined if Slack refused to let the bot join.
 */
function notJoined({ code, userMessage, retryable, retryAfterMs, cause }: DeliveryError) {
  if (!retryable) return undefined;
  return new DeliveryError(code, userMessage, { cause, outcome: 'not-sent', retryable, retryAfterMs });
}

function keyOf(metadata: { event_type?: string; event_payload?: unknown } | undefined): unknown {
  if (metadata?.event_type !== EVENT_TYPE) return undefined;
  return (metadata.event_payload as { key?: unknown } | undefined)?.key;
}
