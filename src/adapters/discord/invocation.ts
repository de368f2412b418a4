import {
  type APIChatInputApplicationCommandInteraction,
  type APIInteraction,
  type APIMessageApplicationCommandInteraction,
  type APIMessageComponentInteraction,
  type APIModalSubmitInteraction,
  MessageFlags,
} from 'discord-api-types/v10';
import type { AckMode, Address, Invocation, InvocationRequest, MessageRef } from '../../chat/port.ts';
import { commandIn } from '../../chat/request.ts';
import { DeliveryError, isDeliveryError } from '../../errors.ts';
import { type AnswerParts, createAnswer, type DiscordAnswer, type DiscordReply, refOf } from './answer.ts';
import type { InteractionToken } from './api.ts';
import { renderForm } from './form.ts';
import { payloadOf } from './payload.ts';
import { requirePosting } from './permissions.ts';
import { personOf } from './person.ts';

export type Interaction =
  | APIChatInputApplicationCommandInteraction
  | APIMessageApplicationCommandInteraction
  | APIMessageComponentInteraction
  | APIModalSubmitInteraction;

interface Surroundings extends AnswerParts {
  readonly guilds: readonly string[];
}

export function createInvocation(
  interaction: Interaction,
  request: InvocationRequest,
  { guilds, ...surroundings }: Surroundings,
): Invocation {
  const { adapter, api, clock, log, spell } = surroundings;
  const { id } = interaction;
  const to = answerTo(interaction);
  const at = addressOf(interaction);
  const receivedAt = clock.now();
  const { id: asker, name } = personOf(interaction, guilds);
  const parts = { ...surroundings, asked: { id: asker, name, command: commandIn(request) } };
  let answer: DiscordAnswer | undefined;
  /**
   * Set if the acknowledgement got no response from Discord. The bot then does not know whether the acknowledgement
   * arrived. The value is the mode of that acknowledgement.
   */
  let doubtful: AckMode | undefined;

  function reply(mode: AckMode): DiscordReply {
    const source = mode === 'update' ? sourceOf(interaction)?.message : undefined;
    const { workspace, channel } = at;
    return { ...to, receivedAt, workspace, channel, mode, ...(source === undefined ? {} : { source }) };
  }

  function acknowledged(): DiscordAnswer {
    if (!answer) throw new Error('Not acknowledged yet');
    return answer;
  }

  return {
    id,
    adapter,
    at,
    request,
    reply,
    async person() {
      return personOf(interaction, guilds);
    },
    async refuse(message) {
      try {
        await api.answerPrivately(to, payloadOf(spell(message, at.workspace)));
      } catch (error) {
        const arrived = isDeliveryError(error, 'discord-answered-elsewhere');
        if (doubtful === undefined || !arrived) throw error;
        const announced = createAnswer(reply(doubtful), parts);
        await (doubtful === 'public' ? announced.aside(message) : announced.give(message));
      }
    },
    // Discord does not allow a modal as the response to a modal (Receiving and Responding, "Interaction Callback
    // Type").
    ...(request.kind === 'form'
      ? {}
      : { openForm: async (form) => api.openForm(to, renderForm(await form)) }),
    async acknowledge(mode) {
      if (mode === 'update' && (request.kind === 'command' || request.kind === 'message'))
        throw new Error('Only an action has a message to update');
      const message = 'message' in interaction ? interaction.message?.id : undefined;
      try {
        // A form that a command opened has no message to replace, so Discord would refuse the mode `update`.
        await api.defer(to, mode === 'update' && message === undefined ? 'private' : mode, message);
      } catch (error) {
        // The acknowledgement came too late, or a different process acknowledged first. In both cases the command must
        // not run, so the caller gets the error.
        log.warn({ interaction: id, err: error }, 'an interaction could not be acknowledged');
        if (error instanceof DeliveryError && error.outcome === 'unknown') doubtful = mode;
        throw error;
      }
      answer = createAnswer(reply(mode), parts);
    },
    async respond(message) {
      await acknowledged().give(message);
    },
    async respondPrivately(message) {
      await acknowledged().aside(message);
    },
    async postCard(message, under) {
      requirePosting(interaction, message.kind === 'card' && (message.files?.length ?? 0) > 0);
      return await acknowledged().postCard(message, under);
    },
  };
}

export function answerTo({ id, token, application_id }: APIInteraction): InteractionToken {
  return { id, token, applicationId: application_id };
}

/**
 * The channel of the interaction. A direct message belongs to no server. Its workspace is `@me`, as in Discord's own
 * addresses.
 */
export function addressOf({ guild_id, channel }: APIInteraction): Address {
  return { platform: 'discord', workspace: guild_id ?? '@me', channel: channel?.id ?? '' };
}

/**
 * The message whose button was pressed, or whose button opened the form. Undefined for a private message, because the
 * bot's token can edit only public messages.
 */
export function sourceOf(interaction: Interaction): MessageRef | undefined {
  const { message } = interaction;
  if (!message || (message.flags ?? 0) & MessageFlags.Ephemeral) return undefined;
  return refOf(addressOf(interaction), message);
}
