import { Commands } from './discord-commands.ts';
import { type CallbackBody, Interactions } from './discord-interactions.ts';
import { botUser, Messages, type Upload } from './discord-messages.ts';
import {
  ApiProblem,
  BOT_TOKEN,
  flags,
  ids,
  type MessageBody,
  permissions,
  roleIds,
  type User,
} from './discord-world.ts';

export interface RestRequest {
  readonly method: string;
  /** The path below `/api/v10`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  /** The parsed JSON body. For a multipart request, the parsed `payload_json`. */
  readonly body: unknown;
  readonly uploads: readonly Upload[];
}

export interface RestResponse {
  readonly status: number;
  readonly body?: unknown;
}

function nameOf(guild: string): string {
  return guild === ids.guild ? 'Studio' : 'Elsewhere';
}

/** The part of Discord's REST API that this bot uses. */
export class Rest {
  readonly messages: Messages;
  readonly interactions: Interactions;
  readonly commands: Commands;
  /** The permissions of the bot in the team's channel. Every interaction contains them. */
  botPermissions: bigint;
  /** Whether the bot was added with the scope `applications.commands`. */
  commandsScope = true;
  sessionsLeft = 1000;
  /** The ids of the people who do not accept direct messages. */
  readonly closedToDirect = new Set<string>();
  /** Whether the team's channel is an archived thread. A new message reopens the thread, but an edit does not. */
  archived = false;
  /** The recipient of each direct message channel that the bot opened, by channel id. */
  readonly directChannels = new Map<string, string>();
  /** The members of all servers. */
  readonly people: User[] = [];
  /** The servers to which the bot was added. */
  servers: readonly string[] = [ids.guild];
  /** Additional fields of the application. */
  application: Readonly<Record<string, unknown>> = {};
  /** Additional fields of the account to which the token belongs. */
  account: Readonly<Record<string, unknown>> = {};
  /** The channels of the team's server. */
  channels: readonly object[] = [{ id: ids.channel, type: 0, name: 'servers', permission_overwrites: [] }];
  readonly #gatewayUrl: () => string;

  constructor(now: () => number, botPermissions: bigint, gatewayUrl: () => string, responseMs?: number) {
    this.messages = new Messages(now);
    this.interactions = new Interactions(this.messages, now, responseMs);
    this.commands = new Commands(this.messages);
    this.botPermissions = botPermissions;
    this.#gatewayUrl = gatewayUrl;
  }

  handle(request: RestRequest): RestResponse {
    const { method, path } = request;
    const [area, ...rest] = path.split('/').filter((part) => part !== '');
    if (area === 'interactions') return this.#callback(request, rest);
    if (area === 'webhooks') return this.#webhook(request, rest);
    // All requests below this line need the bot's token.
    if (request.authorization !== `Bot ${BOT_TOKEN}`) throw new ApiProblem(401, 0, '401: Unauthorized');
    if (path === '/gateway/bot') return { status: 200, body: this.#gatewayInfo() };
    if (path === '/users/@me') return { status: 200, body: { ...botUser, ...this.account } };
    if (path === '/users/@me/guilds')
      return { status: 200, body: this.servers.map((id) => ({ id, name: nameOf(id) })) };
    if (path === '/users/@me/channels') return this.#openDirect(request.body as { recipient_id: string });
    if (path === '/applications/@me' || path === '/oauth2/applications/@me')
      return {
        status: 200,
        body: { id: ids.application, name: 'Edgegap', flags: 0, bot: botUser, ...this.application },
      };
    if (area === 'guilds') return this.#guild(rest);
    if (area === 'applications') return this.#commands(request, rest);
    if (area === 'channels') return this.#channel(request, rest);
    throw new ApiProblem(404, 0, `404: Not Found: ${method} ${path}`);
  }

  #gatewayInfo(): object {
    return {
      url: this.#gatewayUrl(),
      shards: 1,
      session_start_limit: {
        total: 1000,
        remaining: this.sessionsLeft,
        reset_after: 60_000,
        max_concurrency: 1,
      },
    };
  }

