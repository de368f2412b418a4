import { z } from 'zod';
import type { Message } from '../../chat/card.ts';
import { answerLate } from '../../chat/late-answer.ts';
import type { AckMode, LateAnswer } from '../../chat/port.ts';
import { type Clock, stopwatch } from '../../clock.ts';
import { DeliveryError, isDeliveryError } from '../../errors.ts';
import type { SlackApi } from './api.ts';
import { noChannel, noUrl, toDeliveryError } from './errors.ts';
import { type Files, withNote } from './files.ts';
import { lookingFirst, type Patience } from './patience.ts';
import type { MessageWithoutFiles, PostedMessage, Posts, SlackPlace } from './posts.ts';

/** The message that holds the pressed button. */
const SourceMessage = z.object({
  channel: z.string(),
  ts: z.string(),
  thread: z.string().exactOptional(),
  /**
   * Whether the message is visible only to the person who asked. The bot can change an ephemeral message only through
   * its `response_url`.
   */
  ephemeral: z.boolean(),
});
export type SourceMessage = z.infer<typeof SourceMessage>;

/** All data needed to answer a person, even in a process that did not receive the person's request. */
export const SlackAsker = z.object({
  /** The id of the invocation. The id stays the same when Slack sends the invocation again. */
  id: z.string(),
  user: z.string(),
  channel: z.string(),
  /** The `ts` of the thread where public answers are posted. */
  thread: z.string().exactOptional(),
  /**
   * Whether the thread already has replies. Slack shows ephemeral messages only in a thread with replies
   * (chat.postEphemeral).
   */
  threadOpen: z.boolean(),
  /**
   * The URL to which the bot can post five answers within half an hour, in every channel where the person can type. App
   * mentions have no response_url.
   */
  responseUrl: z.string().exactOptional(),
  source: SourceMessage.exactOptional(),
  /** Set if the person opened the app's Home tab, or pressed a button there. */
  home: z.enum(['opened', 'pressed']).exactOptional(),
  /** The time of arrival, in epoch milliseconds. */
  receivedAt: z.number(),
});
export type SlackAsker = z.infer<typeof SlackAsker>;

/** The stored data that the bot needs to answer later. */
export const SlackReply = z.object({ mode: z.enum(['public', 'private', 'update']), asked: SlackAsker });

const WAITING =
  'Slack makes me wait before I can post in this channel. I go on as soon as Slack lets me: you need not ask again.';

/**
 * Errors that mean that the bot has no access to the channel. A `response_url` may still post where the bot's token
 * cannot post.
 */
const NO_ACCESS = ['slack-not-in-channel', 'slack-channel-not-found', 'slack-restricted-action'] as const;

export type SlackAnswer = ReturnType<typeof createAnswer>;

/**
 * Answers a person: privately, in the channel, or in the message with the pressed button. If `respond` cannot show an
 * answer in its place, the answer is sent privately. `postCard` throws in this case, because the caller may act only
 * after the card was posted.
 */
