import type { APIApplication } from 'discord-api-types/v10';
import type { Directory } from '../../command/define.ts';
import { kindOfSecret } from '../../config/token-kinds.ts';
import type { AccessRules, DiscordConfig } from '../../config.ts';
import { AppError, ConfigError } from '../../errors.ts';
import { type Finding, ok, someOf, warning, wrong } from '../../finding.ts';
import { allows, inviteLink, NEEDED_PERMISSIONS } from './permissions.ts';
import { DiscordAPIError } from './rest-package.ts';
import { toStartError } from './start-error.ts';
import { createSurvey, type Survey, type SurveyedServer } from './survey.ts';

/**
 * If fewer logins than this are left today, the check warns the operator, because the bot may be restarting too often.
 */
const FEW_LOGINS = 50;
const PORTAL = 'https://discord.com/developers/applications';

/** Asks Discord whether the token, the application, the servers, the roles and the permissions are right. */
export async function examineDiscord(config: DiscordConfig, directory: Directory): Promise<Finding[]> {
  const survey = createSurvey(config);
  try {
    const [user, application] = await Promise.all([survey.user(), survey.application()]);
    if (user.bot !== true) return [tokenOfPerson(user.username)];
    const found = [
      ok(
        'discord.token',
        `DISCORD_TOKEN is the token of the bot ${user.username} (application ${application.id}).`,
      ),
      ...ofApplication(application),
    ];
    const [logins, servers] = await Promise.all([
      loginsLeft(survey),
      ofServers(survey, config, application.id, directory),
    ]);
    return [...found, logins, ...servers];
  } catch (error) {
    return [discordRefusal(config, error)];
  } finally {
    survey.close();
  }
}

/**
 * Checks only the roles and servers of the settings, for the start of the bot. Returns no findings if all of them are
 * right.
 */
export async function examineDiscordRoles(config: DiscordConfig): Promise<Finding[]> {
  const survey = createSurvey(config);
  try {
    const servers = await Promise.all(config.guilds.map((id) => survey.server(id).catch(() => undefined)));
    const known = servers.filter((server) => server !== undefined);
    return known.length === config.guilds.length
      ? [...ofRoles(config.access, known), ...known.flatMap((server) => ofPermissions(server, undefined))]
      : [];
  } finally {
    survey.close();
  }
}

/** Why Discord did not accept the token, and how to correct the cause. */
export function discordRefusal(
  { token, apiUrl }: Pick<DiscordConfig, 'token' | 'apiUrl'>,
  error: unknown,
): Finding {
  const reason = error instanceof AppError ? error : toStartError(error, apiUrl);
  if (!(reason instanceof ConfigError))
    return wrong(
      'discord.reachable',
      reason.userMessage,
      reason.hint ?? 'Look at https://discordstatus.com.',
    );
  const kind = kindOfSecret(token);
  const looks = kind === undefined ? '' : ` By its shape, the value is ${kind}.`;
  const account = accountIn(token);
  const names = account === undefined ? '' : ` The token names the account ${account}.`;
  return wrong(
    'discord.token',
    `Discord does not accept DISCORD_TOKEN.${looks}${names}`,
    account === undefined
      ? tokenAdvice()
      : `If ${account} is your own user id, you copied the token of a person. ${tokenAdvice()}`,
  );
}

export function tokenOfPerson(name: string): Finding {
  return wrong(
    'discord.token',
    `DISCORD_TOKEN is the token of the person ${name}, not of a bot.`,
    tokenAdvice(),
  );
}

function tokenAdvice(): string {
  return `Open ${PORTAL}, your application, Bot, press Reset Token, and put the new token into DISCORD_TOKEN.`;
}

/** The first part of a token is the id of the token's account, in base64. */
function accountIn(token: string): string | undefined {
  const [first = ''] = token.split('.');
  const id = Buffer.from(first, 'base64').toString('latin1');
  return /^\d{17,20}$/.test(id) ? id : undefined;
}

