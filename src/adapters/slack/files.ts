import type { Message } from '../../chat/card.ts';
import { cutEnd } from '../../chat/text.ts';
import type { Logger } from '../../log.ts';
import type { SlackApi } from './api.ts';
import { toDeliveryError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { lookingFirst, type Patience, type Wait } from './patience.ts';
import type { MessageWithoutFiles, PostedMessage, Posts } from './posts.ts';

/** The number of messages that a single call reads from a thread. */
const THREAD = 999;

export type Files = ReturnType<typeof createFiles>;

type Show<Shown> = (bare: MessageWithoutFiles) => Promise<Shown>;

interface Upload {
  readonly file: File;
  /** The alternative text of a picture. Empty for other files. */
  readonly alt: string;
}

/**
 * Shows a message together with its files. Only this code separates a message from its files. `Posts` accepts only
 * messages without files, so the compiler rejects a caller that forgets the files.
 */
export function createFiles(api: SlackApi, posts: Posts, patience: Patience, log: Logger) {
  /**
   * Sends each file in three calls. The first gets a URL, the second sends the bytes, and the third shows the file in
   * the thread. Slack has removed the older method files.upload (see Slack's changelog). The first two calls are safe
   * to repeat, because people see the file only after the third call. Pictures, too, are shown as files and not as
   * image blocks. Slack refuses an image block (invalid_blocks) until Slack has scanned the file. To find out when the
   * scan is over, the bot would need the scope files:read (node-slack-sdk#2040, slack-github-action#413).
   */
  async function upload({ channel, ts, thread = ts }: PostedMessage, uploads: readonly Upload[], wait: Wait) {
    const web = api.write.files;
    const patiently = <T>(attempt: () => Promise<T>) => patience.inTurn(`files ${channel}`, wait, attempt);
    for (const { file, alt } of uploads) {
      const { name } = file;
      // The SDK's types call this field alt_text, but Slack expects alt_txt (files.getUploadURLExternal).
      const wanted = { filename: name, length: file.size, ...(alt ? { alt_txt: alt } : {}) };
      const id = await patiently(async () => {
        const place = () => web.getUploadURLExternal(wanted);
        const { upload_url = '', file_id = '' } = await posts.joining(channel, place);
        await api.upload(upload_url, file);
        return file_id;
      });
      const complete = () =>
        web.completeUploadExternal({ files: [{ id, title: name }], channel_id: channel, thread_ts: thread });
      const read = () => api.read.conversations.replies({ channel, ts: thread, limit: THREAD });
      const look = async () => {
        const { messages = [] } = await posts.joining(channel, read);
        return messages.some((message) => message.files?.some((file) => file.id === id)) || undefined;
      };
      await patiently(lookingFirst(() => posts.joining(channel, complete).then(() => true), look));
    }
  }

  /** Adds the files to the thread of a message. Never throws. */
  async function attach(to: PostedMessage, uploads: readonly Upload[], { patienceMs }: Wait): Promise<void> {
    const { channel, thread = to.ts } = to;
    // Leaves out `told`: the person can already see the message, and needs no notice about the wait.
    const wait = { patienceMs };
    try {
      await upload(to, uploads, wait);
    } catch (error) {
      log.warn({ err: error, files: uploads.length }, 'slack: a file could not be attached');
      const say = () => posts.post({ channel, thread }, notAttached(uploads, error));
      await patience.inTurn(`post ${channel}`, wait, say).catch((again: unknown) => {
        log.warn({ err: again }, 'slack: the missing file could not be reported in the thread');
      });
    }
  }

  /** Sends the files in a direct message. Resolves with a note that says whether the files were sent. Never throws. */
  async function sendDirectly(user: string, uploads: readonly Upload[], wait: Wait): Promise<string> {
    const said = names(uploads);
    try {
      // A message that is posted to a user id becomes a direct message, and needs only the scope chat:write.
      const line: MessageWithoutFiles = { kind: 'line', tone: 'neutral', text: [`You asked for ${said}.`] };
      const open = () => posts.post({ channel: user }, line);
      await upload(await patience.inTurn(`post ${user}`, wait, open), uploads, wait);
      return `${said}: sent to you in a direct message.`;
    } catch (error) {
      log.warn({ err: error, files: uploads.length }, 'slack: a file could not be sent in a direct message');
      return `${said}: could not be sent. ${toDeliveryError(error).userMessage}`;
    }
  }

  return {
    /**
     * Shows the message with `show`, and then adds the files to the thread of the message. Throws only the errors of
     * `show`. If a file cannot be sent, the bot names the missing file in the thread.
     */
    async show(message: Message, wait: () => Wait, show: Show<PostedMessage>): Promise<PostedMessage> {
      const { bare, uploads } = parted(message);
      const posted = await show(bare);
      if (uploads.length > 0) await attach(posted, uploads, wait());
      return posted;
    },
    /**
     * First sends the files in a direct message, because an ephemeral message cannot hold files. Then shows the message
     * with `show`, together with a note about the files.
     */
    async showPrivately(user: string, message: Message, wait: () => Wait, show: Show<void>): Promise<void> {
      const { bare, uploads } = parted(message);
      await show(uploads.length === 0 ? bare : withNote(bare, await sendDirectly(user, uploads, wait())));
    },
  };
}

function parted(message: Message): {
  readonly bare: MessageWithoutFiles;
  readonly uploads: readonly Upload[];
} {
  if (message.kind === 'line') return { bare: message, uploads: [] };
  const { files = [], ...bare } = message;
  const pictures = bare.nodes.filter((node) => node.kind === 'image');
  const uploads = files.map(({ name, type, bytes }) => {
    const alt = cutEnd(pictures.find(({ file }) => file === name)?.alt ?? '', LIMITS.alt);
    return { file: new File([bytes], name, { type }), alt };
  });
  return { bare, uploads };
}

export function withNote<Kind extends Message>(message: Kind, note: string): Kind;
export function withNote(message: Message, note: string): Message {
  if (message.kind === 'line') return { ...message, text: [...message.text, ` (${note})`] };
  return { ...message, nodes: [...message.nodes, { kind: 'note', text: [note] }] };
}

function names(uploads: readonly Upload[]): string {
  return uploads.map(({ file }) => file.name).join(', ');
}

function notAttached(uploads: readonly Upload[], error: unknown): MessageWithoutFiles {
  const { userMessage, hint, outcome } = toDeliveryError(error);
  const state = outcome === 'unknown' ? 'may be missing' : 'could not be attached';
  return {
    kind: 'line',
    tone: 'warning',
    text: [`${names(uploads)} ${state}. ${userMessage}${hint ? ` ${hint}` : ''}`],
  };
}
