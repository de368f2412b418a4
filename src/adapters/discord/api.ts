import {
  type APIGuild,
  type APIGuildMember,
  type APIMessage,
  type APIModalInteractionResponseCallbackData,
  InteractionResponseType,
  MessageFlags,
  type RESTGetAPIChannelMessagesResult,
  type RESTGetAPICurrentUserResult,
  type RESTPostAPICurrentUserCreateDMChannelResult,
  Routes,
} from 'discord.js';
import type { AckMode } from '../../chat/port.ts';
import { DeliveryError, isDeliveryError } from '../../errors.ts';
import { giveUp, toDeliveryError } from './errors.ts';
import { limits } from './limits.ts';
import { type Payload, payloadOf } from './payload.ts';
import { closeRest, createRest, type RestPlace } from './rest.ts';

/** A message has left, with all its repeats, or never will, after this long: another process may count on that. */
export const LEAVE_WITHIN_MS = 15_000;

const CLOSED = 'discord-thread-closed';
const woken = { kind: 'line', tone: 'neutral', text: ['A message in this thread has changed.'] } as const;

/** What answering an interaction takes; the token stands for the bot's own. */
export interface InteractionToken {
  readonly id: string;
  readonly applicationId: string;
  readonly token: string;
}

export type MessageApi = ReturnType<typeof createMessageApi>;

/** The few requests this bot makes for messages. Every one of them throws DeliveryError. */
export function createMessageApi({ token, ...place }: RestPlace & { readonly token: string }) {
  // Each bucket's wait is left to whoever asked: the outbox paces its channels, a person's answer waits a moment.
  const rejectOnRateLimit = (limit: { route: string; retryAfter: number }) =>
    limit.route.startsWith('/channels') || limit.retryAfter > 5000;
  // Safe to repeat after a 5xx or a broken connection: edits and reads.
  const rest = createRest(place, { rejectOnRateLimit, retries: 2 }).setToken(token);
  // A first response is not: the second would be refused as "already acknowledged" and hide that the first one worked.
  const once = createRest(place, { rejectOnRateLimit, retries: 0 });
  let closed = false;
  let own: string | undefined;

  async function deliver<T>(send: () => Promise<unknown>): Promise<T> {
    if (closed)
      throw new DeliveryError('discord-stopped', 'The bot is shutting down.', {
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
   * Returns the refusal of a repeat, where the first attempt got no answer: it may have arrived, or somebody else was
   * faster.
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

  /** The answer as it stands; after `update`, the message whose button was pressed. */
  async function readAnswer({ applicationId, token }: InteractionToken): Promise<APIMessage> {
    const route = Routes.webhookMessage(applicationId, token, '@original');
    return await deliver<APIMessage>(() => rest.get(route, { auth: false }));
  }

  /**
   * Edits in a thread that Discord may have archived. An edit does not wake a thread, a message does, and who may write
   * there may wake it (Threads, "Archiving"). In one that stays closed the edit is given up: no wait opens it.
   */
  async function awake<T>(channel: string, of: string, edit: () => Promise<T>): Promise<T> {
    try {
      return await edit();
    } catch (error) {
      if (!isDeliveryError(error, CLOSED)) throw error;
    }
    const signal = AbortSignal.timeout(LEAVE_WITHIN_MS);
    const body = { ...payloadOf(woken).body, nonce: `w${of}`, enforce_nonce: true };
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
    /** First response to an interaction: a message of its own, for the person alone. */
    async answerPrivately(to: InteractionToken, { body, files }: Payload) {
      const data = { ...body, flags: body.flags | MessageFlags.Ephemeral };
      await respond(to, { type: InteractionResponseType.ChannelMessageWithSource, data }, files);
    },
    /** First response: a form. */
    async openForm(to: InteractionToken, data: APIModalInteractionResponseCallbackData) {
      await respond(to, { type: InteractionResponseType.Modal, data });
    },
    /** The only response to somebody who is typing. */
    async suggest(to: InteractionToken, values: readonly string[]) {
      const choices = values.map((value) => ({ name: value, value }));
      await respond(to, {
        type: InteractionResponseType.ApplicationCommandAutocompleteResult,
        data: { choices },
      });
    },
    /** First response: an answer, or for `update` a change of `source`, whose button was pressed, will follow. */
    async defer(to: InteractionToken, mode: AckMode, source?: string) {
      // Whether it is private is fixed here; Components V2 cannot be asked for yet, only in the edit that follows.
      const refusal = await respond(to, {
        type:
          mode === 'update'
            ? InteractionResponseType.DeferredMessageUpdate
            : InteractionResponseType.DeferredChannelMessageWithSource,
        ...(mode === 'private' ? { data: { flags: MessageFlags.Ephemeral } } : {}),
      });
      if (!refusal) return;
      // Ours waits to be filled in. Another process may have told the person that nothing was done: then it stays so.
      const { id, flags = 0 } = await readAnswer(to);
      if (mode === 'update' ? id !== source : !(flags & MessageFlags.Loading)) throw refusal;
    },
    /** Fills in, or replaces, what was deferred. */
    editAnswer(to: InteractionToken & { channel: string }, { body, files }: Payload) {
      const route = Routes.webhookMessage(to.applicationId, to.token, '@original');
      const edit = () => deliver<APIMessage>(() => rest.patch(route, { body, files, auth: false }));
      return awake(to.channel, to.id, edit);
    },
    readAnswer,
    deleteAnswer({ applicationId, token }: InteractionToken) {
      const route = Routes.webhookMessage(applicationId, token, '@original');
      return deliver<void>(() => rest.delete(route, { auth: false }));
    },
    /**
     * One more answer to an acknowledged interaction, for the person alone. Where a deferred answer still waits, Discord
     * puts this one into it, for whom that was deferred (Receiving and Responding, "Create Followup Message").
     */
    followUpPrivately({ applicationId, token }: InteractionToken, { body, files }: Payload) {
      const data = { ...body, flags: body.flags | MessageFlags.Ephemeral };
      // A repeat after a lost answer would be seen twice, by one person; it is not tried.
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
      await awake(channel, message, () => deliver<void>(() => rest.patch(route, { body, files, signal })));
    },
    /** The bot's own user id; asked for once. It takes no gateway, which another process may hold. */
    async ownId() {
      own ??= (await deliver<RESTGetAPICurrentUserResult>(() => rest.get(Routes.user()))).id;
      return own;
    },
    /** With the member's roles, and what each role may. */
    member: (guild: string, person: string) =>
      deliver<APIGuildMember>(() => rest.get(Routes.guildMember(guild, person))),
    guild: (id: string) => deliver<APIGuild>(() => rest.get(Routes.guild(id))),
    /** The channel of the direct messages with a person. */
    async openDirect(person: string, signal: AbortSignal) {
      const { id } = await deliver<RESTPostAPICurrentUserCreateDMChannelResult>(() =>
        rest.post(Routes.userChannels(), { body: { recipient_id: person }, signal }),
      );
      return id;
    },
    /** A page of messages after one, newest first; without it, the newest ones. */
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
