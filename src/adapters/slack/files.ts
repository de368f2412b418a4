import type { CardFile, Message } from '../../chat/card.ts';
import type { Logger } from '../../log.ts';
import type { SlackApi } from './api.ts';
import { toDeliveryError } from './errors.ts';
import type { Posted, Posts } from './posts.ts';

export interface Files {
  /** Puts a card's files under it, in its thread. Never throws: the card is there already, and says more than nothing. */
  attach(to: Posted, message: Message): Promise<void>;
  /** Sends them to one person, as an ephemeral message cannot hold files. Resolves with what to say about it. */
  hand(user: string, message: Message): Promise<string | undefined>;
}

export function createFiles(api: SlackApi, posts: Posts, log: Logger): Files {
  async function upload(
    channel: string,
    thread: string | undefined,
    files: readonly CardFile[],
  ): Promise<void> {
    const file_uploads = files.map(({ name, content }) => ({
      filename: name,
      title: name,
      file: Buffer.from(content),
    }));
    // getUploadURLExternal, one POST, completeUploadExternal: files.upload is gone (Slack's changelog).
    await api.write.filesUploadV2({
      channel_id: channel,
      file_uploads,
      ...(thread === undefined ? {} : { thread_ts: thread }),
    } as Parameters<typeof api.write.filesUploadV2>[0]);
  }

  return {
    async attach(to, message) {
      const files = filesOf(message);
      if (files.length === 0) return;
      const thread = to.thread ?? to.ts;
      try {
        await upload(to.channel, thread, files);
      } catch (error) {
        log.warn({ err: error, files: files.length }, 'slack: a file could not be attached');
        await posts
          .post({ channel: to.channel, thread }, notAttached(files, error))
          .catch((again: unknown) => {
            log.warn({ err: again }, 'slack: nor could that be said');
          });
      }
    },

    async hand(user, message) {
      const files = filesOf(message);
      if (files.length === 0) return undefined;
      try {
        // Posting to a person opens the direct message, and needs no scope beyond chat:write.
        const to = await posts.post(
          { channel: user },
          { kind: 'line', tone: 'neutral', text: [`You asked for ${names(files)}.`] },
        );
        await upload(to.channel, to.ts, files);
        return `${names(files)}: sent to you in a direct message.`;
      } catch (error) {
        log.warn({ err: error, files: files.length }, 'slack: a file could not be handed over');
        return `${names(files)}: could not be sent. ${toDeliveryError(error).userMessage}`;
      }
    },
  };
}

function filesOf(message: Message): readonly CardFile[] {
  return message.kind === 'card' ? (message.files ?? []) : [];
}

function names(files: readonly CardFile[]): string {
  return files.map(({ name }) => name).join(', ');
}

function notAttached(files: readonly CardFile[], error: unknown): Message {
  const { userMessage, hint } = toDeliveryError(error);
  return {
    kind: 'line',
    tone: 'warning',
    text: [`${names(files)} could not be attached. ${userMessage}${hint ? ` ${hint}` : ''}`],
  };
}