  #callback({ body, uploads }: RestRequest, [id = '', token = '']: string[]): RestResponse {
    this.interactions.callback(id, token, body as CallbackBody, uploads);
    return { status: 204 };
  }

  #webhook({ method, body, uploads }: RestRequest, [, token = '', , which]: string[]): RestResponse {
    const interaction = this.interactions.byToken(token);
    const { original, channel, user } = interaction;
    if (method === 'POST' || method === 'PATCH') interaction.answers += 1;
    if (method === 'POST') {
      const followUp = body as MessageBody;
      const onlyFor = (followUp.flags ?? 0) & flags.ephemeral ? user.id : undefined;
      // For this case, Discord says: "the loading message will be edited instead. The ephemeral flag will be ignored"
      // (Receiving and Responding, "Create Followup Message"). If the loading message was deleted, the flag is used
      // (discord-api-docs#2739).
      const waits = (original.flags & flags.loading) !== 0 && this.messages.all().includes(original);
      const message = waits
        ? this.messages.edit(original, followUp, uploads)
        : this.messages.create(channel, followUp, uploads, { onlyFor });
      return { status: 200, body: this.messages.toJson(message) };
    }
    const message = which === '@original' ? original : this.messages.find(channel, which ?? '');
    // Fails if the message has been deleted.
    this.messages.find(channel, message.id);
    if (method === 'PATCH' && this.archived) throw new ApiProblem(400, 50083, 'Thread is archived');
    if (method === 'PATCH') this.messages.edit(message, body as MessageBody, uploads);
    else if (method === 'DELETE') {
      this.messages.remove(message);
      return { status: 204 };
    }
    return { status: 200, body: this.messages.toJson(message) };
  }

  /** Besides the roles that settings name, each member has a role with the member's own permissions. */
  #guild([guild = '', what, id]: string[]): RestResponse {
    const members = this.people.filter((user) => user.guild === guild);
    if (what === 'channels') return { status: 200, body: this.channels };
    if (what === 'members' && id === ids.bot)
      return { status: 200, body: { user: botUser, nick: null, roles: [roleIds.bot] } };
    if (what !== 'members') {
      const role = (id: string, name: string, bits: bigint, managed = false) => ({
        id,
        name,
        managed,
        permissions: String(bits),
      });
      const roles = [
        role(guild, '@everyone', 0n),
        role(roleIds.operators, 'Operators', 0n),
        role(roleIds.readers, 'Readers', 0n),
        role(roleIds.bot, 'Edgegap', this.botPermissions, true),
        ...members.map((user) => role(`7${user.id}`, user.name, user.permissions)),
      ];
      return { status: 200, body: { id: guild, name: nameOf(guild), owner_id: '1', roles } };
    }
    const user = members.find((one) => one.id === id);
    if (!user) throw new ApiProblem(404, 10007, 'Unknown Member');
    const account = { id: user.id, username: user.name.toLowerCase(), global_name: user.name };
    return { status: 200, body: { user: account, nick: null, roles: [...user.roles, `7${user.id}`] } };
  }

  #openDirect({ recipient_id }: { recipient_id: string }): RestResponse {
    const id = `6${recipient_id.slice(1)}`;
    this.directChannels.set(id, recipient_id);
    return { status: 200, body: { id, type: 1, last_message_id: null, flags: 0, recipients: [] } };
  }

  #channel(request: RestRequest, [channel = '', , id]: string[]): RestResponse {
    const { method, body, uploads } = request;
    const person = this.directChannels.get(channel);
    if (person === undefined && channel !== ids.channel && channel !== ids.foreignChannel)
      throw new ApiProblem(404, 10003, 'Unknown Channel');
    if (person !== undefined && this.closedToDirect.has(person))
      throw new ApiProblem(403, 50007, 'Cannot send messages to this user');
    this.#require(permissions.viewChannel, 50001, 'Missing Access');
    if (method === 'GET' && id === undefined)
      return { status: 200, body: this.#history(channel, request.query) };
    if (method === 'POST') {
      this.#require(permissions.sendMessages, 50013, 'Missing Permissions');
      if (uploads.length > 0) this.#require(permissions.attachFiles, 50013, 'Missing Permissions');
      this.archived = false;
      const wanted = body as MessageBody;
      const message = this.messages.create(channel, wanted, uploads);
      return { status: 200, body: this.messages.toJson(message, wanted.nonce) };
    }
    if (method === 'PATCH' && id === undefined) {
      this.#require(permissions.sendMessages, 50013, 'Missing Permissions');
      this.archived = (body as { archived: boolean }).archived;
      return { status: 200, body: { id: channel, type: 11 } };
    }
    if (method === 'PATCH' && this.archived) throw new ApiProblem(400, 50083, 'Thread is archived');
    const message = this.messages.find(channel, id ?? '');
    if (message.flags & flags.ephemeral) throw new ApiProblem(404, 10008, 'Unknown Message');
    if (method === 'PATCH') this.messages.edit(message, body as MessageBody, uploads);
    return { status: 200, body: this.messages.toJson(message) };
  }

  /**
   * The newest message comes first. With `after`, the result is the messages directly after this id. Without the
   * permission, the result is empty.
   */
  #history(channel: string, query: URLSearchParams): object[] {
    if (!this.#has(permissions.readMessageHistory)) return [];
    const limit = Number(query.get('limit') ?? 50);
    const after = query.get('after');
    const visible = this.messages
      .all()
      .filter((message) => message.channel === channel && message.onlyFor === undefined)
      .filter((message) => after === null || BigInt(message.id) > BigInt(after));
    const page = after === null ? visible.slice(-limit) : visible.slice(0, limit);
    return page.reverse().map((message) => this.messages.toJson(message));
  }

  #commands({ method, body }: RestRequest, [, ...rest]: string[]): RestResponse {
    const guild = rest[0] === 'guilds' ? rest[1] : undefined;
    const id = guild === undefined ? rest[1] : rest[3];
    if (guild !== undefined && (guild !== ids.guild || !this.commandsScope))
      throw new ApiProblem(403, 50001, 'Missing Access');
    if (method === 'GET') return { status: 200, body: this.commands.list(guild) };
    if (method === 'PUT')
      return { status: 200, body: this.commands.replaceAll(guild, body as Record<string, unknown>[]) };
    if (method === 'POST') {
      const { status, command } = this.commands.create(guild, body as Record<string, unknown>);
      return { status, body: command };
    }
    if (method === 'PATCH')
      return { status: 200, body: this.commands.patch(guild, id ?? '', body as Record<string, unknown>) };
    this.commands.remove(guild, id ?? '');
    return { status: 204 };
  }

  #has(bit: bigint): boolean {
    return (this.botPermissions & bit) !== 0n;
  }

  #require(bit: bigint, code: number, problem: string): void {
    if (!this.#has(bit)) throw new ApiProblem(403, code, problem);
  }
}
