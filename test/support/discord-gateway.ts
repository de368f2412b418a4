import type { Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { botUser } from './discord-messages.ts';
import { BOT_TOKEN, ids } from './discord-world.ts';

interface Payload {
  readonly op: number;
  readonly d?: unknown;
  readonly s?: number;
  readonly t?: string;
}

/** The local gateway: HELLO, IDENTIFY, READY, heartbeats, dispatches, RESUME (developer reference, "Gateway"). */
export class Gateway {
  /** The intents of all IDENTIFY messages so far. */
  readonly identifies: { intents: number }[] = [];
  resumes = 0;
  heartbeats = 0;
  /** The servers of which the bot is a member. */
  guilds: readonly string[] = [ids.guild, ids.foreignGuild];
  /**
   * If set, the gateway answers each IDENTIFY and RESUME by closing the connection with this code, for example 4014 for
   * disallowed intents.
   */
  refuseWith: number | undefined;
  /** If true, the gateway answers the next RESUME with "invalid session". */
  forgetSession = false;
  heartbeatMs = 41_250;
  /**
   * The largest number of connections that were logged in at the same time. Each of these connections gets every
   * interaction.
   */
  mostAtOnce = 0;
  readonly #loggedIn = new Set<WebSocket>();
  readonly #sockets: WebSocketServer;
  #connection: WebSocket | undefined;
  readonly #url: () => string;
  #sequence = 0;
  #session = 0;
  /** The events of this session. After a resume, the gateway repeats the missed events. */
  #sent: Payload[] = [];

  constructor(server: Server, url: () => string) {
    this.#url = url;
    this.#sockets = new WebSocketServer({ server });
    this.#sockets.on('connection', (socket) => {
      socket.on('message', (data) => this.#receive(socket, JSON.parse(String(data))));
      socket.on('error', () => socket.terminate());
      socket.on('close', () => this.#loggedIn.delete(socket));
      this.#send(socket, { op: 10, d: { heartbeat_interval: this.heartbeatMs } });
    });
  }

  /** Whether a bot is connected and ready. */
  get connected(): boolean {
    return this.#connection?.readyState === 1;
  }

  /** The number of connections that are logged in. */
  get receivers(): number {
    return this.#loggedIn.size;
  }

  /** Sends an event. If there is no connection, the gateway sends the event after a resume. */
  dispatch(type: string, data: unknown): void {
    this.#sequence += 1;
    const payload = { op: 0, t: type, s: this.#sequence, d: data };
    this.#sent.push(payload);
    if (this.#connection) this.#send(this.#connection, payload);
  }

  /** Breaks the connection without a close code. */
  drop(): void {
    const socket = this.#connection;
    this.#connection = undefined;
    socket?.terminate();
  }

  /** Closes the connection with one of Discord's codes. */
  end(code: number): void {
    const socket = this.#connection;
    this.#connection = undefined;
    socket?.close(code);
  }

  /** Asks the bot to reconnect, like Discord before the restart of a gateway. */
  askToReconnect(): void {
    const socket = this.#connection;
    this.#connection = undefined;
    if (socket) this.#send(socket, { op: 7, d: null });
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
  }

  #receive(socket: WebSocket, { op, d }: Payload): void {
    if (op === 1) {
      this.heartbeats += 1;
      this.#send(socket, { op: 11 });
    } else if (op === 2) this.#identify(socket, d as { token: string; intents: number });
    else if (op === 6) this.#resume(socket, d as { token: string; session_id: string; seq: number });
  }

  #identify(socket: WebSocket, { token, intents }: { token: string; intents: number }): void {
    this.identifies.push({ intents });
    const refusal = this.refuseWith ?? (token === BOT_TOKEN ? undefined : 4004);
    if (refusal !== undefined) {
      socket.close(refusal);
      return;
    }
    this.#session += 1;
    this.#sequence = 0;
    this.#sent = [];
    this.#connection = socket;
    this.#login(socket);
    this.dispatch('READY', {
      v: 10,
      user: botUser,
      guilds: this.guilds.map((id) => ({ id, unavailable: true })),
      session_id: `session-${this.#session}`,
      resume_gateway_url: this.#url(),
      application: { id: ids.application, flags: 0 },
    });
    for (const id of this.guilds) this.dispatch('GUILD_CREATE', guildOf(id));
  }

  #resume(
    socket: WebSocket,
    { token, session_id, seq }: { token: string; session_id: string; seq: number },
  ): void {
    if (this.refuseWith !== undefined) {
      socket.close(this.refuseWith);
      return;
    }
    if (this.forgetSession || token !== BOT_TOKEN || session_id !== `session-${this.#session}`) {
      this.forgetSession = false;
      this.#send(socket, { op: 9, d: false });
      return;
    }
    this.resumes += 1;
    // A session has only one connection, so a new connection closes the previous connection.
    const before = this.#connection;
    this.#connection = socket;
    if (before && before !== socket) {
      this.#loggedIn.delete(before);
      before.terminate();
    }
    this.#login(socket);
    for (const payload of this.#sent) if ((payload.s ?? 0) > seq) this.#send(socket, payload);
    this.dispatch('RESUMED', {});
  }

  #login(socket: WebSocket): void {
    this.#loggedIn.add(socket);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#loggedIn.size);
  }

  #send(socket: WebSocket, payload: Payload): void {
    if (socket.readyState === 1) socket.send(JSON.stringify(payload));
  }
}

function guildOf(id: string): object {
  return {
    id,
    name: id === ids.guild ? 'Studio' : 'Elsewhere',
    owner_id: '500000000000000099',
    joined_at: '2026-01-01T00:00:00.000000+00:00',
    large: false,
    unavailable: false,
    member_count: 10,
    features: [],
    preferred_locale: 'en-US',
    premium_tier: 0,
    system_channel_flags: 0,
    afk_timeout: 300,
    mfa_level: 0,
    nsfw_level: 0,
    verification_level: 0,
    default_message_notifications: 0,
    explicit_content_filter: 0,
    roles: [
      {
        id,
        name: '@everyone',
        color: 0,
        hoist: false,
        position: 0,
        permissions: '0',
        managed: false,
        mentionable: false,
      },
    ],
    channels: [
      {
        id: id === ids.guild ? ids.channel : ids.foreignChannel,
        type: 0,
        name: 'servers',
        position: 0,
        permission_overwrites: [],
      },
    ],
    threads: [],
    members: [],
    presences: [],
    voice_states: [],
    emojis: [],
    stickers: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  };
}
