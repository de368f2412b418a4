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

/** The message that contains the pressed button. */
const SourceMessage = z.object({
  channel: z.string(),
  ts: z.string(),
  thread: z.string().exactOptional(),
  /**
   * Whether only the person who asked sees the message. The bot can change an ephemeral message only through its
   * `response_url`.
   */
  ephemeral: z.boolean(),
});
export type SourceMessage = z.infer<typeof SourceMessage>;

/** All data that a process needs to answer a person, even if another process received the person's request. */
export const SlackAsker = z.object({
  /** Does not change when Slack sends the invocation again. */
  id: z.string(),
  user: z.string(),
  channel: z.string(),
  /** The thread for public answers, identified by the `ts` of the thread's first message. */
  thread: z.string().exactOptional(),
  /**
   * Whether `thread` already has replies. In a thread without replies, Slack does not show ephemeral messages
   * (chat.postEphemeral).
   */
  threadOpen: z.boolean(),
  /**
   * Slack's URL for answers. The URL accepts five answers within half an hour, and works in every channel where the
   * person can type. App mentions have no response_url.
   */
  responseUrl: z.string().exactOptional(),
  source: SourceMessage.exactOptional(),
  /** Set if the person opened the app's Home tab, or pressed a button in this tab. */
  home: z.enum(['opened', 'pressed']).exactOptional(),
  /** The time at which the request arrived, in epoch milliseconds. */
  receivedAt: z.number(),
});
export type SlackAsker = z.infer<typeof SlackAsker>;

/** The data that the bot stores so that it can answer later, for example after a restart. */
export const SlackReply = z.object({ mode: z.enum(['public', 'private', 'update']), asked: SlackAsker });

const WAITING =
  'Slack makes me wait before I can post in this channel. I go on as soon as Slack lets me: you need not ask again.';

/** The errors that Slack returns if the bot's token has no access to the channel. A `response_url` may still work. */
const NO_ACCESS = ['slack-not-in-channel', 'slack-channel-not-found', 'slack-restricted-action'] as const;

export type SlackAnswer = ReturnType<typeof createAnswer>;

/**
 * Answers a person: privately, in the channel, or in the message with the pressed button. If `respond` cannot show an
 * answer in the intended place, `respond` shows the answer privately. `postCard` throws instead, because the caller may
 * act only after the card is posted.
 */
export function createAnswer(parts: {
  readonly asked: SlackAsker;
  readonly api: SlackApi;
  readonly posts: Posts;
  readonly files: Files;
  readonly patience: Patience;
  /** How long the bot can still answer the person, in milliseconds from now. */
  readonly answerableMs: number;
  readonly clock: Clock;
}) {
  const { asked, api, posts, files, patience, answerableMs, clock } = parts;
  const { id, channel, thread, threadOpen, user, responseUrl, source, home } = asked;
  // The keys by which every process can find the bot's messages for this invocation.
  const cardKey = `card:${id}`;
  const answerKey = `answer:${id}`;
  /** Whether Slack's request names no channel. The bot then answers in a direct message, or in the Home tab. */
  const isNowhere = channel === '';
  const here = { channel, ...(thread === undefined ? {} : { thread }) };
  /** The message with the public answer. Undefined until the bot has posted a message that the bot can edit. */
  let answer: PostedMessage | undefined;
  /** Whether `answer` is a card that the final answer has not replaced yet. */
  let cardStands = false;
  /**
   * Whether the bot has stopped trying to post a card, because Slack did not confirm the card in time. The channel may
   * nevertheless contain the card.
   */
  let cardGivenUp = false;
  const spentMs = stopwatch(clock);

  async function viaUrl(
    message: MessageWithoutFiles,
    as: { readonly response_type: 'ephemeral' | 'in_channel'; readonly replace_original: boolean },
  ): Promise<void> {
    if (responseUrl === undefined) throw noUrl();
    // Without thread_ts, Slack shows the answer in the channel even if the pressed button is in a thread
    // (docs.slack.dev, Handling user interaction).
    const open = threadOpen ? thread : undefined;
    const inThread = open === undefined ? {} : { thread_ts: open };
    await posts.rendered(message, open, (blocks) =>
      api.respond(responseUrl, { ...blocks, ...as, ...inThread }),
    );
  }

  /** Finds the message that the bot posted for this invocation with this key. */
  function find(key: string, place: SlackPlace = here): Promise<PostedMessage | undefined> {
    return posts.find(place, key, asked.receivedAt);
  }

  /** Tells the person that the answer has to wait. If Slack refuses this message as well, the error is ignored. */
  function sayWaiting(): void {
    void whisper({ kind: 'line', tone: 'neutral', text: [WAITING] }).catch(() => undefined);
  }
  // If the bot has stopped trying to post a card, each later message of this answer gets only a single attempt.
  const wait = () => ({
    patienceMs: cardGivenUp ? 0 : answerableMs - spentMs(),
    told: { person: user, tell: sayWaiting },
  });

  /**
   * Posts in the channel as soon as Slack permits. If the outcome of an attempt is unknown, the bot searches the
   * channel for the message.
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
        // `replace_original` is always false here. For a button, `true` would replace the message that everyone sees.
        // For a slash command, `true` has no effect (bolt-js#2287).
        await viaUrl(message, { response_type: 'ephemeral', replace_original: false });
        return;
      } catch (error) {
        // After a delivery error, the code below tries another way. If the outcome of the first attempt is unknown, the
        // person may see the answer twice, which is better than seeing no answer.
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
      // The last resort is a direct message. A mention has no response_url, and a channel that refuses the bot's posts
      // also refuses the bot's ephemeral messages.
      await posts.post({ channel: user }, message).catch(() => {
        throw error;
      });
    }
  }

  /** Shows the message in the person's Home tab. */
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

  /** Shows an answer only to the person who asked. Adds the reason why the bot cannot post the answer for everyone. */
  async function aside(message: Message, why: unknown): Promise<void> {
    if (!(why instanceof DeliveryError)) throw why;
    await privately(withNote(message, `Only you see this. ${why.userMessage}`));
  }

  /**
   * Searches for a card that Slack did not confirm in time. Throws if the search fails for a temporary reason, so that
   * the caller tries again later.
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
        // Throws the error, so that the caller tries again later and the answer still replaces the card.
        if (cardStands && error instanceof DeliveryError && error.retryable) throw error;
        return await aside(message, error);
      }
    }
    try {
      await files.show(message, wait, async (bare) => (answer = await post(bare, answerKey)));
    } catch (error) {
      if (responseUrl === undefined || !isDeliveryError(error, ...NO_ACCESS))
        return await aside(message, error);
      // Even if the bot is not a member of the channel, a response_url can post in the channel where the person typed.
      // A response_url cannot post files.
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
      // A late answer is not needed. When the person opens the Home tab again, the bot shows the tab's current state.
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
