import { z } from 'zod';
import type { Message } from '../../chat/card.ts';
import { answerLate } from '../../chat/late-answer.ts';
import type { AckMode, LateAnswer } from '../../chat/port.ts';
import { type Clock, stopwatch } from '../../clock.ts';
import { DeliveryError, isDeliveryError } from '../../errors.ts';
import type { SlackApi } from './api.ts';
import { noUrl } from './errors.ts';
import { type Files, withNote } from './files.ts';
import { lookingFirst, type Patience } from './patience.ts';
import type { MessageWithoutFiles, PostedMessage, Posts } from './posts.ts';
import { render } from './render.ts';

/** The message that holds the pressed button. */
const SourceMessage = z.object({
  channel: z.string(),
  ts: z.string(),
  thread: z.string().exactOptional(),
  /** Only this person sees it, and only its `response_url` can change it. */
  ephemeral: z.boolean(),
});
export type SourceMessage = z.infer<typeof SourceMessage>;

/** All it takes to answer one person, also for another process than the one they spoke to. */
export const SlackAsker = z.object({
  /** The same when Slack delivers it again. */
  id: z.string(),
  user: z.string(),
  channel: z.string(),
  /** `ts` of the thread in which public answers go. */
  thread: z.string().exactOptional(),
  /** Whether that thread has replies already: Slack shows ephemeral messages in no other (chat.postEphemeral). */
  threadOpen: z.boolean(),
  /** Five answers within half an hour, wherever the person is; app mentions have none. */
  responseUrl: z.string().exactOptional(),
  source: SourceMessage.exactOptional(),
  /** Epoch milliseconds, when it came in. */
  receivedAt: z.number(),
});
export type SlackAsker = z.infer<typeof SlackAsker>;

/** What is stored of it. */
export const SlackReply = z.object({ mode: z.enum(['public', 'private', 'update']), asked: SlackAsker });

const WAITING =
  'Slack makes me wait before I can post in this channel. I go on as soon as it lets me: no need to ask again.';

/** The bot has no access to the channel: a `response_url` may still post where its own token cannot. */
const NO_ACCESS = ['slack-not-in-channel', 'slack-channel-not-found', 'slack-restricted-action'] as const;

export type SlackAnswer = ReturnType<typeof createAnswer>;

/**
 * How one person is answered: to them alone, to the channel, or in the message whose button they pressed. `respond`
 * gives the answer to them alone where it can be put nowhere else; `postCard` throws, as what it is asked before counts.
 */
