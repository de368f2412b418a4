import type { Card, Line } from '../../chat/card.ts';
import { DeliveryError, type HeldUp } from '../../errors.ts';
import type { SlackApi } from './api.ts';
import { isThreadGone, slackErrorCode, toDeliveryError } from './errors.ts';
import type { Identity } from './identity.ts';
import { render } from './renderer.ts';

/** Marks our messages, so that one can be found again by its key (message metadata). */
const EVENT_TYPE = 'edgegap_chatops';
const PAGE = 200;
/** A thousand messages since the attempt: a channel that busy is not read any further. */
const PAGES = 5;

/** Slack counts per method and workspace (rate limits page); this bot serves one. */
const POSTS: HeldUp = { posts: true, edits: false, everywhere: true };
const EDITS: HeldUp = { posts: false, edits: true, everywhere: true };

/** A message's place: channel, thread it hangs in, its own `ts`. */
export interface Posted {
  readonly channel: string;
  readonly thread?: string;
  readonly ts: string;
}

/** A message parted from its files, which Slack takes apart from it: see `Files`. */
export type Bare = Line | (Card & { readonly files?: never });

export interface Posts {
  post(
    to: { readonly channel: string; readonly thread?: string },
    message: Bare,
    options?: { readonly key?: string; readonly alsoToChannel?: boolean },
  ): Promise<Posted>;
  edit(at: Posted, message: Bare): Promise<Posted>;
  /** Shows it to one person. In a thread only where the thread exists already: elsewhere Slack shows nothing. */
  postPrivately(
    to: { readonly channel: string; readonly thread?: string; readonly user: string },
    message: Bare,
  ): Promise<void>;
  /** Our message with this key, posted after `since` (epoch ms). */
  find(
    to: { readonly channel: string; readonly thread?: string },
    key: string,
    since: number,
  ): Promise<Posted | undefined>;
  /** Makes a call that may take membership of the channel. */
  joining<T>(channel: string, call: () => Promise<T>): Promise<T>;
}

/** Posting with the bot's own token. Everything throws DeliveryError. */
export function createPosts(api: SlackApi, identity: () => Identity): Posts {
  /** A public channel can be joined without being asked; a private one needs a person's invitation. */
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
    channel: string,
    thread: string | undefined,
    key: string,
    since: number,
  ): Promise<Posted | undefined> {
    const { botId, botUser } = identity();
    const range = { channel, oldest: (since / 1000).toFixed(6), limit: PAGE, include_all_metadata: true };
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
      if (ours?.ts !== undefined) return { channel, ...threadOf(thread), ts: ours.ts };
      cursor = answer.response_metadata?.next_cursor || undefined;
      if (cursor === undefined) return undefined;
    }
    throw new DeliveryError(
      'slack_history_too_long',
      'This channel is too busy to look for a message in it.',
      { outcome: 'unknown', retryable: false },
    );
  }

  return {
    async post({ channel, thread }, message, { key, alsoToChannel = false } = {}) {
      const content = {
        channel,
        ...render(message),
        ...(key === undefined ? {} : { metadata: { event_type: EVENT_TYPE, event_payload: { key } } }),
        unfurl_links: false,
        unfurl_media: false,
      };
      const send = async (at: string | undefined): Promise<Posted> => {
        const inThread =
          at === undefined ? {} : { thread_ts: at, ...(alsoToChannel ? { reply_broadcast: true } : {}) };
        const answer = await joining(
          channel,
          () => api.write.chat.postMessage({ ...content, ...inThread } as typeof content),
          POSTS,
        );
        // A message to a person comes back with the channel of the direct message.
        return { channel: answer.channel ?? channel, ...threadOf(at), ts: answer.ts ?? '' };
      };
      try {
        return await send(thread);
      } catch (error) {
        // Someone deleted the thread's first message: the news is still news.
        if (thread === undefined || !isThreadGone(error)) throw error;
        return await send(undefined);
      }
    },

    async edit(at, message) {
      const { channel, ts } = at;
      const content = { channel, ts, ...render(message) };
      await joining(channel, () => api.write.chat.update(content), EDITS);
      return at;
    },

    async postPrivately({ channel, thread, user }, message) {
      const content = {
        channel,
        user,
        ...render(message),
        ...(thread === undefined ? {} : { thread_ts: thread }),
      };
      await joining(channel, () => api.write.chat.postEphemeral(content));
    },

    async find({ channel, thread }, key, since) {
      try {
        return await findIn(channel, thread, key, since);
      } catch (error) {
        // Then it may have been posted to the channel instead.
        if (thread === undefined || !isThreadGone(error)) throw error;
        return await findIn(channel, undefined, key, since);
      }
    },

    joining,
  };
}

/** Where Slack only was away for a moment, nobody has to invite the bot: it is tried again. Nothing was sent. */
function notJoined({ code, userMessage, retryable, retryAfterMs, cause }: DeliveryError) {
  if (!retryable) return undefined;
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new DeliveryError(code, userMessage, { cause, outcome: 'not-sent', retryable, ...wait });
}

function threadOf(thread: string | undefined): { thread?: string } {
  return thread === undefined ? {} : { thread };
}

function keyOf(metadata: { event_type?: string; event_payload?: unknown } | undefined): unknown {
  if (metadata?.event_type !== EVENT_TYPE) return undefined;
  return (metadata.event_payload as { key?: unknown } | undefined)?.key;
}
