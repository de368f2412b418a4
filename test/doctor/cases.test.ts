import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createManifest } from '../../src/adapters/slack/manifest.ts';
import { systemClock } from '../../src/clock.ts';
import { loadCommands } from '../../src/command/load.ts';
import { createWhoAmI, WHOAMI_PATH } from '../../src/server/whoami.ts';
import { dialectFor, openStore } from '../../src/store/store.ts';
import { ids, permissions, roleIds } from '../support/discord-world.ts';
import { SLACK_TOKENS } from '../support/slack-world.ts';
import { COMMANDS, type Platform, type Stage, stageFor } from './stage.ts';

const directory = await loadCommands(COMMANDS);

type State = 'warning' | 'wrong';
type Case = readonly [
  name: string,
  spoil: (stage: Stage) => unknown,
  check: string,
  state: State,
  says: RegExp,
];

/** No program listens on this port. */
const NOWHERE = 'http://127.0.0.1:1';

async function serve(
  listener: RequestListener,
  port = 0,
): Promise<{ url: string; port: number; server: Server }> {
  const server = createServer(listener).listen(port);
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const at = (server.address() as AddressInfo).port;
  return { url: `http://127.0.0.1:${at}`, port: at, server };
}

const website: RequestListener = (_, response) => response.end('<h1>It works!</h1>');

function set(values: Record<string, string | undefined>) {
  return (stage: Stage) => {
    stage.environment = { ...stage.environment, ...values };
  };
}

/** Writes the settings file, and sets the variables that Node would have read from the file. */
function file(content: string | Uint8Array, mode?: number) {
  return (stage: Stage) => stage.envFile(content, mode);
}

const ofSettings: readonly Case[] = [
  ['a value that cannot be right', set({ PORT: 'x' }), 'settings', 'wrong', /^PORT must be a whole number/],
  [
    'no setting of a chat platform',
    set({ DISCORD_TOKEN: '', DISCORD_GUILDS: '' }),
    'settings',
    'wrong',
    /^No chat token/,
  ],
  [
    'a bot token without servers',
    set({ DISCORD_GUILDS: undefined }),
    'settings',
    'wrong',
    /^DISCORD_GUILDS is missing/,
  ],
  [
    'no token of Edgegap',
    set({ EDGEGAP_API_TOKEN: undefined }),
    'settings',
    'wrong',
    /^EDGEGAP_API_TOKEN is missing/,
  ],
  [
    'a misspelt name in the environment',
    set({ DISCORD_OPERATOR_ROLE: '1' }),
    'settings',
    'wrong',
    /^DISCORD_OPERATOR_ROLE is no setting/,
  ],
  [
    'a misspelt name in the file',
    file('KEEP_FOR_DAYS=3\n'),
    'settings.names',
    'wrong',
    /^KEEP_FOR_DAYS in .* is no setting/,
  ],
  [
    'a name in the file that is like no setting',
    file('QUITE_ANOTHER_THING_ALTOGETHER=3\n'),
    'settings.names',
    'warning',
    /^QUITE_/,
  ],
  [
    'a token in a file that does not exist',
    set({ EDGEGAP_API_TOKEN: '', EDGEGAP_API_TOKEN_FILE: '/nope' }),
    'settings',
    'wrong',
    /_FILE names a file that does not exist/,
  ],
  [
    'a byte order mark before the first setting',
    file('\uFEFFPORT=0\n'),
    'settings.file',
    'warning',
    /byte order mark\. The bot reads PORT nevertheless/,
  ],
  [
    'a byte order mark before a comment',
    file('\uFEFF# mine\nPORT=0\n'),
    'settings.file',
    'warning',
    /byte order mark\. The bot reads the first line nevertheless/,
  ],
  [
    'a variable in the file that Node.js reads before the bot reads the file',
    file('NODE_EXTRA_CA_CERTS=/etc/studio.pem\n'),
    'settings.file',
    'warning',
    /NODE_EXTRA_CA_CERTS in .* has no effect with npm start/,
  ],
  [
    'a value in quotation marks',
    file('PORT="0"\n'),
    'settings.file',
    'warning',
    /value of PORT in quotation marks/,
  ],
  [
    'quotation marks that docker run passed on',
    set({ PORT: '"0"' }),
    'settings',
    'wrong',
    /^PORT is in quotation marks/,
  ],
  [
    'a quotation mark that is not closed',
    file('PORT="0\nKEEP_DAYS=3\n'),
    'settings.file',
    'wrong',
    /Line 1 .* opens a quotation mark for PORT/,
  ],
  [
    'a value with a # in the middle',
    file('DEFAULT_NEAR=a#b\n'),
    'settings.file',
    'wrong',
    /value of DEFAULT_NEAR is cut at its "#"/,
  ],
  [
    'a setting that stands twice',
    file('PORT=1\nPORT=0\n'),
    'settings.file',
    'warning',
    /Line 2 .* sets PORT again/,
  ],
  [
    'a line that is no setting',
    file('PORT 0\n'),
    'settings.file',
    'warning',
    /Line 1 .* is neither a setting nor a comment/,
  ],
  ['a file in UTF-16', file(Buffer.from('\uFEFFPORT=0\n', 'utf16le')), 'settings.file', 'wrong', /UTF-16/],
  [
    'a file that other users can read',
    file('PORT=0\n', 0o644),
    'settings.file',
    'warning',
    /Other users of this machine can read/,
  ],
  [
    'another value in the environment',
    file('PORT=3\n'),
    'settings.file',
    'warning',
    /^PORT has another value in the environment/,
  ],
  [
    'a folder in place of the file',
    (stage) => {
      stage.options = { envFile: stage.folder };
    },
    'settings.file',
    'wrong',
    /cannot be read \(EISDIR\)/,
  ],
];

