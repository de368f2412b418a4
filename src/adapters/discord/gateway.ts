import type { REST } from '@discordjs/rest';
import { CloseCodes, type SessionInfo, WebSocketManager, WebSocketShardEvents } from '@discordjs/ws';
import {
  type APIInteraction,
  GatewayCloseCodes,
  GatewayDispatchEvents,
  type GatewayDispatchPayload,
  GatewayIntentBits,
  type GatewayReadyDispatchData,
} from 'discord-api-types/v10';
import { type Clock, within } from '../../clock.ts';
import type { DiscordConfig } from '../../config.ts';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { createAgent } from '../../proxy.ts';
import { createRelay, type Relay } from './relay.ts';
import { createRest } from './rest.ts';
import { toLostError, toStartError } from './start-error.ts';

/** How long Discord may take to close the connection. During this time, the bot accepts no interaction. */
const CLOSE_MS = 1_500;

/**
 * Close codes that mean that Discord refuses further connections (Opcodes and Status Codes, "Gateway Close Event
 * Codes").
 */
const FINAL: readonly number[] = [
  GatewayCloseCodes.AuthenticationFailed,
  GatewayCloseCodes.InvalidShard,
  GatewayCloseCodes.ShardingRequired,
  GatewayCloseCodes.InvalidAPIVersion,
  GatewayCloseCodes.InvalidIntents,
  GatewayCloseCodes.DisallowedIntents,
];

export interface GatewayOptions extends Omit<DiscordConfig, 'access'> {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The package `@discordjs/ws` keeps the connection, and takes care of heartbeats, resumes, reconnects and the pause
 * between logins. The client of discord.js is not used. That client caches every server, although interactions do not
 * need this data, and cannot resume the session of an earlier process.
 */
export function createGateway(options: GatewayOptions) {
  const { token, apiUrl, proxy } = options;
  const rest = createRest(options, { handlerSweepInterval: 0, hashSweepInterval: 0 }).setToken(token);
  // In a network with a proxy, connections leave only through an agent. The gateway package cannot use an agent for its
  // sockets. The sockets therefore connect to a relay on this machine, and the relay uses the agent.
  const relay = proxy && createRelay(createAgent(proxy, { allowH2: false, proxyTunnel: true }));
  let connection: Connection | undefined;

  return {
    /**
     * Connects. Resolves when Discord sends interactions to this connection. Rejects with AppError. If Discord still
     * knows the `sessions` of an earlier connection, the new connection resumes these sessions and receives the missed
     * interactions. Calls `onLost` if Discord later closes the connection permanently.
     */
    async start(
      onInteraction: (interaction: APIInteraction) => void,
      onLost: ((error: AppError) => void) | undefined,
      sessions: readonly SessionInfo[],
    ): Promise<void> {
      await connection?.close();
      const fresh = createConnection({ ...options, rest, relay, onInteraction, onLost, sessions });
      connection = fresh;
      try {
        await fresh.open();
      } catch (error) {
        await fresh.close();
        throw error instanceof AppError ? error : toStartError(error, apiUrl);
      }
    },
    /**
     * Disconnects, but keeps the sessions, so that a later connection can resume them. The gateway can be started
     * again.
     */
    async stop(): Promise<void> {
      await connection?.close();
      await relay?.close();
    },
    healthy: () => connection?.healthy() === true,
    sessions: () => connection?.sessions() ?? [],
  };
}

type Connection = ReturnType<typeof createConnection>;

interface ConnectionParts extends GatewayOptions {
  readonly rest: REST;
  readonly relay: Relay | undefined;
  readonly onInteraction: (interaction: APIInteraction) => void;
  readonly onLost: ((error: AppError) => void) | undefined;
  readonly sessions: readonly SessionInfo[];
}

function createConnection(parts: ConnectionParts) {
  const { token, rest, relay, guilds, clock, log, onInteraction, onLost } = parts;
  const sessions = new Map(parts.sessions.map((session) => [session.shardId, session]));
  const joined = new Map<number, readonly string[]>();
  const up = new Set<number>();
  let shards = 1;
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => undefined);
  let state: 'opening' | 'open' | 'closing' | 'closed' = 'opening';

