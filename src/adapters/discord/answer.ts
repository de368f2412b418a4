import { type APIMessage, MessageFlags } from 'discord.js';
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

/** A little before Discord's own 15 minutes, so that a request on its way does not arrive too late. */
const TOKEN_USABLE_MS = limits.interactionTokenMs - 30_000;

const UNKNOWN = 'discord-unknown-message';
/** An interaction's token is of no use any more, while the channel may still be. */
const TOKEN_GONE = ['discord-answer-expired', 'discord-too-late', UNKNOWN] as const;

/** All it takes to answer an interaction, also for another process than the one that received it. */
export const DiscordReply = z.object({
  /** The interaction's own id. */
  id: z.string(),
  applicationId: z.string(),
  /** Stands for the bot's own. */
  token: z.string(),
  /** Epoch milliseconds, when it was received. */
  receivedAt: z.number(),
  workspace: z.string(),
  channel: z.string(),
  mode: z.enum(['public', 'private', 'update']),
  /** The public message whose button was pressed. */
  source: z.string().optional(),
});
export type DiscordReply = z.infer<typeof DiscordReply>;

export type DiscordAnswer = ReturnType<typeof createAnswer>;

export interface AnswerParts {
  readonly adapter: Adapter;
  readonly api: MessageApi;
  readonly clock: Clock;
  readonly log: Logger;
  /** For what has to stand in the channel by itself. */
  readonly asked?: Attribution;
}

/** The answer to one acknowledged interaction. Everything throws DeliveryError. */
export function createAnswer(reply: DiscordReply, { adapter, api, clock, log, asked }: AnswerParts) {
  const { id, mode } = reply;
  const at: Address = { platform: adapter.platform, workspace: reply.workspace, channel: reply.channel };
  // Each message carries one of these, by which another process can tell what it is. One message of each kind for an
  // interaction, and the same key at every attempt.
  const cardKey = `i${id}`;
  const answerKey = `a${id}`;
  const source = reply.source === undefined ? undefined : { ...at, message: reply.source };
  // A change of a private message is as private as the message.
  const isPublic = mode === 'public' || source !== undefined;
  /** The message that holds the answer, where the bot's own token can edit it. */
  let standing = source;
  let tokenGone = false;
  /** It is no reply to the interaction, so that nothing else shows whose it is. */
  let byItself = false;
  /** Whether a public answer was announced and is still to come. */
  let waits = mode === 'public';

  /** What the interaction's token does; undefined once it does nothing any more, while the channel may still be there. */
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

  /** Puts the message where the answer belongs; where the interaction's token no longer works, by the bot's own. */
  async function fillIn(message: Message, key: string): Promise<MessageRef | undefined> {
    const filled = await byToken(() => api.editAnswer(reply, payloadOf(message, key)));
    if (filled) {
      waits = false;
      const ref = refOf(at, filled);
      if (isPublic) standing = ref;
      return ref;
    }
    if (!isPublic) throw expired();
    byItself ||= standing === undefined;
    const named = byItself && asked ? attributed(message, asked) : message;
    if (standing) await adapter.edit(standing, named);
    else standing = await adapter.post(at, { message: named, key });
    return standing;
  }

  /** Tells the person alone. A public answer that was announced and not given is taken back. */
  async function aside(message: Message): Promise<void> {
    // Else Discord shows it in the announced answer, to everybody.
    if (waits)
      await api.deleteAnswer(reply).catch(async (error: unknown) => {
        if (!isDeliveryError(error, UNKNOWN)) await api.editAnswer(reply, payloadOf(elsewhere));
      });
    waits = false;
    await api.followUpPrivately(reply, payloadOf(message));
  }

  return {
    /** Puts it where the answer belongs, or in place of what is there. */
    async give(message: Message): Promise<void> {
      await fillIn(message, answerKey);
    },
    aside,
    /** Posts a card that the bot's own token can edit. */
    async postCard(message: Message): Promise<MessageRef> {
      const card =
        mode === 'public'
          ? await fillIn(message, cardKey)
          : await adapter.post(at, { message, key: cardKey });
      if (!card) throw new Error('A public answer has a message');
      return card;
    },
    /** See `Adapter.resume`. */
    async resume({ message, again, mayLeave }: LateAnswer): Promise<void> {
      const done = await byToken(async () => {
        const shown = await api.readAnswer(reply).catch((error: unknown) => {
          // What was announced to everybody has been taken back.
          if (mode === 'private' && isDeliveryError(error, UNKNOWN)) return undefined;
          throw error;
        });
        if (shown?.components?.[0]?.id === markerOf(answerKey)) return true;
        mayLeave();
        const { flags = 0 } = shown ?? {};
        waits = (flags & MessageFlags.Loading) !== 0;
        // What everybody sees, a live card above all, is not to be replaced by one person's news.
        // It takes no nonce and is not read back (Execute Webhook): whether it is a repeat nobody can tell.
        if (source || (mode === 'private' && !(flags & MessageFlags.Ephemeral))) await aside(again);
        else await api.editAnswer(reply, payloadOf(message, answerKey));
        return true;
      });
      if (done) return;
      if (mode !== 'public') throw expired();
      const keys = { card: cardKey, answer: answerKey, since: reply.receivedAt };
      await answerByKeys(adapter, at, keys, { message, again, mayLeave });
    },
  };
}

/** Where the announced answer cannot be taken back. */
const elsewhere: Message = {
  kind: 'line',
  tone: 'neutral',
  text: ['The answer to this is for the person who asked, who alone sees it.'],
};

export function refOf(at: Address, message: APIMessage): MessageRef {
  return { platform: at.platform, workspace: at.workspace, channel: message.channel_id, message: message.id };
}
