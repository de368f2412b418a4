import {
  type APIInteraction,
  Client,
  Events,
  GatewayDispatchEvents,
  GatewayIntentBits,
  Options,
  Status,
} from 'discord.js';
import type { AppError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { toLostError, toStartError } from './start-error.ts';

export interface Gateway {
  /**
   * Connects. Resolves when Discord sends us interactions; rejects with a sentence on what to do, and can then be called
   * again. Calls `onLost` when Discord later closes the connection for good.
   */
  start(
    onInteraction: (interaction: APIInteraction) => void,
    onLost?: (error: AppError) => void,
  ): Promise<void>;
  stop(): Promise<void>;
  healthy(): boolean;
}

export interface GatewayOptions {
  readonly token: string;
  readonly apiUrl: string | undefined;
  /** Servers the bot is meant to serve. */
  readonly guilds: readonly string[];
  readonly log: Logger;
}

function createClient({ apiUrl, log }: GatewayOptions): Client {
  const client = new Client({
    // Interactions need no intent at all; this one tells which servers the bot is in.
    intents: [GatewayIntentBits.Guilds],
    allowedMentions: { parse: [] },
    shards: 'auto',
    ...(apiUrl === undefined ? {} : { rest: { api: apiUrl } }),
    // An interaction brings all that is asked about it, so nothing is kept that could grow or go stale.
    makeCache: Options.cacheWithLimits({
      ApplicationCommandManager: 0,
      AutoModerationRuleManager: 0,
      BaseGuildEmojiManager: 0,
      EntitlementManager: 0,
      GuildBanManager: 0,
      GuildEmojiManager: 0,
      GuildInviteManager: 0,
      GuildMemberManager: 0,
      GuildScheduledEventManager: 0,
      GuildStickerManager: 0,
      MessageManager: 0,
      PresenceManager: 0,
      ReactionManager: 0,
      ReactionUserManager: 0,
      StageInstanceManager: 0,
      ThreadMemberManager: 0,
      UserManager: 0,
      VoiceStateManager: 0,
    }),
    // A server that is down must not hold up the others.
    waitGuildTimeout: 1000,
  });

  client.on(Events.ShardReconnecting, (shard) => log.warn({ shard }, 'Discord gateway lost, reconnecting'));
  client.on(Events.ShardResume, (shard, replayed) =>
    log.info({ shard, replayed }, 'Discord gateway resumed'),
  );
  client.on(Events.ShardReady, (shard) => log.info({ shard }, 'Discord gateway ready'));
  client.on(Events.ShardError, (err, shard) => log.warn({ shard, err }, 'Discord gateway error'));
  client.on(Events.Error, (err) => log.error({ err }, 'discord.js reports an error'));
  client.on(Events.Warn, (warning) => log.warn({ warning }, 'discord.js warns'));

  return client;
}

/** discord.js keeps its connection, heartbeats, resumes and reconnects; the bot takes nothing else from it. */
export function createGateway(options: GatewayOptions): Gateway {
  const { token, apiUrl, guilds, log } = options;
  /** A client that was refused once does not connect again (WebSocketManager.destroyed): each start has its own. */
  let client: Client | undefined;

  return {
    async start(onInteraction, onLost = () => undefined) {
      await client?.destroy();
      const fresh = createClient(options);
      client = fresh;
      // The gateway's own event, not discord.js's: that one waits for every server to be available, longer than the
      // 3 seconds an interaction has, and reads a member's roles from a cache instead of from the event.
      fresh.ws.on(GatewayDispatchEvents.InteractionCreate, onInteraction);
      const ready = new Promise((resolve) => fresh.once(Events.ClientReady, resolve));
      try {
        await fresh.login(token);
      } catch (error) {
        throw toStartError(error, apiUrl);
      }
      fresh.on(Events.ShardDisconnect, ({ code }, shard) => {
        log.error({ shard, code }, 'Discord gateway closed for good');
        onLost(toLostError(code));
      });
      await ready;
      compareGuilds(fresh);
    },
    async stop() {
      client?.ws.removeAllListeners(GatewayDispatchEvents.InteractionCreate);
      await client?.destroy();
    },
    healthy: () =>
      client?.isReady() === true && client.ws.shards.every((shard) => shard.status === Status.Ready),
  };

  function compareGuilds(client: Client): void {
    for (const guild of guilds) {
      if (!client.guilds.cache.has(guild))
        log.warn(
          { guild },
          'the bot is not in this server of DISCORD_GUILDS: invite it with the scopes bot and applications.commands',
        );
    }
    for (const guild of client.guilds.cache.keys()) {
      if (!guilds.includes(guild))
        log.warn(
          { guild },
          'the bot is in a server that DISCORD_GUILDS does not name: everyone there is refused',
        );
    }
  }
}
