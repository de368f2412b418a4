import type { CardFile, Message } from '../../chat/card.ts';
import type { Logger } from '../../log.ts';
import type { SlackApi } from './api.ts';
import { toDeliveryError } from './errors.ts';
import { lookingFirst, type Patience, type Wait } from './patience.ts';
import type { Posted, Posts } from './posts.ts';

/** So many messages of a thread are read back at once. */
const THREAD = 999;

export interface Files {
  /** Puts a card's files under it, in its thread. Never throws: the card is there already, and says more than nothing. */
  attach(to: Posted, message: Message, wait: Wait): Promise<void>;
  /** Sends them to one person, as an ephemeral message cannot hold files. Resolves with what to say about it. */
  hand(user: string, message: Message, wait: Wait): Promise<string | undefined>;
}

export function createFiles(api: SlackApi, posts: Posts, patience: Patience, log: Logger): Files {
  /**
   * A URL for the bytes, the bytes, and a call that shows the file: files.upload is gone (Slack's changelog). The first
   * two are safe to repeat, as nobody sees what is not completed.
   */
  async function upload({ channel, ts, thread = ts }: Posted, files: readonly CardFile[], wait: Wait) {
    const web = api.write.files;
    const patiently = <T>(attempt: () => Promise<T>) => patience.inTurn(`files ${channel}`, wait, attempt);
    for (const { name, content } of files) {
      const file = new File([content], name);
      const id = await patiently(async () => {
        const place = () => web.getUploadURLExternal({ filename: name, length: file.size });
        const { upload_url = '', file_id = '' } = await posts.joining(channel, place);
        await api.upload(upload_url, file);
        return file_id;
      });
      const complete = () =>
        web.completeUploadExternal({ files: [{ id, title: name }], channel_id: channel, thread_ts: thread });
      const read = () => api.read.conversations.replies({ channel, ts: thread, limit: THREAD });
      const look = async () => {
        const { messages = [] } = await posts.joining(channel, read);
        return messages.some((message) => message.files?.some((one) => one.id === id)) || undefined;
      };
      await patiently(lookingFirst(() => posts.joining(channel, complete).then(() => true), look));
    }
  }

  return {
    async attach(to, message, { patienceMs }) {
      const files = filesOf(message);
      if (files.length === 0) return;
      const { channel, thread = to.ts } = to;
      // Nobody has to be told: the card is there.
      const wait = { patienceMs };
      try {
        await upload(to, files, wait);
      } catch (error) {
        log.warn({ err: error, files: files.length }, 'slack: a file could not be attached');
        const say = () => posts.post({ channel, thread }, notAttached(files, error));
        await patience.inTurn(`post ${channel}`, wait, say).catch((again: unknown) => {
          log.warn({ err: again }, 'slack: nor could that be said');
        });
      }
    },

    async hand(user, message, wait) {
      const files = filesOf(message);
      if (files.length === 0) return undefined;
      try {
        // Posting to a person opens the direct message, and needs no scope beyond chat:write.
        const line: Message = { kind: 'line', tone: 'neutral', text: [`You asked for ${names(files)}.`] };
        const open = () => posts.post({ channel: user }, line);
        const to = await patience.inTurn(`post ${user}`, wait, open);
        await upload(to, files, wait);
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
  const { userMessage, hint, outcome } = toDeliveryError(error);
  const fate = outcome === 'unknown' ? 'may be missing' : 'could not be attached';
  return {
    kind: 'line',
    tone: 'warning',
    text: [`${names(files)} ${fate}. ${userMessage}${hint ? ` ${hint}` : ''}`],
  };
}
