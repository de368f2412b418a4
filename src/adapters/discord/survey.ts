import {
  type APIApplication,
  type APIApplicationCommand,
  type APIGuild,
  type APIGuildChannel,
  type APIGuildMember,
  type APIOverwrite,
  type APIPartialGuild,
  type APIUser,
  ChannelType,
  type GuildChannelType,
  OverwriteType,
  PermissionFlagsBits,
  type RESTGetAPIGatewayBotResult,
  type RESTPostAPIChannelMessageResult,
  Routes,
} from 'discord-api-types/v10';
import type { Line } from '../../chat/card.ts';
import { payloadOf } from './payload.ts';
import { closeRest, createRest, type RestPlace } from './rest.ts';

/** How long an answer may take. */
const ANSWER_MS = 10_000;
/** Maximum number of servers on a page of the list (Get Current User Guilds). */
const PAGE = 200;
/** The types of channels in which people type commands. */
const TEXT: readonly ChannelType[] = [
  ChannelType.GuildText,
  ChannelType.GuildAnnouncement,
  ChannelType.GuildForum,
  ChannelType.GuildVoice,
];

/** A channel in which people can type commands, with the bot's permissions there. */
export interface SurveyedChannel {
  readonly id: string;
  readonly name: string;
  /** Whether people can post a message directly, and not only in a thread. */
  readonly takesMessages: boolean;
  readonly granted: bigint;
}

export interface SurveyedServer {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly { readonly id: string; readonly name: string; readonly managed: boolean }[];
  /** The bot's permissions in the server. Permissions for single channels are not included. */
  readonly granted: bigint;
  readonly channels: readonly SurveyedChannel[];
}

export type Survey = ReturnType<typeof createSurvey>;

/** Reads everything that a bot token can see on Discord. Every request rejects with the error of the REST client. */
export function createSurvey({ token, ...place }: RestPlace & { readonly token: string }) {
  const rest = createRest(place, { retries: 1, timeout: ANSWER_MS }).setToken(token);
  const get = async <T>(route: `/${string}`, query?: URLSearchParams) =>
    (await rest.get(route, query ? { query } : {})) as T;
  let self: Promise<APIUser> | undefined;
  const user = () => (self ??= get<APIUser>(Routes.user()));
  return {
    user,
    application: () => get<APIApplication>(Routes.currentApplication()),
    gateway: () => get<RESTGetAPIGatewayBotResult>(Routes.gatewayBot()),
    /** The servers that the bot was added to. */
    async servers(): Promise<readonly { readonly id: string; readonly name: string }[]> {
      const all: APIPartialGuild[] = [];
      for (;;) {
        const query = new URLSearchParams({ limit: `${PAGE}` });
        const last = all.at(-1);
        if (last) query.set('after', last.id);
        const page = await get<APIPartialGuild[]>(Routes.userGuilds(), query);
        all.push(...page);
        if (page.length < PAGE) return all;
      }
    },
    async server(id: string): Promise<SurveyedServer> {
      const [guild, channels, member] = await Promise.all([
        get<APIGuild>(Routes.guild(id)),
        get<APIGuildChannel<GuildChannelType>[]>(Routes.guildChannels(id)),
        user().then((own) => get<APIGuildMember>(Routes.guildMember(id, own.id))),
      ]);
      const own = { id: member.user.id, roles: member.roles, guild: id };
      const granted = rolesOf(guild, own.roles);
      return {
        id,
        name: guild.name,
        roles: guild.roles.map(({ id, name, managed }) => ({ id, name, managed })),
        granted,
        channels: channels
          .filter(({ type }) => TEXT.includes(type))
          .map((channel) => ({
            id: channel.id,
            name: channel.name,
            takesMessages: channel.type !== ChannelType.GuildForum,
            granted: inChannel(granted, channel.permission_overwrites ?? [], own),
          })),
      };
    },
    /** Rejects if the bot was added without the scope `applications.commands`. */
    commands: (application: string, guild: string) =>
      get<APIApplicationCommand[]>(Routes.applicationGuildCommands(application, guild)),
    async post(channel: string, line: Line): Promise<void> {
      const { body, files } = payloadOf(line);
      await (rest.post(Routes.channelMessages(channel), {
        body,
        files,
      }) as Promise<RESTPostAPIChannelMessageResult>);
    },
    close: () => closeRest(rest),
  };
}

/** Every member has the role whose id equals the server's id (Permissions, "Permission Hierarchy"). */
function rolesOf(guild: APIGuild, held: readonly string[]): bigint {
  return guild.roles
    .filter(({ id }) => id === guild.id || held.includes(id))
    .reduce((sum, { permissions }) => sum | BigInt(permissions), 0n);
}

/**
 * Applies the channel's overwrites in Discord's order: first everyone, then all roles together, then the member
 * (Permissions, "Permission Overwrites").
 */
function inChannel(
  base: bigint,
  overwrites: readonly APIOverwrite[],
  own: { readonly id: string; readonly roles: readonly string[]; readonly guild: string },
): bigint {
  if (base & PermissionFlagsBits.Administrator) return base;
  const ofRoles = overwrites.filter(({ id, type }) => type === OverwriteType.Role && own.roles.includes(id));
  const steps = [
    overwrites.filter(({ id }) => id === own.guild),
    ofRoles,
    overwrites.filter(({ id, type }) => type === OverwriteType.Member && id === own.id),
  ];
  return steps.reduce((granted, step) => {
    const all = (field: 'allow' | 'deny') => step.reduce((sum, one) => sum | BigInt(one[field]), 0n);
    return (granted & ~all('deny')) | all('allow');
  }, base);
}