const ofEdgegap: readonly Case[] = [
  [
    'a token that Edgegap does not know',
    set({ EDGEGAP_API_TOKEN: 'wrong-token' }),
    'edgegap.token',
    'wrong',
    /does not accept my API token/,
  ],
  [
    'a token that was deleted',
    (stage) => set({ EDGEGAP_API_TOKEN: stage.simulator.deletedToken })(stage),
    'edgegap.token',
    'wrong',
    /the token was deleted/,
  ],
  [
    'no way to Edgegap',
    set({ EDGEGAP_API_URL: NOWHERE }),
    'edgegap.reachable',
    'wrong',
    /cannot reach Edgegap/,
  ],
  [
    'another service at EDGEGAP_API_URL',
    async (stage) => set({ EDGEGAP_API_URL: (await serve(website)).url })(stage),
    'edgegap.reachable',
    'wrong',
    /cannot be understood/,
  ],
  [
    'Edgegap with an error of its own',
    (stage) =>
      stage.simulator.faults.next({ endpoint: 'applications' }, { kind: 'server-error', when: 'before' }, 9),
    'edgegap.reachable',
    'wrong',
    /problem on its side/,
  ],
  [
    'an application that does not exist',
    set({ APP_ALLOWLIST: 'kart-racing,kart-racin' }),
    'edgegap.applications',
    'wrong',
    /APP_ALLOWLIST names kart-racin, /,
  ],
  [
    'a city without a location',
    set({ DEFAULT_NEAR: 'Atlantis' }),
    'edgegap.place',
    'wrong',
    /DEFAULT_NEAR names Atlantis/,
  ],
  ['a fleet that does not exist', set({ FLEETS: 'nope' }), 'edgegap.fleets', 'wrong', /FLEETS names nope/],
  [
    'as many deployments as MAX_RUNNING allows',
    async (stage) => {
      const user = { user_type: 'ip_address', user_data: { ip_address: '203.0.113.7' } };
      await fetch(`${stage.simulator.url}/v2/deployments`, {
        method: 'POST',
        headers: { authorization: `token ${stage.simulator.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ application: 'kart-racing', version: 'v1.2', users: [user] }),
      });
      set({ MAX_RUNNING: '1' })(stage);
    },
    'edgegap.running',
    'warning',
    /^1 servers run/,
  ],
];

const lacking = (bit: bigint) => (stage: Stage) => {
  stage.discord.server.rest.botPermissions &= ~bit;
};

const channel = (deny: bigint, name = 'quiet') => ({
  id: '400000000000000009',
  type: 0,
  name,
  permission_overwrites: [{ id: roleIds.bot, type: 0, allow: '0', deny: String(deny) }],
});

/** A text with the format of a Discord token: the id of the account, a time and a signature. */
const TOKEN_OF_A_PERSON = `${Buffer.from('500000000000000006').toString('base64')}.Gabcde.${'x'.repeat(38)}`;

const ofDiscord: readonly Case[] = [
  [
    'a token that Discord does not accept',
    set({ DISCORD_TOKEN: 'old-discord-token' }),
    'discord.token',
    'wrong',
    /does not accept DISCORD_TOKEN/,
  ],
  [
    'the token of a person',
    set({ DISCORD_TOKEN: TOKEN_OF_A_PERSON }),
    'discord.token',
    'wrong',
    /names the account 500000000000000006/,
  ],
  [
    'a client secret',
    set({ DISCORD_TOKEN: 'abcdefghijklmnopqrstuvwxyz_-0123' }),
    'discord.token',
    'wrong',
    /is a client secret/,
  ],
  [
    'an account that is no bot',
    (stage) => {
      stage.discord.server.rest.account = { bot: false };
    },
    'discord.token',
    'wrong',
    /is the token of the person/,
  ],
  ['no way to Discord', set({ DISCORD_API_URL: NOWHERE }), 'discord.reachable', 'wrong', /cannot be reached/],
  [
    'Discord with an error of its own',
    (stage) => stage.discord.server.fault({ on: /applications\/@me/, times: 9, answer: { status: 503 } }),
    'discord.reachable',
    'wrong',
    /problem of its own/,
  ],
  [
    'an Interactions Endpoint URL',
    (stage) => {
      stage.discord.server.rest.application = { interactions_endpoint_url: 'https://old.example.com' };
    },
    'discord.events',
    'wrong',
    /Interactions Endpoint URL/,
  ],
  [
    'an application that requires a code grant',
    (stage) => {
      stage.discord.server.rest.application = { bot_require_code_grant: true };
    },
    'discord.invite',
    'wrong',
    /requires a code grant/,
  ],
  [
    'no login left today',
    (stage) => {
      stage.discord.server.rest.sessionsLeft = 0;
    },
    'discord.logins',
    'wrong',
    /^Discord allows 0 more logins/,
  ],
  [
    'few logins left today',
    (stage) => {
      stage.discord.server.rest.sessionsLeft = 3;
    },
    'discord.logins',
    'warning',
    /^Discord allows 3 more logins/,
  ],
  [
    'a server to which the bot was not added',
    (stage) => {
      stage.discord.server.rest.servers = [];
    },
    'discord.servers',
    'wrong',
    /not in the server 200000000000000001/,
  ],
  [
    'a server that DISCORD_GUILDS does not name',
    (stage) => {
      stage.discord.server.rest.servers = [ids.guild, ids.foreignGuild];
    },
    'discord.servers',
    'warning',
    /refuses everyone there: Elsewhere/,
  ],
  [
    'an invitation without the scope applications.commands',
    (stage) => {
      stage.discord.server.rest.commandsScope = false;
    },
    'discord.commands',
    'wrong',
    /without the scope applications\.commands/,
  ],
  [
    'a command that is not registered',
    (stage) => stage.discord.server.rest.commands.replaceAll(ids.guild, []),
    'discord.commands',
    'warning',
    /not registered yet: bulk-stop, deploy/,
  ],
  [
    'an operator role that does not exist',
    set({ DISCORD_OPERATOR_ROLES: '399999999999999999' }),
    'discord.roles',
    'wrong',
    /role 399999999999999999/,
  ],
  [
    'the role @everyone as operators',
    set({ DISCORD_OPERATOR_ROLES: ids.guild }),
    'discord.roles',
    'warning',
    /every member may deploy/,
  ],
  [
    'a role of an app as readers',
    set({ DISCORD_READER_ROLES: roleIds.bot }),
    'discord.roles',
    'warning',
    /no person has it/,
  ],
  [
    'no permission to see channels',
    lacking(permissions.viewChannel),
    'discord.permissions',
    'wrong',
    /lacks: View Channels/,
  ],
  [
    'no permission to post',
    lacking(permissions.sendMessages),
    'discord.permissions',
    'wrong',
    /lacks: Send Messages\./,
  ],
  [
    'no permission to post in threads',
    lacking(permissions.sendMessagesInThreads),
    'discord.permissions',
    'wrong',
    /lacks: Send Messages in Threads/,
  ],
  [
    'no permission to read the history',
    lacking(permissions.readMessageHistory),
    'discord.permissions',
    'wrong',
    /lacks: Read Message History/,
  ],
  [
    'no permission to attach files',
    lacking(permissions.attachFiles),
    'discord.permissions',
    'wrong',
    /lacks: Attach Files/,
  ],
  [
    'a channel that does not take files',
    (stage) => {
      const { rest } = stage.discord.server;
      rest.channels = [...rest.channels, channel(permissions.attachFiles)];
    },
    'discord.permissions',
    'warning',
    /#quiet \(Attach Files\)/,
  ],
  [
    'only private channels',
    (stage) => {
      stage.discord.server.rest.channels = [channel(permissions.viewChannel)];
    },
    'discord.permissions',
    'wrong',
    /sees no channel of Studio/,
  ],
];

const fault = (method: string, error: string) => (stage: Stage) =>
  stage.slack.server.faults.inject(method, { kind: 'error', error }, 9);
const without =
  (...scopes: string[]) =>
  (stage: Stage) => {
    for (const scope of scopes) stage.slack.server.web.withoutScopes.add(scope);
  };

const ofSlack: readonly Case[] = [
  [
    'a bot token that Slack does not accept',
    set({ SLACK_BOT_TOKEN: 'xoxb-1-2-wrong' }),
    'slack.token',
    'wrong',
    /SLACK_BOT_TOKEN is not accepted/,
  ],
  [
    'a bot token that was revoked',
    fault('auth.test', 'token_revoked'),
    'slack.token',
    'wrong',
    /no longer valid \(token_revoked\)/,
  ],
  [
    'an app that was removed from the workspace',
    fault('auth.test', 'account_inactive'),
    'slack.token',
    'wrong',
    /no longer valid \(account_inactive\)/,
  ],
  [
    'a user token as bot token',
    set({ SLACK_BOT_TOKEN: 'xoxp-1-2-3-abcdef' }),
    'settings',
    'wrong',
    /^SLACK_BOT_TOKEN must be the bot token/,
  ],
  [
    'a token of a person that looks like one of a bot',
    (stage) => {
      stage.slack.server.web.isPerson = true;
    },
    'slack.token',
    'wrong',
    /is the token of the person/,
  ],
  [
    'a scope that a command needs',
    without('files:write'),
    'slack.scopes',
    'wrong',
    /lacks the scopes files:write/,
  ],
  [
    'a scope that matters after a crash',
    without('groups:history'),
    'slack.scopes',
    'warning',
    /may post a message twice/,
  ],
  [
    'an app token of another app',
    set({ SLACK_APP_TOKEN: 'xapp-1-A0OTHER-3-secretsecret' }),
    'slack.app-token',
    'wrong',
    /belongs to the app A0OTHER, but .* A0EDGEGAP/,
  ],
  [
    'an app token that Slack does not accept',
    set({ SLACK_APP_TOKEN: 'xapp-1-A0EDGEGAP-4-otherother' }),
    'slack.app-token',
    'wrong',
    /SLACK_APP_TOKEN is not accepted/,
  ],
  [
    'an app token without connections:write',
    fault('apps.connections.open', 'missing_scope'),
    'slack.app-token',
    'wrong',
    /SLACK_APP_TOKEN lacks a scope/,
  ],
  [
    'an operator of another workspace',
    set({ SLACK_OPERATORS: 'U0NOBODY1' }),
    'slack.people',
    'wrong',
    /SLACK_OPERATORS names U0NOBODY1/,
  ],
  [
    'a group that does not exist',
    set({ SLACK_READERS: 'S0NOBODY1' }),
    'slack.people',
    'wrong',
    /SLACK_READERS names S0NOBODY1/,
  ],
  [
    'a group that is disabled',
    (stage) => stage.slack.server.web.disabledGroups.add(stage.slack.groupIds.operators),
    'slack.people',
    'wrong',
    /names S0OPERATORS/,
  ],
  [
    'people whom Slack does not tell',
    fault('usergroups.list', 'internal_error'),
    'slack.people',
    'warning',
    /did not tell whether/,
  ],
  ['no way to Slack', set({ SLACK_API_URL: NOWHERE }), 'slack.reachable', 'wrong', /cannot reach Slack/],
  [
    'both modes of Slack',
    set({ SLACK_SIGNING_SECRET: SLACK_TOKENS.signingSecret }),
    'settings',
    'wrong',
    /SLACK_SIGNING_SECRET is set beside/,
  ],
];

/** An app whose settings differ from the manifest, and a doctor with a configuration token. */
const app = (change: (manifest: ReturnType<typeof createManifest>) => unknown) => (stage: Stage) => {
  const manifest = createManifest(directory);
  change(manifest);
  stage.slack.server.web.manifest = manifest;
  stage.options = { configurationToken: SLACK_TOKENS.configuration };
};

const ofManifest: readonly Case[] = [
  [
    'an event that the app does not have',
    app(({ settings }) => settings.event_subscriptions.bot_events.shift()),
    'slack.events',
    'wrong',
    /the events app_home_opened are missing/,
  ],
  [
    'a slash command that the app does not have',
    app(({ features }) => features.slash_commands.pop()),
    'slack.events',
    'wrong',
    /the slash command \/edgegap is missing/,
  ],
  [
    'interactivity that is off',
    app(({ settings }) => Object.assign(settings.interactivity, { is_enabled: false })),
    'slack.events',
    'wrong',
    /interactivity is off/,
  ],
  [
    'Socket Mode that is off',
    app(({ settings }) => Object.assign(settings, { socket_mode_enabled: false })),
    'slack.events',
    'wrong',
    /Socket Mode is off/,
  ],
  [
    'a configuration token that Slack does not accept',
    (stage) => {
      stage.options = { configurationToken: 'xoxe.xoxp-1-expired' };
    },
    'slack.events',
    'warning',
    /The configuration token is not accepted/,
  ],
];

const ofSlackHttp: readonly Case[] = [
  [
    'another Request URL in HTTP mode',
    (stage) => {
      app(() => undefined)(stage);
      stage.slack.server.web.manifest = createManifest(directory, 'https://old.example.com');
    },
    'slack.events',
    'wrong',
    /not every Request URL is https:\/\/127\.0\.0\.1:1\/slack\/events/,
  ],
  [
    'no PUBLIC_URL in HTTP mode',
    set({ PUBLIC_URL: undefined }),
    'slack.address',
    'wrong',
    /PUBLIC_URL is not set/,
  ],
  [
    'a PUBLIC_URL without https in HTTP mode',
    set({ PUBLIC_URL: NOWHERE }),
    'slack.address',
    'wrong',
    /only to https/,
  ],
  [
    'a signing secret of another form',
    set({ SLACK_SIGNING_SECRET: 'something' }),
    'slack.signing-secret',
    'warning',
    /does not look like/,
  ],
];

/** A server that answers like a bot with these secrets, or like a reverse proxy in front of such a bot. */
function bot(secrets: readonly string[]): RequestListener {
  const whoAmI = createWhoAmI(secrets);
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://bot');
    response.end(JSON.stringify(pathname === WHOAMI_PATH ? whoAmI(searchParams.get('nonce') ?? '') : {}));
  };
}

const own = ({ environment }: Stage) => [
  String(environment.EDGEGAP_API_TOKEN),
  String(environment.DISCORD_TOKEN),
];
const port = (listener: RequestListener) => async (stage: Stage) =>
  set({ PORT: `${(await serve(listener)).port}` })(stage);
const publicUrl = (listener: RequestListener) => async (stage: Stage) =>
  set({ PUBLIC_URL: (await serve(listener)).url })(stage);

const ofAddress: readonly Case[] = [
  [
    'a port on which another program listens',
    port(website),
    'address.port',
    'wrong',
    /^Another program listens on port/,
  ],
  [
    'a port on which a bot with other settings listens',
    port(bot(['other'])),
    'address.port',
    'wrong',
    /^A bot with other settings listens/,
  ],
  [
    'a HOST that is no address of this machine',
    set({ HOST: '192.0.2.1', PORT: '39471' }),
    'address.port',
    'wrong',
    /^HOST is 192\.0\.2\.1/,
  ],
  [
    'a PUBLIC_URL that leads to another service',
    publicUrl(website),
    'address.public',
    'wrong',
    /leads to another service, which answers HTTP 200/,
  ],
  [
    'a PUBLIC_URL that leads to a bot with other settings',
    publicUrl(bot(['other'])),
    'address.public',
    'wrong',
    /leads to a bot with other settings/,
  ],
  [
    'a PUBLIC_URL that is redirected',
    publicUrl((_, response) => response.writeHead(301, { location: 'https://new.example.com/whoami' }).end()),
    'address.public',
    'wrong',
    /redirected to https:\/\/new\.example\.com/,
  ],
  [
    'a reverse proxy with no bot behind it',
    publicUrl((_, response) => response.writeHead(502).end()),
    'address.public',
    'wrong',
    /the reverse proxy answers HTTP 502/,
  ],
  [
    'a PUBLIC_URL at which nothing listens',
    async (stage) => {
      const { url, server } = await serve(website);
      await new Promise((resolve) => server.close(resolve));
      set({ PUBLIC_URL: url })(stage);
    },
    'address.public',
    'wrong',
    /cannot be reached \(ECONNREFUSED\)/,
  ],
  [
    'a PUBLIC_URL that the internet cannot reach',
    async (stage) => publicUrl(bot(own(stage)))(stage),
    'address.public',
    'warning',
    /leads to this bot, but 127\.0\.0\.1/,
  ],
];

const clock = (ms: number) => (stage: Stage) => {
  stage.options = { clock: { now: () => systemClock.now() + ms } };
};
const folder = (answer: () => Promise<{ freeBytes: number }>) => (stage: Stage) => {
  stage.options = { tryFolder: answer };
};

async function newerDatabase(stage: Stage): Promise<void> {
  const path = join(stage.folder, 'newer.db');
  await (await openStore(dialectFor(path, pino({ level: 'silent' })))).destroy();
  const database = new DatabaseSync(path);
  database.exec("INSERT INTO kysely_migration VALUES ('9999-future', '2030-01-01')");
  database.close();
  set({ DATABASE_URL: path })(stage);
}

const ofMachine: readonly Case[] = [
  [
    'a clock that is ten minutes ahead',
    clock(600_000),
    'clock',
    'wrong',
    /600 seconds ahead of Discord|60[01] seconds ahead|599 seconds ahead/,
  ],
  ['a clock that is a minute behind', clock(-60_000), 'clock', 'warning', /seconds behind/],
  [
    'an old Node.js',
    (stage) => Object.assign(stage.options, { node: '22.1.0' }),
    'versions',
    'wrong',
    /needs Node\.js 24/,
  ],
  [
    'a folder in place of the database',
    (stage) => set({ DATABASE_URL: stage.folder })(stage),
    'store',
    'wrong',
    /DATABASE_URL is a folder/,
  ],
  [
    'a file that is no database',
    (stage) => {
      const path = join(stage.folder, 'notes.txt');
      writeFileSync(path, 'not a database, but a longer text than the header of a database has'.repeat(20));
      set({ DATABASE_URL: path })(stage);
    },
    'store',
    'wrong',
    /notes\.txt/,
  ],
  ['a database of a newer version', newerDatabase, 'store.schema', 'wrong', /does not know 9999-future/],
  [
    'a folder that cannot be written',
    set({ DATABASE_URL: '/proc/nowhere/bot.db' }),
    'store.folder',
    'wrong',
    /cannot be written/,
  ],
  [
    'a full disk',
    folder(() => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))),
    'store.folder',
    'wrong',
    /is full/,
  ],
  [
    'a disk with hardly any room',
    folder(async () => ({ freeBytes: 1024 })),
    'store.disk',
    'wrong',
    /0\.0 MiB free/,
  ],
  [
    'a disk with little room',
    folder(async () => ({ freeBytes: 200 * 1024 * 1024 })),
    'store.disk',
    'warning',
    /200\.0 MiB free/,
  ],
  [
    'a database that another process has open',
    async (stage) => {
      mkdirSync(join(stage.folder, 'data'));
      const store = await openStore(dialectFor(join(stage.folder, 'data/bot.db'), pino({ level: 'silent' })));
      onTestFinished(() => store.destroy());
    },
    'store',
    'warning',
    /is open in another process/,
  ],
  [
    'a PostgreSQL that cannot be reached',
    set({ DATABASE_URL: 'postgres://u:hunter2hunter2@127.0.0.1:1/bot' }),
    'store',
    'wrong',
    /nothing listens there/,
  ],
];

const tables: readonly (readonly [string, Platform, readonly Case[]])[] = [
  ['the settings', 'discord', ofSettings],
  ['Edgegap', 'discord', ofEdgegap],
  ['Discord', 'discord', ofDiscord],
  ['Slack', 'slack', ofSlack],
  ['the Slack app', 'slack', ofManifest],
  ['Slack in HTTP mode', 'slack-http', ofSlackHttp],
  ['the address', 'discord', ofAddress],
  ['the machine', 'discord', ofMachine],
];

describe.each(tables)('%s', (_, platform, cases) => {
  test.each(cases)('the doctor names %s', async (_name, spoil, check, state, says) => {
    const stage = await stageFor(platform);
    await spoil(stage);
    const { findings, code } = await stage.run();
    const found = findings.filter((one) => one.check === check && one.state === state);
    expect(found.map((one) => one.says)).toEqual([expect.stringMatching(says)]);
    expect(found[0]?.mend).toMatch(/\w.*\.?$/);
    const isWrong = findings.some((one) => one.state === 'wrong');
    expect(code).toBe(isWrong ? 2 : 1);
    if (state === 'wrong') expect(code).toBe(2);
  });
});

test.each(['discord', 'slack'] as const)(
  'if the settings for %s are right, every finding is ok and the exit code is 0',
  async (platform) => {
    const stage = await stageFor(platform);
    const { findings, code } = await stage.run();
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(new Set(findings.map(({ check }) => check.split('.')[0]))).toEqual(
      new Set(['settings', 'versions', 'edgegap', platform, 'address', 'store', 'clock']),
    );
    expect(code).toBe(0);
  },
);

test('if a configuration token is given, the doctor confirms that the Slack app matches the manifest', async () => {
  const stage = await stageFor('slack');
  app(() => undefined)(stage);
  const { findings, code } = await stage.run();
  expect(findings.find(({ check }) => check === 'slack.events')?.says).toMatch(
    /has every event, command and setting/,
  );
  expect(code).toBe(0);
});

/** Passes each request to the simulator, and adds these headers to each answer. */
async function withHeaders(simulator: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const { url } = await serve(async (request, response) => {
    const { authorization = '' } = request.headers;
    const answer = await fetch(`${simulator}${request.url}`, { headers: { authorization } });
    response.writeHead(answer.status, { 'content-type': 'application/json', ...headers });
    response.end(await answer.text());
  });
  return url;
}

test('the doctor reports the limits from Edgegap’s headers, and requests the list of deployments only once', async () => {
  const stage = await stageFor('discord');
  const EDGEGAP_API_URL = await withHeaders(stage.simulator.url, { 'X-RateLimit-Remaining': '7' });
  set({ EDGEGAP_API_URL })(stage);
  const { findings } = await stage.run();
  const { says } = findings.find(({ check }) => check === 'edgegap.limits') ?? {};
  expect(says).toMatch(/ Edgegap tells: x-ratelimit-remaining: 7\.$/);
  expect(stage.simulator.requests.filter(({ endpoint }) => endpoint === 'list')).toHaveLength(1);
});

test('if Edgegap sends no headers about limits, the doctor says so', async () => {
  const { findings } = await (await stageFor('discord')).run();
  const { says } = findings.find(({ check }) => check === 'edgegap.limits') ?? {};
  expect(says).toMatch(/ Edgegap’s answers do not tell how much is left\.$/);
});
