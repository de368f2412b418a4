import { type APIMessage, MessageFlags } from 'discord-api-types/v10';
import { z } from 'zod';
import { type Attribution, attributed, type Message } from '../../chat/card.ts';
import { answerByKeys } from '../../chat/late-answer.ts';
import type { Adapter, Address, LateAnswer, MessageRef } from '../../chat/port.ts';
import type { Clock } from '../../clock.ts';
import { isDeliveryError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { MessageApi } from './api.ts';
import { expired } from './errors.ts';
import { limits } from './limits.ts';
import { markerOf } from './marker.ts';
import { payloadOf } from './payload.ts';

/** A little less than Discord's 15 minutes, because a request must reach Discord before the token expires. */
const TOKEN_USABLE_MS = limits.interactionTokenMs - 30_000;

const UNKNOWN = 'discord-unknown-message';
/**
 * The errors that mean that an interaction's token can no longer be used to answer. The channel may still accept
 * messages.
 */
const TOKEN_GONE = ['discord-answer-expired', 'discord-too-late', UNKNOWN] as const;

/** All data needed to answer an interaction, even in a process that did not receive the interaction. */
export const DiscordReply = z.object({
  /** Id of the interaction. */
  id: z.string(),
  applicationId: z.string(),
  /** The interaction's token, used instead of the bot's token. */
  token: z.string(),
  /** When the interaction was received, in epoch milliseconds. */
  receivedAt: z.number(),
  workspace: z.string(),
  channel: z.string(),
  mode: z.enum(['public', 'private', 'update']),
  /** The public message with the pressed button. */
  source: z.string().optional(),
});
export type DiscordReply = z.infer<typeof DiscordReply>;

export type DiscordAnswer = ReturnType<typeof createAnswer>;

export interface AnswerParts {
  readonly adapter: Adapter;
  readonly api: MessageApi;
  readonly clock: Clock;
  readonly log: Logger;
  /** Writes the commands in a message as a person types them in a server. */
  readonly spell: (message: Message, guild: string) => Message;
  /** The person and the command. An answer that is not a reply to the interaction names them. */
  readonly asked?: Attribution;
}

/** The answer to an acknowledged interaction. On failure, every function throws DeliveryError. */
export function createAnswer(reply: DiscordReply, { adapter, api, clock, log, spell, asked }: AnswerParts) {
  const { id, mode } = reply;
  const at: Address = { platform: adapter.platform, workspace: reply.workspace, channel: reply.channel };
  // Every process uses these keys to recognise the card and the answer of an interaction. An interaction has at most
  // one card and one answer. A repeated attempt to send either of them uses the same key.
  const cardKey = `i${id}`;
  const answerKey = `a${id}`;
  const payload = (message: Message, key?: string) => payloadOf(spell(message, at.workspace), key);
  const source = reply.source === undefined ? undefined : { ...at, message: reply.source };
  // After a press of a button, `source` is set only if the button is in a public message. A change of a private message
  // is private, too.
  const isPublic = mode === 'public' || source !== undefined;
  /**
   * The public message that holds the answer. The bot's own token can edit this message. Undefined if no public message
   * holds the answer.
   */
  let standing = source;
  let tokenGone = false;
  /**
   * Whether the answer is a message of its own in the channel, not a reply to the interaction. Discord then does not
   * name the person who asked.
   */
  let standsAlone = false;
  /** Whether a public answer was announced and has not been given yet. */
  let waits = mode === 'public';

  /**
   * Calls `act`, which uses the interaction's token. Returns undefined if the token no longer works. The caller can
   * then try the bot's own token.
   */
  async function byToken<T>(act: () => Promise<T>): Promise<T | undefined> {
    if (!tokenGone && clock.now() - reply.receivedAt < TOKEN_USABLE_MS) {
      try {
        return await act();
      } catch (error) {
        if (!isDeliveryError(error, ...TOKEN_GONE)) throw error;
        log.warn({ interaction: id, err: error }, 'an interaction can no longer be answered by its token');
      }
    }
    tokenGone = true;
    return undefined;
  }

  /**
   * Shows the message as the answer. Uses the interaction's token as long as this token works, and then the bot's own
   * token.
   */
  async function fillIn(message: Message, key: string): Promise<MessageRef | undefined> {
    const filled = await byToken(() => api.editAnswer(reply, payload(message, key)));
    if (filled) {
      waits = false;
      const ref = refOf(at, filled);
      if (isPublic) standing = ref;
      return ref;
    }
    if (!isPublic) throw expired();
    standsAlone ||= standing === undefined;
    const named = standsAlone && asked ? attributed(message, asked) : message;
    if (standing) await adapter.edit(standing, named);
    else standing = await adapter.post(at, { message: named, key });
    return standing;
  }

  /**
   * Sends a message that only the person sees. If a public answer was announced but not given, deletes the
   * announcement.
   */
  async function aside(message: Message): Promise<void> {
    // If the announcement stayed, Discord would show the private message to all members as the announced answer.
    if (waits)
      await api.deleteAnswer(reply).catch(async (error: unknown) => {
        if (!isDeliveryError(error, UNKNOWN)) await api.editAnswer(reply, payload(elsewhere));
      });
    waits = false;
    await api.followUpPrivately(reply, payload(message));
  }

  return {
    /** Gives the answer. If an answer was given before, replaces that answer. */
    async give(message: Message): Promise<void> {
      await fillIn(message, answerKey);
    },
    aside,
    /** Posts a card that the bot's own token can edit. */
    async postCard(message: Message, under?: MessageRef): Promise<MessageRef> {
      const card =
        mode === 'public'
          ? await fillIn(message, cardKey)
          : await adapter.post(at, { message, key: cardKey, ...(under ? { replyTo: under } : {}) });
      if (!card) throw new Error('A public answer must have a message');
      return card;
    },
    /** See `Adapter.resume`. */
    async resume({ message, again, mayLeave }: LateAnswer): Promise<void> {
      const done = await byToken(async () => {
        const shown = await api.readAnswer(reply).catch((error: unknown) => {
          // Discord has no answer to read, because the bot deleted the announcement of a public answer before it
          // answered privately.
          if (mode === 'private' && isDeliveryError(error, UNKNOWN)) return undefined;
          throw error;
        });
        if (shown?.components?.[0]?.id === markerOf(answerKey)) return true;
        mayLeave();
        const { flags = 0 } = shown ?? {};
        waits = (flags & MessageFlags.Loading) !== 0;
        // The answer may be a public message, such as a live card. A text for a single person must not replace a public
        // message, so the text is sent as a follow-up. A follow-up accepts no nonce and cannot be read back (Execute
        // Webhook). The bot therefore cannot tell whether an earlier attempt already sent the follow-up.
        if (source || (mode === 'private' && !(flags & MessageFlags.Ephemeral))) await aside(again);
        else await api.editAnswer(reply, payload(message, answerKey));
        return true;
      });
      if (done) return;
      if (mode !== 'public') throw expired();
      const keys = { card: cardKey, answer: answerKey, since: reply.receivedAt };
      await answerByKeys(adapter, at, keys, { message, again, mayLeave });
    },
  };
}

/** This text replaces an announcement that the bot could not delete. */
const elsewhere: Message = {
  kind: 'line',
  tone: 'neutral',
  text: ['Only the person who asked can see this answer.'],
};

export function refOf(at: Address, message: APIMessage): MessageRef {
  return { platform: at.platform, workspace: at.workspace, channel: message.channel_id, message: message.id };
}