/** The settings of the application in Discord's portal. */
export function ofApplication(application: APIApplication): Finding[] {
  const { interactions_endpoint_url: endpoint, bot_require_code_grant: needsGrant } = application;
  const found: Finding[] = [
    endpoint
      ? wrong(
          'discord.events',
          'The application has an Interactions Endpoint URL, so Discord sends commands there and not to the bot.',
          `Open ${PORTAL}, your application, General Information, and clear Interactions Endpoint URL.`,
        )
      : ok('discord.events', 'Discord sends commands and button presses to the bot’s own connection.'),
    ok('discord.intents', 'The bot asks for the intent Guilds only, which every bot may use.'),
  ];
  if (needsGrant)
    found.push(
      wrong(
        'discord.invite',
        'The application requires a code grant, so the invite link does not add the bot to a server.',
        `Open ${PORTAL}, your application, Bot, and switch Requires OAuth2 Code Grant off.`,
      ),
    );
  return found;
}

async function loginsLeft(survey: Survey): Promise<Finding> {
  const { remaining, total } = (await survey.gateway()).session_start_limit;
  const says = `Discord allows ${remaining} more logins of ${total} today.`;
  const mend =
    'The bot is being restarted over and over, or another program uses the token: find the cause in the log first.';
  if (remaining === 0) return wrong('discord.logins', says, mend);
  return remaining < FEW_LOGINS ? warning('discord.logins', says, mend) : ok('discord.logins', says);
}

async function ofServers(
  survey: Survey,
  config: DiscordConfig,
  application: string,
  directory: Directory,
): Promise<Finding[]> {
  const joined = await survey.servers();
  const found: Finding[] = [];
  const known: SurveyedServer[] = [];
  for (const id of config.guilds) {
    if (!joined.some((server) => server.id === id)) {
      found.push(
        wrong(
          'discord.servers',
          `The bot is not in the server ${id} of DISCORD_GUILDS, or there is no such server.`,
          `Correct the id, or add the bot: ${inviteLink(application, id)}`,
        ),
      );
      continue;
    }
    const server = await survey.server(id);
    known.push(server);
    found.push(
      ok('discord.servers', `The bot is in the server ${server.name}.`),
      await ofCommands(survey, { application, server, directory, registers: config.register }),
      ...ofPermissions(server, inviteLink(application, id)),
    );
  }
  const others = joined
    .filter(({ id }) => !config.guilds.includes(id))
    .map(({ name, id }) => `${name} (${id})`);
  if (others.length > 0)
    found.push(
      warning(
        'discord.servers',
        `The bot is in servers that DISCORD_GUILDS does not name, and refuses everyone there: ${someOf(others)}.`,
        'Add the ids to DISCORD_GUILDS, or remove the bot from these servers.',
      ),
    );
  // A role may belong to any server of the settings. The roles are checked only when every server is known.
  return known.length === config.guilds.length ? [...found, ...ofRoles(config.access, known)] : found;
}

async function ofCommands(
  survey: Survey,
  parts: {
    readonly application: string;
    readonly server: SurveyedServer;
    readonly directory: Directory;
    readonly registers: boolean;
  },
): Promise<Finding> {
  const { application, server, directory, registers } = parts;
  try {
    const registered = await survey.commands(application, server.id);
    const missing = directory.all
      .map(({ name }) => name)
      .filter((name) => !registered.some((one) => one.name === name));
    if (missing.length === 0)
      return ok('discord.commands', `All ${directory.all.length} commands are registered in ${server.name}.`);
    return warning(
      'discord.commands',
      `In ${server.name}, these commands are not registered yet: ${someOf(missing)}.`,
      registers ? 'Start the bot: it registers its commands.' : 'Run npm run register.',
    );
  } catch (error) {
    if (!(error instanceof DiscordAPIError) || error.status !== 403) throw error;
    return wrong(
      'discord.commands',
      `The bot may not register commands in ${server.name}: it was added without the scope applications.commands.`,
      `Open this link again: ${inviteLink(application, server.id)}`,
    );
  }
}