export function createAnswer(parts: {
  readonly asked: SlackAsker;
  readonly api: SlackApi;
  readonly posts: Posts;
  readonly files: Files;
  readonly patience: Patience;
  /** Milliseconds, from now on, in which it can be answered. */
  readonly answerableMs: number;
  readonly clock: Clock;
}) {
  const { asked, api, posts, files, patience, answerableMs, clock } = parts;
  const { id, channel, thread, threadOpen, user, responseUrl, source } = asked;
  // By these another process can tell what we posted for this invocation.
  const cardKey = `card:${id}`;
  const answerKey = `answer:${id}`;
  const here = { channel, ...(thread === undefined ? {} : { thread }) };
  /** The public answer, once there is one the bot can edit. */
  let answer: PostedMessage | undefined;
  /** That is a card as it was posted, which nobody else will bring to an end. */
  let cardStands = false;
  /** Slack did not take a card in time, as far as anybody knows: it may stand in the channel all the same. */
  let cardGivenUp = false;
  const spentMs = stopwatch(clock);

  async function viaUrl(
    message: MessageWithoutFiles,
    as: { readonly response_type: 'ephemeral' | 'in_channel'; readonly replace_original: boolean },
  ): Promise<void> {
    if (responseUrl === undefined) throw noUrl();
    // Without thread_ts the answer to a press in a thread would stand in the channel (handling user interaction).
    await api.respond(responseUrl, {
      ...render(message),
      ...as,
      ...(threadOpen && thread !== undefined ? { thread_ts: thread } : {}),
    });
  }

  /** What we posted under that key for this invocation. */
  function find(key: string): Promise<PostedMessage | undefined> {
    return posts.find(here, key, asked.receivedAt);
  }

  /** Where Slack does not take that either, there is no harm done. */
  function tell(): void {
    void whisper({ kind: 'line', tone: 'neutral', text: [WAITING] }).catch(() => undefined);
  }
  // What follows a card that was given up does not wait as well.
  const wait = () => ({
    patienceMs: cardGivenUp ? 0 : answerableMs - spentMs(),
    told: { person: user, tell },
  });

  /** Posts in the channel as soon as Slack lets it, and looks there where Slack does not say what became of it. */
  async function post(message: MessageWithoutFiles, key: string): Promise<PostedMessage> {
    const send = () => posts.post(here, message, { key });
    return await patience.inTurn(
      `post ${channel}`,
      wait(),
      lookingFirst(send, () => find(key)),
    );
  }

  async function whisper(message: MessageWithoutFiles): Promise<void> {
    if (responseUrl !== undefined) {
      try {
        // Never replacing: on a button's response_url that would replace the message everyone sees, and on a
        // slash command's it does nothing (bolt-js#2287).
        await viaUrl(message, { response_type: 'ephemeral', replace_original: false });
        return;
      } catch (error) {
        // A lost answer may have been shown; shown twice to one person is better than not at all.
        if (!(error instanceof DeliveryError)) throw error;
      }
    }
    try {
      await posts.postPrivately(
        { channel, user, ...(threadOpen && thread !== undefined ? { thread } : {}) },
        message,
      );
    } catch (error) {
      // A mention has no response_url, and where the bot may not post it may not whisper either.
      await posts.post({ channel: user }, message).catch(() => {
        throw error;
      });
    }
  }

  async function privately(message: Message): Promise<void> {
    await files.showPrivately(user, message, wait, whisper);
  }

  /** An answer that cannot stand where all would see it reaches the one who asked, with the reason. */
  async function aside(message: Message, why: unknown): Promise<void> {
    if (!(why instanceof DeliveryError)) throw why;
    await privately(withNote(message, `Only you see this. ${why.userMessage}`));
  }

  /** The card that could not be looked for when it was posted. Throws where that cannot be done just now either. */
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
    answer ??= await doubtfulCard();
    const standing = answer;
    if (standing) {
      try {
        await files.show(message, wait, (bare) => posts.edit(standing, bare));
        cardStands = false;
        return;
      } catch (error) {
        // As soon as Slack takes it, it is put in place of the card.
        if (cardStands && error instanceof DeliveryError && error.retryable) throw error;
        return await aside(message, error);
      }
    }
    try {
      await files.show(message, wait, async (bare) => (answer = await post(bare, answerKey)));
    } catch (error) {
      if (responseUrl === undefined || !isDeliveryError(error, ...NO_ACCESS))
        return await aside(message, error);
      // Slack lets a response_url post where the person is, even where the bot is not. Files it cannot post.
      await files.showPrivately(user, message, wait, (bare) =>
        viaUrl(bare, { response_type: 'in_channel', replace_original: false }).catch(() =>
          whisper(withNote(bare, `Only you see this. ${error.userMessage}`)),
        ),
      );
    }
  }

  async function inSource(message: Message): Promise<void> {
    if (!source) return await privately(message);
    if (source.ephemeral)
      return await files.showPrivately(user, message, wait, (bare) =>
        viaUrl(bare, { response_type: 'ephemeral', replace_original: true }).catch(() => whisper(bare)),
      );
    const edit = (bare: MessageWithoutFiles) =>
      posts.edit(source, bare).catch(async (error: unknown) => {
        // What was posted through a response_url is not the bot's to edit.
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
    async postCard(message: Message): Promise<PostedMessage> {
      const show = async (bare: MessageWithoutFiles) => {
        const posted = await post(bare, cardKey);
        cardStands = answer === undefined;
        answer ??= posted;
        return posted;
      };
      return await files.show(message, wait, show).catch((error: unknown) => {
        if (!(error instanceof DeliveryError)) throw error;
        const { code, userMessage, outcome, retryable } = error;
        if (!retryable && outcome === 'not-sent') throw error;
        cardGivenUp = true;
        const hint = 'My card could not be posted in time, so nothing was done. Ask again later.';
        throw new DeliveryError(code, userMessage, { hint, cause: error, outcome, retryable });
      });
    },
    /** See `Adapter.resume`. */
    async resume(mode: AckMode, { message, again, mayLeave }: LateAnswer): Promise<void> {
      if (mode !== 'public') {
        mayLeave();
        // What everybody sees, a live card above all, is not to be replaced by one person's news.
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
