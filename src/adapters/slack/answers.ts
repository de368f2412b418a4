import type { types } from '@slack/bolt';
import type { Message } from '../../cards/card.ts';
import { DeliveryError } from '../../errors.ts';
import type { AckMode } from '../adapter.ts';
import { accepted, isNoAccess, noUrl, toDeliveryError } from './errors.ts';
import type { Files } from './files.ts';
import type { Incoming } from './incoming.ts';
import type { Posted, Posts } from './posts.ts';
import { render } from './renderer.ts';

/** Bolt's `respond`: posts to the payload's response_url. */
export type Respond = (answer: {
  readonly text: string;
  readonly blocks: types.KnownBlock[];
  readonly response_type: 'ephemeral' | 'in_channel';
  readonly replace_original: boolean;
  readonly thread_ts?: string;
}) => Promise<unknown>;

/**
 * How one person is answered: to them alone, to the channel, or in the message whose button they pressed. `respond`
 * gives the answer to them alone where it can be put nowhere else; `postCard` throws, as what it is asked before counts.
 */
export interface Answers {
  privately(message: Message): Promise<void>;
  respond(mode: AckMode, message: Message): Promise<void>;
  postCard(message: Message): Promise<Posted>;
}

export function createAnswers(parts: {
  readonly incoming: Incoming;
  readonly respond: Respond | undefined;
  readonly posts: Posts;
  readonly files: Files;
}): Answers {
  const { incoming, respond, posts, files } = parts;
  const { channel, thread, threadOpen, user } = incoming;
  const here = { channel, ...(thread === undefined ? {} : { thread }) };
  /** The public answer, once there is one the bot can edit. */
  let answer: Posted | undefined;

  async function viaUrl(
    message: Message,
    as: { readonly response_type: 'ephemeral' | 'in_channel'; readonly replace_original: boolean },
  ): Promise<void> {
    if (!respond) throw noUrl();
    // Without thread_ts the answer to a press in a thread would stand in the channel (handling user interaction).
    const content = {
      ...render(message),
      ...as,
      ...(threadOpen && thread !== undefined ? { thread_ts: thread } : {}),
    };
    try {
      await accepted(await respond(content));
    } catch (error) {
      throw toDeliveryError(error);
    }
  }

  async function privately(message: Message): Promise<void> {
    if (respond) {
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

  async function privatelyWithFiles(message: Message): Promise<void> {
    await privately(withNote(message, await files.hand(user, message)));
  }

  /** An answer that cannot stand where all would see it reaches the one who asked, with the reason. */
  async function aside(message: Message, why: unknown): Promise<void> {
    if (!(why instanceof DeliveryError)) throw why;
    await privatelyWithFiles(withNote(message, `Only you see this. ${why.userMessage}`));
  }

  async function publicly(message: Message): Promise<void> {
    if (answer) return await posts.edit(answer, message).catch((error: unknown) => aside(message, error));
    try {
      answer = await posts.post(here, message);
    } catch (error) {
      if (!respond || !isNoAccess(error)) return await aside(message, error);
      // Slack lets a response_url post where the person is, even where the bot is not. Files it cannot post.
      const said = await files.hand(user, message);
      const shown = withNote(message, said);
      return await viaUrl(shown, { response_type: 'in_channel', replace_original: false }).catch(() =>
        privately(withNote(shown, `Only you see this. ${error.userMessage}`)),
      );
    }
    await files.attach(answer, message);
  }

  async function inSource(message: Message): Promise<void> {
    if (incoming.did.kind !== 'press') return await privatelyWithFiles(message);
    const { source } = incoming.did;
    if (source.ephemeral) {
      const shown = withNote(message, await files.hand(user, message));
      await viaUrl(shown, { response_type: 'ephemeral', replace_original: true }).catch(() =>
        privately(shown),
      );
      return;
    }
    try {
      await posts.edit(source, message).catch(async (error: unknown) => {
        // What was posted through a response_url is not the bot's to edit.
        if (!respond || !(error instanceof DeliveryError) || error.retryable) throw error;
        await viaUrl(message, { response_type: 'in_channel', replace_original: true });
      });
    } catch (error) {
      return await aside(message, error);
    }
    await files.attach(source, message);
  }

  return {
    privately,
    respond: (mode, message) =>
      mode === 'public'
        ? publicly(message)
        : mode === 'update'
          ? inSource(message)
          : privatelyWithFiles(message),
    async postCard(message) {
      const posted = await posts.post(here, message);
      answer ??= posted;
      await files.attach(posted, message);
      return posted;
    },
  };
}

function withNote(message: Message, note: string | undefined): Message {
  if (note === undefined) return message;
  if (message.kind === 'line') return { ...message, text: [...message.text, ` (${note})`] };
  return { ...message, nodes: [...message.nodes, { kind: 'note', text: [note] }] };
}