/** The bot's permissions in the server and in its channels. */
export function ofPermissions(server: SurveyedServer, invite: string | undefined): Finding[] {
  const check = 'discord.permissions';
  const lacking = (granted: bigint) =>
    NEEDED_PERMISSIONS.filter(([, bit]) => !allows(granted, bit)).map(([name]) => name);
  const inServer = lacking(server.granted);
  if (inServer.length > 0)
    return [
      wrong(
        check,
        `In ${server.name}, the bot’s role lacks: ${inServer.join(', ')}.`,
        `Grant them in Server Settings, Roles${invite === undefined ? '' : `, or open the link again: ${invite}`}.`,
      ),
    ];
  const [viewing] = NEEDED_PERMISSIONS;
  const visible = server.channels.filter(({ granted }) => viewing && allows(granted, viewing[1]));
  const limited = visible
    .map(({ name, granted }) => ({ name, missing: lacking(granted) }))
    .filter(({ missing }) => missing.length > 0);
  const hidden = server.channels.length - visible.length;
  const unseen =
    hidden === 0 ? '' : ` ${hidden} private channel${hidden === 1 ? ' is' : 's are'} hidden from the bot.`;
  if (limited.length === 0)
    return [
      visible.length > 0
        ? ok(check, `The bot has every permission in ${visible.length} channels of ${server.name}.${unseen}`)
        : wrong(
            check,
            `The bot sees no channel of ${server.name}.`,
            'Add the bot to a channel: Edit Channel, Permissions, Add members or roles.',
          ),
    ];
  const named = limited.map(({ name, missing }) => `#${name} (${missing.join(', ')})`);
  return [
    warning(
      check,
      `In some channels of ${server.name}, the bot lacks permissions: ${someOf(named)}.${unseen}`,
      'If people should use the bot there, grant them in Edit Channel, Permissions.',
    ),
  ];
}

function ofRoles({ operators, readers }: AccessRules, servers: readonly SurveyedServer[]): Finding[] {
  const check = 'discord.roles';
  const roles = servers.flatMap((server) => server.roles.map((role) => ({ ...role, server })));
  const found: Finding[] = [];
  const named = [
    ['DISCORD_OPERATOR_ROLES', operators],
    ['DISCORD_READER_ROLES', readers],
  ] as const;
  for (const [setting, ids] of named) {
    if (ids === undefined || ids === 'everyone') continue;
    for (const id of ids) {
      const role = roles.find((one) => one.id === id);
      if (!role)
        found.push(
          wrong(
            check,
            `${setting} names the role ${id}, which exists in no server of DISCORD_GUILDS.`,
            'Correct the id: Server Settings, Roles, right-click the role, Copy Role ID. Or run setup again and choose by name.',
          ),
        );
      else if (role.id === role.server.id && setting === 'DISCORD_OPERATOR_ROLES')
        found.push(
          warning(
            check,
            `${setting} names the role @everyone of ${role.server.name}, so every member may deploy and stop.`,
            'Name a role that only operators have.',
          ),
        );
      else if (role.managed)
        found.push(
          warning(
            check,
            `${setting} names ${role.name}, a role that belongs to an app, so no person has it.`,
            'Name a role that people have.',
          ),
        );
    }
  }
  if (found.length > 0) return found;
  const who = (ids: readonly string[]) =>
    ids.map((id) => roles.find((one) => one.id === id)?.name ?? id).join(', ');
  const operating = operators ? who(operators) : 'people with Manage Server';
  const reading = readers === undefined ? 'the same' : readers === 'everyone' ? 'everyone' : who(readers);
  return [ok(check, `Operators: ${operating}. Readers: ${reading}.`)];
}