  const manager = new WebSocketManager({
    token,
    // The bot receives interactions without any intent. The intent Guilds makes Discord send the list of the bot's
    // servers.
    intents: GatewayIntentBits.Guilds,
    rest,
    async retrieveSessionInfo(shard) {
      // The package may have begun to reconnect before `close`, and now asks for the session. The returned promise
      // never resolves, so the package stops connecting.
      if (state === 'closed') return new Promise<never>(() => undefined);
      const session = sessions.get(shard);
      return session && relay
        ? { ...session, resumeURL: await relay.to(session.resumeURL) }
        : (session ?? null);
    },
    updateSessionInfo(shard, session) {
      const resumeURL = session && (relay?.from(session.resumeURL) ?? session.resumeURL);
      if (resumeURL) sessions.set(shard, { ...session, resumeURL });
      // When the package closes the connection, it asks this function to delete the session. The session is kept,
      // because the next process needs it.
      else if (state !== 'closing') sessions.delete(shard);
    },
  });
  const asked = manager.fetchGatewayInformation.bind(manager);
  if (relay)
    manager.fetchGatewayInformation = async (force) => {
      const information = await asked(force);
      return { ...information, url: await relay.to(information.url) };
    };
  manager.on(WebSocketShardEvents.Dispatch, ({ data }: { data: GatewayDispatchPayload }) => {
    if (data.t === GatewayDispatchEvents.InteractionCreate) onInteraction(data.d);
  });
  manager.on(
    WebSocketShardEvents.Ready,
    ({ data, shardId: shard }: Of<{ data: GatewayReadyDispatchData }>) => {
      up.add(shard);
      joined.set(
        shard,
        data.guilds.map(({ id }) => id),
      );
      log.info({ shard }, 'Discord gateway ready');
    },
  );
  manager.on(WebSocketShardEvents.Resumed, ({ shardId: shard }: Of<object>) => {
    up.add(shard);
    log.info({ shard }, 'Discord gateway resumed');
  });
  manager.on(WebSocketShardEvents.Closed, ({ code, shardId: shard }: Of<{ code: number }>) => {
    up.delete(shard);
    if (state !== 'open') return;
    if (FINAL.includes(code)) {
      log.error({ shard, code }, 'Discord gateway closed for good');
      onLost?.(toLostError(code));
    } else log.warn({ shard, code }, 'Discord gateway lost, reconnecting');
  });
  manager.on(WebSocketShardEvents.Error, ({ error: err, shardId: shard }: Of<{ error: Error }>) =>
    log.warn({ shard, err }, 'Discord gateway error'),
  );

  return {
    async open(): Promise<void> {
      const connected = manager.connect();
      connected.catch(() => undefined);
      await Promise.race([connected, closed.promise]);
      shards = await manager.getShardCount();
      state = 'open';
      // The list of the bot's servers is complete only if no shard was resumed. After a resume, Discord does not send
      // the list again.
      if (joined.size === shards) compareGuilds([...joined.values()].flat());
    },
    async close(): Promise<void> {
      if (state === 'closing' || state === 'closed') return;
      state = 'closing';
      closed.reject(new AppError('discord-stopped', 'The connection to Discord was closed on this side.'));
      // After any close code except 1000 and 1001, the session can be resumed (Gateway, "Disconnecting").
      await within(clock, CLOSE_MS, Promise.resolve(manager.destroy({ code: CloseCodes.Resuming })));
      state = 'closed';
    },
    healthy: () => state === 'open' && up.size === shards,
    sessions: () => [...sessions.values()],
  };

  function compareGuilds(joined: readonly string[]): void {
    for (const guild of guilds) {
      if (!joined.includes(guild))
        log.warn(
          { guild },
          'the bot is not in this server of DISCORD_GUILDS: invite it with the scopes bot and applications.commands',
        );
    }
    for (const guild of joined) {
      if (!guilds.includes(guild))
        log.warn(
          { guild },
          'the bot is in a server that DISCORD_GUILDS does not name: everyone there is refused',
        );
    }
  }
}

/** An event, together with the id of its shard. */
type Of<Event> = Event & { readonly shardId: number };
