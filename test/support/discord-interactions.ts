import type { Messages, Upload } from './discord-messages.ts';
import { checkDefer, checkModal, invalid } from './discord-rules.ts';
import {
  ApiProblem,
  flags,
  ids,
  type MessageBody,
  type Modal,
  type StoredInteraction,
  type StoredMessage,
  type User,
} from './discord-world.ts';

/**
 * Discord waits 3 s for the first response, and the token is valid for 15 min (developer reference, "Receiving and
 * Responding").
 */
const RESPONSE_MS = 3_000;
const TOKEN_MS = 15 * 60_000;

export interface CallbackBody {
  readonly type: number;
  readonly data?: MessageBody & Partial<Modal> & Pick<StoredInteraction, 'choices'>;
}

/** The interactions of the local Discord, from the gateway event to the bot's answer. */
export class Interactions {
  readonly #messages: Messages;
  readonly #now: () => number;
  readonly #responseMs: number;
  readonly #byId = new Map<string, StoredInteraction>();
  readonly #waiting = new Map<string, () => void>();
  #expired = false;

  constructor(messages: Messages, now: () => number, responseMs = RESPONSE_MS) {
    this.#messages = messages;
    this.#responseMs = responseMs;
    this.#now = now;
  }

  create(user: User, source?: StoredMessage, kind: StoredInteraction['kind'] = 'plain'): StoredInteraction {
    const id = this.#messages.snowflake();
    const interaction: StoredInteraction = {
      id,
      token: `token-of-${id}`,
      user,
      channel: user.channel,
      createdAt: this.#now(),
      source,
      kind,
      acknowledged: undefined,
      original: undefined,
      answers: 0,
    };
    this.#byId.set(id, interaction);
    return interaction;
  }

  get(id: string): StoredInteraction | undefined {
    return this.#byId.get(id);
  }

  /** Resolves when the interaction has received its first response. */
  responded(interaction: StoredInteraction): Promise<void> {
    if (interaction.acknowledged !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(interaction.id, resolve));
  }

  /** From now on, all tokens of interactions are invalid, as after 15 minutes. */
  expireTokens(): void {
    this.#expired = true;
  }

  callback(id: string, token: string, { type, data }: CallbackBody, uploads: readonly Upload[]): void {
    const interaction = this.#byId.get(id);
    if (!interaction || interaction.token !== token || this.#now() - interaction.createdAt > this.#responseMs)
      throw new ApiProblem(404, 10062, 'Unknown interaction');
    if (interaction.acknowledged !== undefined)
      throw new ApiProblem(400, 40060, 'Interaction has already been acknowledged.');
    this.#respond(interaction, type, data, uploads);
    interaction.acknowledged = type;
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }

  #respond(
    interaction: StoredInteraction,
    type: number,
    data: CallbackBody['data'],
    uploads: readonly Upload[],
  ): void {
    const onlyFor = (data?.flags ?? 0) & flags.ephemeral ? interaction.user.id : undefined;
    if ((interaction.kind === 'typing') !== (type === 8)) invalid(`type ${type} for ${interaction.kind}`);
    switch (type) {
      case 8:
        interaction.choices = data?.choices ?? [];
        return;
      case 9:
        if (interaction.kind === 'modal') invalid('a modal cannot follow a modal');
        interaction.modal = checkModal(data as Modal);
        return;
      case 4:
        interaction.original = this.#messages.create(interaction.channel, data ?? {}, uploads, { onlyFor });
        return;
      case 5:
        checkDefer(data);
        interaction.original = this.#messages.create(interaction.channel, {}, [], { onlyFor, loading: true });
        return;
      case 6:
      case 7:
        if (!interaction.source) throw new ApiProblem(400, 50035, 'Invalid Form Body: no message to update');
        interaction.original = interaction.source;
        if (type === 7) this.#messages.edit(interaction.source, data ?? {}, uploads);
        return;
      default:
        throw new ApiProblem(400, 50035, `Invalid Form Body: type ${type}`);
    }
  }

  /** The interaction with this token. Fails if the interaction has no first response yet. */
  byToken(token: string): StoredInteraction & { original: StoredMessage } {
    const interaction = [...this.#byId.values()].find((each) => each.token === token);
    if (!interaction || this.#expired || this.#now() - interaction.createdAt > TOKEN_MS)
      throw new ApiProblem(401, 50027, 'Invalid Webhook Token');
    if (!interaction.original) throw new ApiProblem(404, 10015, 'Unknown Webhook');
    return interaction as StoredInteraction & { original: StoredMessage };
  }
}

/** The gateway's event for the interaction (`INTERACTION_CREATE`). */
export function interactionJson(
  interaction: StoredInteraction,
  data: { type: number; data: object; message?: object },
  bot: { permissions: bigint; channelType: number },
): object {
  const { user } = interaction;
  const account = {
    id: user.id,
    username: user.name.toLowerCase(),
    global_name: user.name,
    discriminator: '0',
    avatar: null,
    public_flags: 0,
  };
  return {
    id: interaction.id,
    application_id: ids.application,
    token: interaction.token,
    version: 1,
    ...data,
    channel_id: interaction.channel,
    channel: {
      id: interaction.channel,
      type: user.guild ? bot.channelType : 1,
      name: 'servers',
      guild_id: user.guild,
    },
    ...(user.guild === undefined
      ? { user: account, context: 1 }
      : {
          guild_id: user.guild,
          guild: { id: user.guild, locale: 'en-US', features: [] },
          guild_locale: 'en-US',
          member: {
            user: account,
            nick: null,
            avatar: null,
            roles: user.roles,
            permissions: String(user.permissions),
            joined_at: '2026-01-01T00:00:00.000000+00:00',
            deaf: false,
            mute: false,
            flags: 0,
          },
          context: 0,
        }),
    app_permissions: String(bot.permissions),
    locale: 'en-US',
    entitlements: [],
    authorizing_integration_owners: user.guild ? { '0': user.guild } : { '1': user.id },
    attachment_size_limit: 10 * 1024 * 1024,
  };
}
