import {
  type APIApplicationCommand,
  type APIGuild,
  type APIGuildMember,
  type APIMessage,
  type APIModalInteractionResponseCallbackData,
  ApplicationCommandType,
  InteractionResponseType,
  MessageFlags,
  type RESTGetAPIChannelMessagesResult,
  type RESTGetAPICurrentUserResult,
  type RESTPostAPICurrentUserCreateDMChannelResult,
  Routes,
} from 'discord-api-types/v10';
import type { Choice } from '../../chat/card.ts';
import type { AckMode } from '../../chat/port.ts';
import { DeliveryError, isDeliveryError } from '../../errors.ts';
import { giveUp, toDeliveryError } from './errors.ts';
import { suggestedChoices } from './form.ts';
import { limits } from './limits.ts';
import { type Payload, payloadOf } from './payload.ts';
import { closeRest, createRest, type RestPlace } from './rest.ts';

/**
 * The time for sending a message, including all repeats. After this time, the message can no longer reach Discord.
 * Other processes rely on this limit.
 */
export const LEAVE_WITHIN_MS = 15_000;

const CLOSED = 'discord-thread-closed';
const notice = { kind: 'line', tone: 'neutral', text: ['A message in this thread has changed.'] } as const;

/** All data needed to answer an interaction. The interaction's token is used instead of the bot's token. */
export interface InteractionToken {
  readonly id: string;
  readonly applicationId: string;
  readonly token: string;
}

export type MessageApi = ReturnType<typeof createMessageApi>;

