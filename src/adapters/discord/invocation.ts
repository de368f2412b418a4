import {
  type APIChatInputApplicationCommandInteraction,
  type APIMessage,
  type APIMessageComponentInteraction,
  MessageFlags,
} from 'discord.js';
import type { Message } from '../../cards/card.ts';
import type { Clock } from '../../clock.ts';
import { DeliveryError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { AckMode, Adapter, Address, Invocation, InvocationRequest, MessageRef } from '../adapter.ts';
import type { InteractionToken, MessageApi } from './api.ts';
import { isTokenGone } from './delivery-error.ts';
import { limits } from './limits.ts';
import { payloadOf } from './payload.ts';
import { requirePosting } from './permissions.ts';
import { personOf } from './person.ts';

export type Interaction = APIChatInputApplicationCommandInteraction | APIMessageComponentInteraction;

interface Surroundings {
  readonly adapter: Adapter;
  readonly api: MessageApi;
  readonly guilds: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** A little before Discord's own 15 minutes, so that a request on its way does not arrive too late. */
const TOKEN_USABLE_MS = limits.interactionTokenMs - 30_000;

export function createInvocation(
  interaction: Interaction,
  request: InvocationRequest,
  { adapter, api, guilds, clock, log }: Surroundings,
): Invocation {
  const { id } = interaction;
  const to = answerTo(interaction);
  const at = addressOf(interaction);
  const receivedAt = clock.now();
  let mode: AckMode | undefined;
  /** The message that holds the answer, where the bot's own token can edit it. */
  let answer: MessageRef | undefined;
  let tokenGone = false;

  /** Puts the message where the answer belongs; where the interaction's token no longer works, by the bot's own. */
  async function fillIn(message: Message): Promise<MessageRef | undefined> {
    if (!tokenGone && clock.now() - receivedAt < TOKEN_USABLE_MS) {
      try {
        const filled = refOf(at, await api.editAnswer(to, payloadOf(message)));
        if (isPublic()) answer = filled;
        return filled;
      } catch (error) {
        if (!isTokenGone(error)) throw error;
        log.warn({ interaction: id, err: error }, 'an interaction can no longer be answered by its token');
      }
    }
    tokenGone = true;
    if (!isPublic())
      throw new DeliveryError(
        'discord.answer-expired',
        'Discord no longer takes an answer to this command.',
        {
          hint: 'Run it again.',
          outcome: 'not-sent',
          retryable: false,
        },
      );
    if (answer) await adapter.edit(answer, message);
    else answer = await postNew(message);
    return answer;
  }

  /** A change of a private message is as private as the message. */
  function isPublic(): boolean {
    return mode === 'public' || (mode === 'update' && sourceOf(interaction) !== undefined);
  }

  function postNew(message: Message): Promise<MessageRef> {
    // The same key at every attempt, and one message of this kind for each interaction.
    return adapter.post(at, { message, key: `i${id}` });
  }

  function acknowledged(): AckMode {
    if (mode === undefined) throw new Error('Not acknowledged yet');
    return mode;
  }

  return {
    id,
    adapter,
    at,
    request,
    async person() {
      return personOf(interaction, guilds);
    },
    refuse: (message) => api.answerPrivately(to, payloadOf(message)),
    async acknowledge(wanted) {
      if (wanted === 'update' && request.kind !== 'action')
        throw new Error('Only an action has a message to update');
      try {
        await api.defer(to, wanted);
      } catch (error) {
        // Too late, or another copy of the bot was faster: whoever waits for this must not run the command.
        log.warn({ interaction: id, err: error }, 'an interaction could not be acknowledged');
        throw error;
      }
      mode = wanted;
      if (wanted === 'update') answer = sourceOf(interaction);
    },
    async respond(message) {
      acknowledged();
      await fillIn(message);
    },
    async respondPrivately(message) {
      acknowledged();
      await api.followUpPrivately(to, payloadOf(message));
    },
    async postCard(message) {
      requirePosting(interaction, message.kind === 'card' && (message.files?.length ?? 0) > 0);
      const card = acknowledged() === 'public' ? await fillIn(message) : await postNew(message);
      if (!card) throw new Error('A public answer has a message');
      return card;
    },
  };
}

export function answerTo({ id, token, application_id }: Interaction): InteractionToken {
  return { id, token, applicationId: application_id };
}

/** Where it happened. A direct message belongs to no server; `@me` is what Discord's own addresses call that. */
function addressOf(interaction: Interaction): Address {
  return {
    platform: 'discord',
    workspace: interaction.guild_id ?? '@me',
    channel: interaction.channel.id,
  };
}

/** The message whose button was pressed; undefined for a private one, which the bot's own token cannot edit. */
export function sourceOf(interaction: Interaction): MessageRef | undefined {
  const { message } = interaction;
  if (!message || (message.flags ?? 0) & MessageFlags.Ephemeral) return undefined;
  return refOf(addressOf(interaction), message);
}

export function refOf(at: Address, message: APIMessage): MessageRef {
  return { platform: at.platform, workspace: at.workspace, channel: message.channel_id, message: message.id };
}
