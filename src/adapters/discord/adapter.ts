import { type APIInteraction, ApplicationCommandType, InteractionType } from 'discord-api-types/v10';
import type { Message } from '../../chat/card.ts';
import type { Adapter, Inbox } from '../../chat/port.ts';
import { spelled } from '../../chat/typed.ts';
import type { Clock } from '../../clock.ts';
import type { Directory } from '../../command/define.ts';
import type { DiscordConfig } from '../../config.ts';
import { type AppError, DeliveryError, isDeliveryError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { createAnswer, DiscordReply, refOf } from './answer.ts';
import { createMessageApi, LEAVE_WITHIN_MS } from './api.ts';
import { readBookmark, writeBookmark } from './bookmark.ts';
import { createCommandIds } from './command-ids.ts';
import { UNKNOWN_MEMBER } from './errors.ts';
import { findByMarker } from './find-posted.ts';
import { createGateway } from './gateway.ts';
import { answerTo, createInvocation } from './invocation.ts';
import { limits, PACE_MS } from './limits.ts';
import { payloadOf } from './payload.ts';
import { memberAs } from './person.ts';
import { receive } from './receive.ts';
import { compareCommands, registerCommands } from './register.ts';
import { fits } from './render.ts';
import { spellingFor } from './spelling.ts';
import { toStartError } from './start-error.ts';

/** A modal (Discord's form) cannot change while it is open, and offers no suggestions. */
const FORMS = {
  fields: limits.form.fields,
  choices: limits.select.choices,
  value: limits.select.value,
  text: limits.form.text,
  live: false,
} as const;

const NOT_REGISTERED = 'discord: the commands could not be registered, so Discord may show old commands';

const NOT_COMPARED = 'discord: the registered commands cannot be read';
const OUT_OF_DATE =
  'discord: the registered commands are not those of this version: run npm run register, or unset DISCORD_REGISTER';

export interface DiscordAdapterOptions {
  readonly config: DiscordConfig;
  readonly clock: Clock;
  readonly log: Logger;
  /** The commands that are registered at each start and named in hints. */
  readonly directory: Directory;
}

/**
 * The adapter for Discord. Interactions arrive through the gateway. Messages are sent through REST, always as
 * Components V2.
 */
export function createDiscordAdapter({ config, clock, log, directory }: DiscordAdapterOptions): Adapter {
  const { apiUrl, guilds } = config;
  const api = createMessageApi(config);
  const gateway = createGateway({ ...config, clock, log });

  const ids = createCommandIds({
    read: async (guild) => new Map((await api.slashCommands(guild)).map(({ name, id }) => [name, id])),
    guilds,
    clock,
    log,
  });
  const spell = (message: Message, guild: string) => spelled(message, spellingFor(guild, { directory, ids }));

  let bot: string | undefined;
  let starts = 0;
  let registration: AbortController | undefined;

  /** Throws AppError, for example if Discord does not accept the token. */
  async function ownId(): Promise<string> {
    try {
      bot = await api.ownId();
      return bot;
    } catch (error) {
      throw toStartError(error instanceof DeliveryError ? error.cause : error, apiUrl);
    }
  }

  /**
   * Registers the commands while the bot already works, because most starts change no commands. If the settings forbid
   * the registration, the log says which commands are missing. Only the process that receives from the gateway calls
   * this function.
   */
  async function register(): Promise<void> {
    registration = new AbortController();
    const { signal } = registration;
    const failed = ({ code, userMessage: problem, hint }: AppError) =>
      log.error({ code, problem, hint }, config.register ? NOT_REGISTERED : NOT_COMPARED);
    const about = { signal, failed };
    await (config.register
      ? registerCommands(config, directory, {
          ...about,
          done(registered, registeredIds) {
            ids.note(registered.guild, registeredIds);
            log.info(registered, 'discord: the commands are registered');
          },
        })
      : compareCommands(config, directory, {
          ...about,
          told({ guild, ...different }, registeredIds) {
            ids.note(guild, registeredIds);
            if (Object.values(different).some((names) => names.length > 0))
              log.warn({ guild, ...different }, OUT_OF_DATE);
          },
        })
    ).catch((err: unknown) => log.error({ err }, NOT_REGISTERED));
  }

  async function take(interaction: APIInteraction, inbox: Inbox): Promise<void> {
    if (interaction.type === InteractionType.ApplicationCommand) {
      const { guild_id, id, name, type } = interaction.data;
      if (guild_id && type === ApplicationCommandType.ChatInput) ids.note(guild_id, new Map([[name, id]]));
    }
    const received = receive(interaction, guilds, bot);
    switch (received.kind) {
      case 'request': {
        const { interaction, request } = received;
        return inbox.invoke(
          createInvocation(interaction, request, { adapter, api, guilds, clock, log, spell }),
        );
      }
      case 'question':
        return api.suggest(answerTo(interaction), await inbox.suggest(received.question));
      case 'other':
        log.debug({ interaction: interaction.id, type: interaction.type }, 'an interaction was ignored');
    }
  }

  const adapter: Adapter = {
    platform: 'discord',
    supports: { idempotentPosts: true, history: true, forms: FORMS },
    paceMs: PACE_MS,
    // Only one process may receive. Discord sends every interaction to each connection with the same token.
    exclusive: true,

    async prepare() {
      await ownId();
    },
    async start(inbox, lost, bookmark) {
      const start = ++starts;
      const sessions = readBookmark(bookmark, await ownId());
      // The adapter was stopped before the connection was made.
      if (start !== starts) return;
      await gateway.start(
        (interaction) => {
          take(interaction, inbox).catch((err: unknown) =>
            log.error({ interaction: interaction.id, err }, 'an interaction could not be handled'),
          );
        },
        lost,
        sessions,
      );
      if (start === starts) void register();
    },
    async stop() {
      starts++;
      registration?.abort();
      await gateway.stop();
    },
    bookmark: () => (bot === undefined ? undefined : writeBookmark(gateway.sessions(), bot)),
    async close() {
      await adapter.stop();
      api.close();
    },
    healthy: () => gateway.healthy(),

    fits,
    async post(to, { message, replyTo, key }) {
      const payload = payloadOf(spell(message, to.workspace), key);
      return refOf(to, await api.create(to.channel, payload, { nonce: key, replyTo: replyTo?.message }));
    },
    async edit(ref, message, key) {
      await api.edit(ref.channel, ref.message, payloadOf(spell(message, ref.workspace), key));
    },
    async findPosted(to, key, since) {
      const author = await api.ownId();
      const found = await findByMarker(api, to.channel, { key, since, author });
      return found && refOf(to, found);
    },
    async resume(reply, answer) {
      await createAnswer(DiscordReply.parse(reply), { adapter, api, clock, log, spell }).resume(answer);
    },
    async person(id, workspace) {
      try {
        return memberAs(await api.member(workspace, id), await api.guild(workspace), guilds);
      } catch (error) {
        if (!isDeliveryError(error, UNKNOWN_MEMBER)) throw error;
        return { id, name: id, home: false, guest: false, admin: false, groups: [] };
      }
    },
    async sendDirect({ id }, { message, key }) {
      const signal = AbortSignal.timeout(LEAVE_WITHIN_MS);
      // The payload of a direct message. A server's commands cannot be used there, so the message does not link to
      // commands.
      const payload = payloadOf(spell(message, '@me'), key);
      await api.create(await api.openDirect(id, signal), payload, { nonce: key, signal });
    },
  };
  return adapter;
}