/** The requests by which the bot sends, changes and reads messages. On failure, every request throws DeliveryError. */
export function createMessageApi({ token, ...place }: RestPlace & { readonly token: string }) {
  // Requests to a channel do not wait for a rate limit to end, because the outbox keeps to the pace of each channel.
  // For any other request, such as the answer to a person, a wait of up to 5 s is acceptable.
  const rejectOnRateLimit = (limit: { route: string; retryAfter: number }) =>
    limit.route.startsWith('/channels') || limit.retryAfter > 5000;
  // For requests that are safe to repeat after a 5xx or a broken connection, such as edits and reads.
  const rest = createRest(place, { rejectOnRateLimit, retries: 2 }).setToken(token);
  // For first responses. The client must not repeat these requests by itself. If the first attempt succeeded, Discord
  // refuses a repeat as "already acknowledged", and the success would look like a failure.
  const once = createRest(place, { rejectOnRateLimit, retries: 0 });
  let closed = false;
  let own: string | undefined;
  let application: string | undefined;

  async function deliver<T>(send: () => Promise<unknown>): Promise<T> {
    if (closed)
      throw new DeliveryError('discord-stopped', 'I am shutting down, so nothing was sent.', {
        hint: 'Try again in a minute.',
        outcome: 'not-sent',
        retryable: true,
      });
    try {
      return (await send()) as T;
    } catch (error) {
      throw toDeliveryError(error);
    }
  }

  /**
   * Sends a first response, and repeats the request if the first attempt got no answer. If Discord refuses the repeat,
   * returns the refusal. In this case the first attempt arrived, or a different process has responded.
   */
  async function respond({ id, token }: InteractionToken, body: object, files: Payload['files'] = []) {
    const send = () =>
      deliver<void>(() => once.post(Routes.interactionCallback(id, token), { body, files, auth: false }));
    try {
      await send();
    } catch (error) {
      if (!(error instanceof DeliveryError) || error.outcome !== 'unknown') throw error;
      try {
        await send();
      } catch (second) {
        if (isDeliveryError(second, 'discord-answered-elsewhere')) return second;
        throw second;
      }
    }
    return undefined;
  }

  /** Reads the answer as it is now. After `update`, this is the message with the pressed button. */
  async function readAnswer({ applicationId, token }: InteractionToken): Promise<APIMessage> {
    const route = Routes.webhookMessage(applicationId, token, '@original');
    return await deliver<APIMessage>(() => rest.get(route, { auth: false }));
  }

  /**
   * Edits a message in a thread that Discord may have archived. Unlike an edit, a new message reopens the thread, if
   * the author has the permission to write there (Threads, "Archiving"). If the thread stays closed, the edit is given
   * up. A later attempt would fail as well.
   */
  async function openAndEdit<T>(channel: string, of: string, edit: () => Promise<T>): Promise<T> {
    try {
      return await edit();
    } catch (error) {
      if (!isDeliveryError(error, CLOSED)) throw error;
    }
    const signal = AbortSignal.timeout(LEAVE_WITHIN_MS);
    const body = { ...payloadOf(notice).body, nonce: `w${of}`, enforce_nonce: true };
    await deliver(() => rest.patch(Routes.channel(channel), { body: { archived: false }, signal }))
      .catch((refusal: DeliveryError) => {
        if (refusal.retryable) throw refusal;
        return deliver(() => rest.post(Routes.channelMessages(channel), { body, signal }));
      })
      .catch(giveUp);
    return await edit().catch((error) =>
      isDeliveryError(error, CLOSED) ? giveUp(error) : Promise.reject(error),
    );
  }

  return {
    /** Sends a first response: a message that only the person sees. */
    async answerPrivately(to: InteractionToken, { body, files }: Payload) {
      const data = { ...body, flags: body.flags | MessageFlags.Ephemeral };
      await respond(to, { type: InteractionResponseType.ChannelMessageWithSource, data }, files);
    },
    /** Sends a first response that opens a form. */
    async openForm(to: InteractionToken, data: APIModalInteractionResponseCallbackData) {
      await respond(to, { type: InteractionResponseType.Modal, data });
    },
    /** Sends suggestions to a person who is typing. */
    async suggest(to: InteractionToken, offered: readonly Choice[]) {
      const choices = suggestedChoices(offered);
      await respond(to, {
        type: InteractionResponseType.ApplicationCommandAutocompleteResult,
        data: { choices },
      });
    },
    /**
     * Sends a first response that announces an answer. For `update`, the response announces a change of `source`, the
     * message with the pressed button.
     */
    async defer(to: InteractionToken, mode: AckMode, source?: string) {
      // This response decides whether the answer is private. Only the edit that follows can set the flag for Components
      // V2.
      const refusal = await respond(to, {
        type:
          mode === 'update'
            ? InteractionResponseType.DeferredMessageUpdate
            : InteractionResponseType.DeferredChannelMessageWithSource,
        ...(mode === 'private' ? { data: { flags: MessageFlags.Ephemeral } } : {}),
      });
      if (!refusal) return;
      // Discord refused the repeat. If the announced answer is still empty, the first attempt arrived. Otherwise a
      // different process may have told the person that nothing was done, so this process must not continue.
      const { id, flags = 0 } = await readAnswer(to);
      if (mode === 'update' ? id !== source : !(flags & MessageFlags.Loading)) throw refusal;
    },
    /** Fills in the announced answer, or replaces an answer that was given before. */
    editAnswer(to: InteractionToken & { channel: string }, { body, files }: Payload) {
      const route = Routes.webhookMessage(to.applicationId, to.token, '@original');
      const edit = () => deliver<APIMessage>(() => rest.patch(route, { body, files, auth: false }));
      return openAndEdit(to.channel, to.id, edit);
    },
    readAnswer,
    deleteAnswer({ applicationId, token }: InteractionToken) {
      const route = Routes.webhookMessage(applicationId, token, '@original');
      return deliver<void>(() => rest.delete(route, { auth: false }));
    },
    /**
     * Sends a follow-up message that only the person sees. The bot calls this function only when the deferred response
     * of the interaction is filled in or deleted. Otherwise, Discord would show the follow-up message as the deferred
     * response, possibly to the whole channel (Receiving and Responding, "Create Followup Message").
     */
    followUpPrivately({ applicationId, token }: InteractionToken, { body, files }: Payload) {
      const data = { ...body, flags: body.flags | MessageFlags.Ephemeral };
      // If this request gets no response, the request is not repeated, because the person could see the message twice.
      return deliver<void>(() =>
        once.post(Routes.webhook(applicationId, token), { body: data, files, auth: false }),
      );
    },
    create(
      channel: string,
      { body, files }: Payload,
      how: { nonce: string; replyTo?: string | undefined; signal?: AbortSignal },
    ) {
      const { nonce, replyTo, signal = AbortSignal.timeout(LEAVE_WITHIN_MS) } = how;
      if (nonce.length > limits.nonce)
        throw new Error(`A message's key is longer than ${limits.nonce}: ${nonce}`);
      const message_reference = replyTo && { message_id: replyTo, fail_if_not_exists: false };
      return deliver<APIMessage>(() =>
        rest.post(Routes.channelMessages(channel), {
          body: { ...body, nonce, enforce_nonce: true, message_reference },
          files,
          signal,
        }),
      );
    },
    async edit(channel: string, message: string, { body, files }: Payload) {
      const signal = AbortSignal.timeout(LEAVE_WITHIN_MS);
      const route = Routes.channelMessage(channel, message);
      await openAndEdit(channel, message, () =>
        deliver<void>(() => rest.patch(route, { body, files, signal })),
      );
    },
    /**
     * The bot's user id, which is requested only once. A standby process can request the id, too, because no gateway
     * connection is needed.
     */
    async ownId() {
      own ??= (await deliver<RESTGetAPICurrentUserResult>(() => rest.get(Routes.user()))).id;
      return own;
    },
    /** The slash commands that are registered in a server. */
    async slashCommands(guild: string): Promise<APIApplicationCommand[]> {
      application ??= (await deliver<{ id: string }>(() => rest.get(Routes.currentApplication()))).id;
      const route = Routes.applicationGuildCommands(application, guild);
      const all = await deliver<APIApplicationCommand[]>(() => rest.get(route));
      return all.filter(({ type }) => type === ApplicationCommandType.ChatInput);
    },
    /** A member, with the ids of the member's roles. `guild` returns the permissions of each role. */
    member: (guild: string, person: string) =>
      deliver<APIGuildMember>(() => rest.get(Routes.guildMember(guild, person))),
    guild: (id: string) => deliver<APIGuild>(() => rest.get(Routes.guild(id))),
    /** Opens the channel for direct messages with a person, and returns its id. */
    async openDirect(person: string, signal: AbortSignal) {
      const { id } = await deliver<RESTPostAPICurrentUserCreateDMChannelResult>(() =>
        rest.post(Routes.userChannels(), { body: { recipient_id: person }, signal }),
      );
      return id;
    },
    /**
     * A page of the messages that follow the message `after`, with the newest message first. Without `after`, the
     * newest page.
     */
    history(channel: string, { after, limit }: { after?: string; limit: number }) {
      const query = new URLSearchParams({ limit: String(limit), ...(after === undefined ? {} : { after }) });
      return deliver<RESTGetAPIChannelMessagesResult>(() =>
        rest.get(Routes.channelMessages(channel), { query }),
      );
    },
    close() {
      closed = true;
      closeRest(rest);
      closeRest(once);
    },
  };
}