export function createAnswer(parts: {
  readonly asked: SlackAsker;
  readonly api: SlackApi;
  readonly posts: Posts;
  readonly files: Files;
  readonly patience: Patience;
  /** The time during which the person can be answered, in milliseconds from now. */
  readonly answerableMs: number;
  readonly clock: Clock;
}) {
  const { asked, api, posts, files, patience, answerableMs, clock } = parts;
  const { id, channel, thread, threadOpen, user, responseUrl, source, home } = asked;
  // By these keys, any process can find the bot's messages for this invocation.
  const cardKey = `card:${id}`;
  const answerKey = `answer:${id}`;
  /** Whether Slack's request named no channel. Every answer is then a direct message. */
  const isNowhere = channel === '';
  const here = { channel, ...(thread === undefined ? {} : { thread }) };
  /** The message with the public answer. Undefined until the bot has posted a message that the bot can edit. */
  let answer: PostedMessage | undefined;
  /** Whether `answer` still shows the card as it was posted. The final answer later replaces the card. */
  let cardStands = false;
  /**
   * Whether the bot stopped trying to post a card, because Slack did not confirm the card in time. The card may still
   * be in the channel.
   */
  let cardGivenUp = false;
  const spentMs = stopwatch(clock);

  async function viaUrl(
    message: MessageWithoutFiles,
    as: { readonly response_type: 'ephemeral' | 'in_channel'; readonly replace_original: boolean },
  ): Promise<void> {
    if (responseUrl === undefined) throw noUrl();
    // Without thread_ts, Slack would show the answer to a press in a thread outside the thread, in the channel
    // (handling user interaction).
    const open = threadOpen ? thread : undefined;
    const inThread = open === undefined ? {} : { thread_ts: open };
    await posts.rendered(message, open, (blocks) =>
      api.respond(responseUrl, { ...blocks, ...as, ...inThread }),
    );
  }

  function find(key: string, place: SlackPlace = here): Promise<PostedMessage | undefined> {
    return posts.find(place, key, asked.receivedAt);
  }

  /** Tells the person that the answer will be late. If Slack refuses this message, the failure is ignored. */
  function sayWaiting(): void {
    void whisper({ kind: 'line', tone: 'neutral', text: [WAITING] }).catch(() => undefined);
  }
  // After the bot gave up a card, the later messages of this answer are tried without waiting.
  const wait = () => ({
    patienceMs: cardGivenUp ? 0 : answerableMs - spentMs(),
    told: { person: user, tell: sayWaiting },
  });

  /**
   * Posts in the channel as soon as Slack permits. If the outcome of an attempt is unknown, searches the channel for
   * the message.
   */
  async function post(
    message: MessageWithoutFiles,
    key: string,
    place: SlackPlace = here,
  ): Promise<PostedMessage> {
    const send = () => posts.post(place, message, { key });
    return await patience.inTurn(
      `post ${channel}`,
      wait(),
      lookingFirst(send, () => find(key, place)),
    );
  }

  async function whisper(message: MessageWithoutFiles): Promise<void> {
    if (responseUrl !== undefined) {
      try {
        // `replace_original` must be false. With the response_url of a button, true would replace the message that
        // everyone sees. With the response_url of a slash command, true has no effect (bolt-js#2287).
        await viaUrl(message, { response_type: 'ephemeral', replace_original: false });
        return;
      } catch (error) {
        // The answer is sent again in a different way, even if Slack may already have shown it. For the person, an
        // answer shown twice is better than a missing answer.
        if (!(error instanceof DeliveryError)) throw error;
      }
    }
    if (isNowhere) return void (await posts.post({ channel: user }, message));
    try {
      await posts.postPrivately(
        { channel, user, ...(threadOpen && thread !== undefined ? { thread } : {}) },
        message,
      );
    } catch (error) {
      // A direct message to the person is the last resort. A mention has no response_url, and a channel that refuses
      // the bot's posts also refuses its ephemeral messages.
      await posts.post({ channel: user }, message).catch(() => {
        throw error;
      });
    }
  }

  /** Shows the message as the Home tab of the person. */
  async function publish(message: Message): Promise<void> {
    await posts.rendered(message, undefined, async ({ blocks }) => {
      await api.write.views
        .publish({ user_id: user, view: { type: 'home', blocks } })
        .catch((error: unknown) => {
          throw toDeliveryError(error);
        });
    });
  }

  async function privately(message: Message): Promise<void> {
    if (home === 'opened') return await publish(message);
    await files.showPrivately(user, message, wait, whisper);
  }

  /**
   * Sends an answer only to the person who asked, because the answer could not be posted for everyone. Adds the reason.
   */
  async function aside(message: Message, why: unknown): Promise<void> {
    if (!(why instanceof DeliveryError)) throw why;
    await privately(withNote(message, `Only you see this. ${why.userMessage}`));
  }

  /**
   * Searches for a card that was given up. Throws if the search fails for a temporary reason, so that the caller tries
   * again later.
   */
  async function doubtfulCard(): Promise<PostedMessage | undefined> {
    if (!cardGivenUp) return undefined;
    try {
      const found = await find(cardKey);
      cardStands = found !== undefined;
      return found;
    } catch (error) {
      if (!(error instanceof DeliveryError) || error.retryable) throw error;
      return undefined;
    }
  }

  async function publicly(message: Message): Promise<void> {
    if (isNowhere) return await privately(message);
    answer ??= await doubtfulCard();
    const standing = answer;
    if (standing) {
      try {
        await files.show(message, wait, (bare) => posts.edit(standing, bare));
        cardStands = false;
        return;
      } catch (error) {
        // The caller tries again later because of this error. Then the answer can still replace the card.
        if (cardStands && error instanceof DeliveryError && error.retryable) throw error;
        return await aside(message, error);
      }
    }
    try {
      await files.show(message, wait, async (bare) => (answer = await post(bare, answerKey)));
    } catch (error) {
      if (responseUrl === undefined || !isDeliveryError(error, ...NO_ACCESS))
        return await aside(message, error);
      // The bot's token cannot post in this channel, for example because the bot is not a member. A response_url can
      // still post in the channel where the person typed, but cannot post files.
      await files.showPrivately(user, message, wait, (bare) =>
        viaUrl(bare, { response_type: 'in_channel', replace_original: false }).catch(() =>
          whisper(withNote(bare, `Only you see this. ${error.userMessage}`)),
        ),
      );
    }
  }

  async function inSource(message: Message): Promise<void> {
    if (home !== undefined) return await publish(message);
    if (!source) return await privately(message);
    if (source.ephemeral)
      return await files.showPrivately(user, message, wait, (bare) =>
        viaUrl(bare, { response_type: 'ephemeral', replace_original: true }).catch(() => whisper(bare)),
      );
    const edit = (bare: MessageWithoutFiles) =>
      posts.edit(source, bare).catch(async (error: unknown) => {
        // The bot's token cannot edit a message that was posted through a response_url.
        if (responseUrl === undefined || !(error instanceof DeliveryError) || error.retryable) throw error;
        await viaUrl(bare, { response_type: 'in_channel', replace_original: true });
        return source;
      });
    try {
      await files.show(message, wait, (bare) => patience.inTurn(`edit ${channel}`, wait(), () => edit(bare)));
    } catch (error) {
      await aside(message, error);
    }
  }

  return {
    privately,
    respond: (mode: AckMode, message: Message): Promise<void> =>
      mode === 'public' ? publicly(message) : mode === 'update' ? inSource(message) : privately(message),
    async postCard(message: Message, place?: SlackPlace): Promise<PostedMessage> {
      if (isNowhere) throw noChannel();
      const show = async (bare: MessageWithoutFiles) => {
        const posted = await post(bare, cardKey, place);
        cardStands = answer === undefined;
        answer ??= posted;
        return posted;
      };
      return await files.show(message, wait, show).catch((error: unknown) => {
        if (!(error instanceof DeliveryError)) throw error;
        const { code, userMessage, outcome, retryable } = error;
        if (!retryable && outcome === 'not-sent') throw error;
        cardGivenUp = true;
        const hint = 'I could not post my card in time, so I did nothing. Ask again later.';
        throw new DeliveryError(code, userMessage, { hint, cause: error, outcome, retryable });
      });
    },
    /** See `Adapter.resume`. */
    async resume(mode: AckMode, { message, again, mayLeave }: LateAnswer): Promise<void> {
      // The Home tab needs no late answer. The tab shows its present state when the person opens it again.
      if (home === 'opened') return;
      if (mode !== 'public') {
        mayLeave();
        // An answer for a single person must not replace a message that everyone sees, such as a live card.
        if (mode === 'private' || !source?.ephemeral) return await privately(again);
        return await inSource(message);
      }
      try {
        await answerLate({
          findAnswer: () => find(answerKey),
          findCard: () => find(cardKey),
          mayLeave,
          edit: (card) => files.show(message, wait, (bare) => posts.edit(card, bare)),
          post: () => files.show(message, wait, (bare) => posts.post(here, bare, { key: answerKey })),
        });
      } catch (error) {
        if (!(error instanceof DeliveryError) || error.retryable) throw error;
        mayLeave();
        await privately(again);
      }
    },
  };
}
