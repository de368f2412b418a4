import type { CardFile, Message } from '../../cards/card.ts';
import type { Logger } from '../../log.ts';
import type { SlackApi } from './api.ts';
import { toDeliveryError } from './errors.ts';
import { PACE_MS } from './limits.ts';
import { lookingFirst, type Patience, type Wait } from './patience.ts';
import type { Posted, Posts } from './posts.ts';

export interface Files {
  /** Puts a card's files under it, in its thread. Never throws: the card is there already, and says more than nothing. */
  attach(to: Posted, message: Message, wait: Wait): Promise<void>;
  /** Sends them to one person, as an ephemeral message cannot hold files. Resolves with what to say about it. */
  hand(user: string, message: Message, wait: Wait): Promise<string | undefined>;
}

export function createFiles(api: SlackApi, posts: Posts, patience: Patience, log: Logger): Files {
  /** files.upload is gone (Slack's changelog): a URL for the bytes, the bytes, and one call that shows the files. */
  async function upload({ channel, ts, thread = ts }: Posted, files: readonly CardFile[], wait: Wait) {
    const patiently = <T>(attempt: () => Promise<T>) =>
      patience.inTurn({ leftMs: wait.leftMs, lane: `files ${channel}`, paceMs: PACE_MS.post, attempt });
    const ids: string[] = [];
    for (const { name, content } of files) {
      const bytes = new TextEncoder().encode(content);
      // Safe to repeat from the start: nobody sees what is not completed.
      const id = await patiently(async () => {
        const place = await called(
          api.write.files.getUploadURLExternal({ filename: name, length: bytes.length }),
        );
        await api.upload(place.upload_url ?? '', name, bytes);
        return place.file_id ?? '';
      });
      ids.push(id);
    }
    const [first, ...others] = ids.map((id, index) => ({ id, title: files[index]?.name ?? id }));
    if (!first) return;
    const complete = async () => {
      const all = { files: [first, ...others] as [typeof first, ...typeof others] };
      await called(
        api.write.files.completeUploadExternal({ ...all, channel_id: channel, thread_ts: thread }),
      );
      return true;
    };
    await patiently(lookingFirst(complete, () => posts.hasFile({ channel, thread }, first.id)));
  }

  return {
    async attach(to, message, wait) {
      const files = filesOf(message);
      if (files.length === 0) return;
      const { channel, thread = to.ts } = to;
      try {
        await upload(to, files, wait);
      } catch (error) {
        log.warn({ err: error, files: files.length }, 'slack: a file could not be attached');
        await posts.post({ channel, thread }, notAttached(files, error)).catch((again: unknown) => {
          log.warn({ err: again }, 'slack: nor could that be said');
        });
      }
    },

    async hand(user, message, wait) {
      const files = filesOf(message);
      if (files.length === 0) return undefined;
      try {
        // Posting to a person opens the direct message, and needs no scope beyond chat:write.
        const to = await posts.post(
          { channel: user },
          { kind: 'line', tone: 'neutral', text: [`You asked for ${names(files)}.`] },
        );
        await upload(to, files, wait);
        return `${names(files)}: sent to you in a direct message.`;
      } catch (error) {
        log.warn({ err: error, files: files.length }, 'slack: a file could not be handed over');
        return `${names(files)}: could not be sent. ${toDeliveryError(error).userMessage}`;
      }
    },
  };
}

async function called<T>(call: Promise<T>): Promise<T> {
  return await call.catch((error: unknown) => {
    throw toDeliveryError(error);
  });
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
