import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Config, readConfig } from '../src/config.ts';
import { ConfigError } from '../src/errors.ts';

const DISCORD = {
  EDGEGAP_API_TOKEN: '5e1f0c3a-0000-4000-8000-51a0d0e0f00d',
  DISCORD_TOKEN: 'discord-token',
  DISCORD_GUILDS: '200000000000000001',
};
const SLACK = {
  EDGEGAP_API_TOKEN: DISCORD.EDGEGAP_API_TOKEN,
  SLACK_BOT_TOKEN: 'xoxb-1-abc',
  SLACK_APP_TOKEN: 'xapp-1-abc',
};

test('without any setting, the defaults apply and no chat platform is configured', () => {
  expect(readConfig({})).toEqual({
    edgegap: { token: undefined, apiUrl: 'https://api.edgegap.com', share: 80 },
    discord: undefined,
    slack: undefined,
    publicUrl: undefined,
    port: 3000,
    host: undefined,
    database: 'data/edgegap-chatops.db',
    dashboard: 'https://app.edgegap.com/deployment-management/deployments/list',
    defaultNear: undefined,
    applicationAllowlist: undefined,
    fleets: [],
    flightRecorder: true,
    readOnly: false,
    perPerson: { requests: 20, waiting: 60 },
    deployLimits: { running: 0, runningPerPerson: 0, perHour: 60, confirmFrom: 10 },
    keepMs: 30 * 24 * 60 * 60_000,
    lifetime: { byDefault: undefined, most: undefined },
    maxTagLength: 20,
    logLevel: 'info',
    secrets: [],
  });
});

test.each<[string, Record<string, string>, (config: Config) => unknown, unknown]>([
  ['a setting of blanks counts as unset', { PORT: '  ', LOG_LEVEL: '' }, ({ port }) => port, 3000],
  ['blanks around a setting do not count', { PORT: ' 80 ' }, ({ port }) => port, 80],
  ['CONFIRM_DEPLOY=never', { CONFIRM_DEPLOY: 'Never' }, (c) => c.deployLimits.confirmFrom, Infinity],
  ['CONFIRM_DEPLOY=always', { CONFIRM_DEPLOY: 'always' }, (c) => c.deployLimits.confirmFrom, 0],
  ['DEFAULT_LIFETIME', { DEFAULT_LIFETIME: '1h30m' }, (c) => c.lifetime.byDefault, 90 * 60_000],
  ['MAX_LIFETIME', { MAX_LIFETIME: '2 days' }, (c) => c.lifetime.most, 48 * 60 * 60_000],
  ['CONFIRM_DEPLOY as a number', { CONFIRM_DEPLOY: '25' }, (c) => c.deployLimits.confirmFrom, 25],
  ['MAX_RUNNING', { MAX_RUNNING: '50' }, (c) => c.deployLimits.running, 50],
  ['HOST as an IP address', { HOST: '::1' }, ({ host }) => host, '::1'],
  ['HOST as a name', { HOST: 'localhost' }, ({ host }) => host, 'localhost'],
  [
    'EDGEGAP_API_TOKEN with the word "token"',
    { EDGEGAP_API_TOKEN: 'token abcdef' },
    ({ secrets }) => secrets,
    ['abcdef'],
  ],
  ['token of the own deployment', { ARBITRIUM_DELETE_TOKEN: 'abc' }, ({ secrets }) => secrets, ['abc']],
  [
    'EDGEGAP_API_URL',
    { EDGEGAP_API_URL: 'http://127.0.0.1:1/x//' },
    (c) => c.edgegap.apiUrl,
    'http://127.0.0.1:1/x',
  ],
  ...['100', '100%', '100 %'].map(
    (EDGEGAP_SHARE): [string, Record<string, string>, (config: Config) => unknown, unknown] => [
      `EDGEGAP_SHARE=${EDGEGAP_SHARE}`,
      { EDGEGAP_SHARE },
      (c) => c.edgegap.share,
      100,
    ],
  ),
  ['DISCORD_TOKEN', DISCORD, (c) => c.discord?.token, 'discord-token'],
  [
    'DISCORD_TOKEN with the word "Bot"',
    { ...DISCORD, DISCORD_TOKEN: 'Bot abc.def' },
    (c) => c.discord?.token,
    'abc.def',
  ],
  [
    'DISCORD_GUILDS',
    { ...DISCORD, DISCORD_GUILDS: '200000000000000001, 200000000000000002,' },
    (c) => c.discord?.guilds,
    ['200000000000000001', '200000000000000002'],
  ],
  [
    'Discord roles that are unset',
    DISCORD,
    (c) => c.discord?.access,
    { operators: undefined, readers: undefined, readersByDefault: 'operators' },
  ],
  [
    'DISCORD_OPERATOR_ROLES',
    { ...DISCORD, DISCORD_OPERATOR_ROLES: '300000000000000001' },
    (c) => c.discord?.access.operators,
    ['300000000000000001'],
  ],
  [
    'DISCORD_READER_ROLES',
    { ...DISCORD, DISCORD_READER_ROLES: '300000000000000002' },
    (c) => c.discord?.access.readers,
    ['300000000000000002'],
  ],
  [
    'DISCORD_READER_ROLES as the word "everyone"',
    { ...DISCORD, DISCORD_READER_ROLES: 'Everyone' },
    (c) => c.discord?.access.readers,
    'everyone',
  ],
  [
    'DISCORD_API_URL',
    { ...DISCORD, DISCORD_API_URL: 'http://127.0.0.1:1/api/' },
    (c) => c.discord?.apiUrl,
    'http://127.0.0.1:1/api',
  ],
  ["Slack's Socket Mode", SLACK, (c) => c.slack?.mode, { kind: 'socket', appToken: 'xapp-1-abc' }],
  [
    "Slack's HTTP mode",
    { ...SLACK, SLACK_APP_TOKEN: '', SLACK_SIGNING_SECRET: '0123456789abcdef' },
    (c) => c.slack?.mode,
    { kind: 'http', signingSecret: '0123456789abcdef' },
  ],
  [
    'Slack groups that are unset',
    SLACK,
    (c) => c.slack?.access,
    { operators: undefined, readers: undefined, readersByDefault: 'members' },
  ],
  [
    'SLACK_OPERATORS',
    { ...SLACK, SLACK_OPERATORS: 'U12345, S12345' },
    (c) => c.slack?.access.operators,
    ['U12345', 'S12345'].map((id) => id),
  ],
  ['SLACK_READERS', { ...SLACK, SLACK_READERS: 'everyone' }, (c) => c.slack?.access.readers, 'everyone'],
  [
    'SLACK_API_URL',
    { ...SLACK, SLACK_API_URL: 'http://127.0.0.1:1/api/' },
    (c) => c.slack?.apiUrl,
    'http://127.0.0.1:1/api',
  ],
  ['PUBLIC_URL', { PUBLIC_URL: 'https://bot.example/chat/' }, (c) => c.publicUrl, 'https://bot.example/chat'],
  ['PORT=0', { PORT: '0' }, (c) => c.port, 0],
  ['DATABASE_URL as a path', { DATABASE_URL: '/var/lib/bot.db' }, (c) => c.database, '/var/lib/bot.db'],
  [
    'DATABASE_URL as a relative path after "file:"',
    { DATABASE_URL: 'file:data/bot.db' },
    (c) => c.database,
    'data/bot.db',
  ],
  [
    'DATABASE_URL as a file: URL',
    { DATABASE_URL: 'file:///var/my%20bot.db' },
    (c) => c.database,
    '/var/my bot.db',
  ],
  [
    'DATABASE_URL with "File:" in capitals',
    { DATABASE_URL: 'File:/tmp/x.db' },
    (c) => c.database,
    '/tmp/x.db',
  ],
  [
    'DATABASE_URL as a path that contains a colon',
    { DATABASE_URL: 'data/a:b.db' },
    (c) => c.database,
    'data/a:b.db',
  ],
  ['DATABASE_URL for a database in memory', { DATABASE_URL: ':memory:' }, (c) => c.database, ':memory:'],
  ['DEFAULT_NEAR', { DEFAULT_NEAR: 'São Paulo' }, (c) => c.defaultNear, 'São Paulo'],
  [
    'APP_ALLOWLIST',
    { APP_ALLOWLIST: 'kart-racing, lobby chat' },
    (c) => c.applicationAllowlist,
    ['kart-racing', 'lobby chat'],
  ],
  ['READ_ONLY', { READ_ONLY: '1' }, (c) => c.readOnly, true],
  ['READ_ONLY=false', { READ_ONLY: 'false' }, (c) => c.readOnly, false],
  ['KEEP_DAYS', { KEEP_DAYS: '1' }, (c) => c.keepMs, 24 * 60 * 60_000],
  ['MAX_TAG_LENGTH', { MAX_TAG_LENGTH: '40' }, (c) => c.maxTagLength, 40],
  ['LOG_LEVEL', { LOG_LEVEL: 'DEBUG' }, (c) => c.logLevel, 'debug'],
  [
    'the password of a database, plain and as in the URL',
    { DATABASE_URL: 'postgres://bot:p%40ssword@db/bot' },
    (c) => c.secrets,
    ['p%40ssword', 'p@ssword'],
  ],
  [
    'a password in the query of a URL',
    { DATABASE_URL: 'postgres:///bot?host=/run/pg&user=bot&password=p%40ss' },
    (c) => c.secrets,
    ['p%40ss', 'p@ss'],
  ],
  ...[
    ['postgres:///bot?host=/var/run/postgresql', 'postgres:///bot?host=/var/run/postgresql'],
    ['postgres://?host=/var/run/postgresql', 'postgres://?host=/var/run/postgresql'],
    ['postgres://u:p@/bot?host=/cloudsql/a:b:c', 'postgres://u:p@localhost/bot?host=/cloudsql/a:b:c'],
    ['postgresql://u@?host=/run', 'postgresql://u@localhost?host=/run'],
    ['postgres://u:p@:5433/bot?host=/run', 'postgres://u:p@localhost:5433/bot?host=/run'],
    ['postgres://u:p@%2Fvar%2Frun/bot', 'postgres://u:p@%2Fvar%2Frun/bot'],
  ].map(
    ([DATABASE_URL = '', url]) =>
      ['DATABASE_URL with a socket', { DATABASE_URL }, (c: Config) => c.database, url] as [
        string,
        Record<string, string>,
        (config: Config) => unknown,
        unknown,
      ],
  ),
  [
    'an "@" in the query of DATABASE_URL',
    { DATABASE_URL: 'postgres://u:p@ss@h/x?application_name=a@b' },
    (c) => c.database,
    'postgres://u:p@ss@h/x?application_name=a@b',
  ],
  [
    'the list of every secret',
    { ...DISCORD, ...SLACK },
    (c) => c.secrets,
    [DISCORD.EDGEGAP_API_TOKEN, 'discord-token', 'xoxb-1-abc', 'xapp-1-abc'],
  ],
])('a correct setting is read as expected: %s', (_title, environment, read, expected) => {
  expect(read(readConfig(environment))).toEqual(expected);
});

test.each<[Record<string, string>, RegExp]>([
  [{ EDGEGAP_API_TOKEN: 'two words' }, /^EDGEGAP_API_TOKEN must be the API token alone/],
  [{ EDGEGAP_API_URL: 'api.edgegap.com' }, /^EDGEGAP_API_URL must be a URL that starts with http/],
  [{ EDGEGAP_API_TOKEN: 'token' }, /^EDGEGAP_API_TOKEN must be the API token alone/],
  [{ EDGEGAP_API_TOKEN: 'abcé' }, /^EDGEGAP_API_TOKEN must be the API token alone/],
  [{ EDGEGAP_API_URL: 'https://api.edgegap.com/v1/' }, /^EDGEGAP_API_URL must be .* without \/v1 or \/v2/],
  [{ ...DISCORD, DISCORD_TOKEN: 'abcé' }, /^DISCORD_TOKEN must be the bot token alone/],
  ...['xoxb-', 'xoxb-1 2', 'xoxb-é'].map((SLACK_BOT_TOKEN): [Record<string, string>, RegExp] => [
    { ...SLACK, SLACK_BOT_TOKEN },
    /^SLACK_BOT_TOKEN must be the bot token/,
  ]),
  [{ ...SLACK, SLACK_APP_TOKEN: 'xapp-é' }, /^SLACK_APP_TOKEN must be the app-level token/],
  [{ ...DISCORD, EDGEGAP_API_TOKEN: '' }, /^EDGEGAP_API_TOKEN is missing: create one/],
  [{ ...SLACK, EDGEGAP_API_TOKEN: '' }, /^EDGEGAP_API_TOKEN is missing/],
  [{ ...DISCORD, DISCORD_TOKEN: 'to ken' }, /^DISCORD_TOKEN must be the bot token alone/],
  [{ ...DISCORD, DISCORD_TOKEN: '' }, /^DISCORD_TOKEN is missing while DISCORD_GUILDS is set/],
  [{ ...DISCORD, DISCORD_GUILDS: '' }, /^DISCORD_GUILDS is missing: list the ids/],
  [
    { ...DISCORD, DISCORD_GUILDS: 'my server' },
    /^DISCORD_GUILDS holds "my server", which is not a Discord id/,
  ],
  [{ ...DISCORD, DISCORD_OPERATOR_ROLES: '@ops' }, /^DISCORD_OPERATOR_ROLES holds "@ops"/],
  [
    { ...DISCORD, DISCORD_READER_ROLES: 'all' },
    /^DISCORD_READER_ROLES holds "all", which is not a Discord id.*"everyone"/,
  ],
  ...['0', '101', '80.5', '0.8', '%', '80 %%', 'half'].map(
    (EDGEGAP_SHARE): [Record<string, string>, RegExp] => [
      { EDGEGAP_SHARE },
      /^EDGEGAP_SHARE must be a percentage from 1 to 100, for example 80$/,
    ],
  ),
  [{ ...DISCORD, DISCORD_API_URL: 'x' }, /^DISCORD_API_URL must be a URL/],
  [
    { ...SLACK, SLACK_BOT_TOKEN: 'xoxp-1' },
    /^SLACK_BOT_TOKEN must be the bot token, which starts with xoxb-/,
  ],
  [{ ...SLACK, SLACK_BOT_TOKEN: '' }, /^SLACK_BOT_TOKEN is missing: copy it from/],
  [{ ...SLACK, SLACK_APP_TOKEN: 'abc' }, /^SLACK_APP_TOKEN must be the app-level token/],
  [
    { ...SLACK, SLACK_APP_TOKEN: '' },
    /^SLACK_APP_TOKEN is missing: set it for Socket Mode, or SLACK_SIGNING_SECRET/,
  ],
  [{ ...SLACK, SLACK_APP_TOKEN: '', SLACK_SIGNING_SECRET: 'x' }, /^SLACK_SIGNING_SECRET is too short/],
  [{ ...SLACK, SLACK_SIGNING_SECRET: '0123456789' }, /^SLACK_SIGNING_SECRET is set beside SLACK_APP_TOKEN/],
  [{ ...SLACK, SLACK_OPERATORS: '@ada' }, /^SLACK_OPERATORS holds "@ada", which is not a Slack user id/],
  [{ ...SLACK, SLACK_READERS: '#all' }, /^SLACK_READERS holds "#all".*"everyone"/],
  [{ ...SLACK, SLACK_API_URL: 'slack' }, /^SLACK_API_URL must be a URL/],
  [{ PUBLIC_URL: 'bot.example' }, /^PUBLIC_URL must be a URL/],
  [{ PUBLIC_URL: 'https://bot.example/?x=1' }, /^PUBLIC_URL must be the plain address/],
  [{ PUBLIC_URL: 'https://user:pw@bot.example' }, /^PUBLIC_URL must be the plain address/],
  [
    { DEFAULT_LIFETIME: 'yesterday' },
    /^DEFAULT_LIFETIME must be a length of time from 1m to 365d, for example/,
  ],
  [{ MAX_LIFETIME: '400d' }, /^MAX_LIFETIME must be a length of time from 1m to 365d, for example/],
  [{ DEFAULT_LIFETIME: '3h', MAX_LIFETIME: '2h' }, /^DEFAULT_LIFETIME is longer than MAX_LIFETIME$/],
  [{ CONFIRM_DEPLOY: '0' }, /^CONFIRM_DEPLOY must be never, always, or a whole number from 1 to 99999$/],
  [{ MAX_DEPLOYS_PER_HOUR: 'many' }, /^MAX_DEPLOYS_PER_HOUR must be a whole number from 0 to 100000$/],
  [{ PORT: 'http' }, /^PORT must be a whole number from 0 to 65535$/],
  [{ PORT: '65536' }, /^PORT must be a whole number/],
  [{ PORT: '0x50' }, /^PORT must be a whole number/],
  [{ HOST: 'my-machine' }, /^HOST must be an IP address of this machine, or localhost$/],
  [{ HOST: '[::1]' }, /^HOST must be an IP address/],
  [{ DATABASE_URL: 'postgres://' }, /^DATABASE_URL must be a whole URL, such as postgres:/],
  ...['postgres:///bot', 'postgres://u:my-secret@/bot', 'postgres://u:my-secret@/bot?host='].map(
    (DATABASE_URL): [Record<string, string>, RegExp] => [
      { DATABASE_URL },
      /^DATABASE_URL must be a whole URL, .*\?host=[^-]*$/,
    ],
  ),
  [{ DATABASE_URL: 'mysql://db/x' }, /^DATABASE_URL must be a file path, a file: URL or a postgres: URL/],
  [{ DATABASE_URL: 'sqlite:foo.db' }, /^DATABASE_URL must be a file path, .* not a sqlite: URL$/],
  [{ DATABASE_URL: 'file:' }, /^DATABASE_URL names no file/],
  [{ DATABASE_URL: 'file:///' }, /^DATABASE_URL names no file/],
  [{ DATABASE_URL: '/var/lib/' }, /^DATABASE_URL names no file/],
  [{ DATABASE_URL: 'file://host/x' }, /^DATABASE_URL names a host, .*file:\/\/\//],
  [{ DATABASE_URL: 'file:///tmp/a%zz' }, /^DATABASE_URL has a "%" that begins no character.*%25/],
  [{ DATABASE_URL: 'postgres://a%zz:my-secret@db/x' }, /^DATABASE_URL has a "%" [^@]*%25$/],
  ...[
    'host=db dbname=bot password=my-secret',
    'Server=db;Uid=bot;Pwd=my-secret',
    'dbname = bot password = my-secret',
  ].map((DATABASE_URL): [Record<string, string>, RegExp] => [
    { DATABASE_URL },
    /^DATABASE_URL must be .* such as postgres:.*, not a list of key=value$/,
  ]),
  [
    { DATABASE_URL: '"postgres://u:my-secret@db/x' },
    /^DATABASE_URL must be a file path or a URL, and [^@]*$/,
  ],
  [{ DATABASE_URL: 'file:postgres://u:my-secret@db/x' }, /^DATABASE_URL must be a file path or a URL, and/],
  [{ DATABASE_URL: 'postgres://u:my/secret@db/x' }, /^DATABASE_URL must be a whole URL.*%40.*%2F/],
  ...['12/my-secret', '12?my-secret', '12#my-secret', 'my@sec/ret'].map(
    (password): [Record<string, string>, RegExp] => [
      { DATABASE_URL: `postgres://u:${password}@db/x` },
      /^DATABASE_URL has an "@" behind its host: in a password write @ as %40, \/ as %2F, [^@]*$/,
    ],
  ),
  [{ DEFAULT_NEAR: 'x'.repeat(101) }, /^DEFAULT_NEAR must be the name of a city/],
  [{ APP_ALLOWLIST: ' , ' }, /^APP_ALLOWLIST is an empty list/],
  [
    { APP_ALLOWLIST: 'x'.repeat(65) },
    /^APP_ALLOWLIST holds an item of 65 characters, which is not an application name/,
  ],
  [{ READ_ONLY: 'maybe' }, /^READ_ONLY must be 1 or 0/],
  [{ MAX_TAG_LENGTH: '19' }, /^MAX_TAG_LENGTH must be a whole number from 20 to 40/],
  [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be one of fatal, error/],
])('for the settings %j, the error names the wrong setting and the reason', (environment, words) => {
  expect(problemsOf(environment)).toEqual([expect.stringMatching(words)]);
});

test('the error names each wrong setting on a separate line', () => {
  expect(problemsOf({ PORT: 'x', READ_ONLY: 'x', LOG_LEVEL: 'x' })).toHaveLength(3);
});

test('a setting in quotation marks is refused, and the error also names further faults of this setting', () => {
  const quoted = { ...DISCORD, DATABASE_URL: '"postgres://u:my-secret@db/x"', DEFAULT_NEAR: "'New York'" };
  const refused = expect.stringMatching(/^(DATABASE_URL|DEFAULT_NEAR) is in quotation marks: leave them out/);
  expect(problemsOf(quoted)).toEqual([refused, refused]);
  expect(problemsOf({ PORT: '"x"' })).toEqual([
    expect.stringMatching(/^PORT is in quotation marks/),
    expect.stringMatching(/^PORT must be/),
  ]);
  expect(problemsOf({ HOME: '"x"', DEFAULT_NEAR: '"' })).toEqual([]);
});

test('an error message about wrong settings never repeats a secret', () => {
  const secrets = {
    EDGEGAP_API_TOKEN: 'my secret',
    DISCORD_TOKEN: 'my secret',
    SLACK_BOT_TOKEN: 'my secret',
    SLACK_APP_TOKEN: 'my secret',
    SLACK_SIGNING_SECRET: 'secret',
  };
  expect(problemsOf(secrets).join('\n')).not.toMatch(/my secret/);
});

test.each([
  'MTIzNDU2Nzg5MDEyMzQ1Njc4.Gabcde.abcdefghijklmnopqrstuvwxyz0123456789ab',
  '8f742231b10e8888abcd99yyyzzz85a5',
  '5e1f0c3a-0000-4000-8000-51a0d0e0f00d',
  'xoxb-1000000001-2000000002-abcdef',
])('an error message does not repeat a token found in a list of ids: %s', (token) => {
  for (const name of ['DISCORD_GUILDS', 'DISCORD_READER_ROLES', 'SLACK_OPERATORS']) {
    const [problem] = problemsOf({ ...DISCORD, [name]: `1,${token}` }).slice(1);
    expect(problem).toMatch(new RegExp(`^${name} holds .*, which is not a `));
    expect(problem).not.toContain(token);
  }
});

describe('a name that resembles the name of a setting', () => {
  test.each([
    ['READONLY', 'READ_ONLY'],
    ['read_only', 'READ_ONLY'],
    ['READ__ONLY', 'READ_ONLY'],
    ['RAED_ONLY', 'READ_ONLY'],
    ['APP_ALLOW_LIST', 'APP_ALLOWLIST'],
    ['APPS_ALLOWLIST', 'APP_ALLOWLIST'],
    ['APP_ALLOWLISTS', 'APP_ALLOWLIST'],
    ['READ_ONLY_MODE', 'READ_ONLY'],
    ['BOT_READ_ONLY', 'READ_ONLY'],
    ['ALLOWLIST', 'APP_ALLOWLIST'],
    ['APP_WHITELIST', 'APP_ALLOWLIST'],
    ['APPLICATION_ALLOWLIST', 'APP_ALLOWLIST'],
    ['ALLOWED_APPS', 'APP_ALLOWLIST'],
    ['SLACK_OPERATOR', 'SLACK_OPERATORS'],
    ['SLACK_READER', 'SLACK_READERS'],
    ['DISCORD_OPERATOR_ROLE', 'DISCORD_OPERATOR_ROLES'],
    ['DISCORD_OPERATORS_ROLES', 'DISCORD_OPERATOR_ROLES'],
    ['DISCORD_OPERATORS', 'DISCORD_OPERATOR_ROLES'],
    ['SLACK_OPERATOR_ROLES', 'SLACK_OPERATORS'],
    ['DISCORD_READERS', 'DISCORD_READER_ROLES'],
    ['EDGEGAP_TOKEN', 'EDGEGAP_API_TOKEN'],
    ['EDGEGAP_API_TOKENS', 'EDGEGAP_API_TOKEN'],
    ['DISCORD_BOT_TOKEN', 'DISCORD_TOKEN'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['Port', 'PORT'],
    ['SLACK_SIGNING_SECRET_FIEL', 'SLACK_SIGNING_SECRET_FILE'],
  ])(
    'an environment variable %s is refused as a misspelt setting, and the error suggests %s',
    (name, meant) => {
      expect(problemsOf({ [name]: 'x' })).toEqual([
        `${name} is no setting of mine: did you mean ${meant}? If ${name} belongs to another program, unset ${name} for me`,
      ]);
    },
  );

  test('the error names a misspelt setting together with other problems, but ignores a misspelt setting without a value', () => {
    expect(problemsOf({ READONLY: '1', PORT: 'x', SLACK_OPERATOR: ' ' })).toEqual([
      expect.stringMatching(/^READONLY is no setting of mine/),
      expect.stringMatching(/^PORT must be/),
    ]);
  });

  test('for a misspelt setting, the error names every setting that was possibly meant', () => {
    expect(problemsOf({ SLACK_TOKEN: 'x' })).toEqual([
      expect.stringMatching(/did you mean SLACK_BOT_TOKEN or SLACK_APP_TOKEN\?/),
    ]);
  });

  test.each(
    `PATH HOME HOSTNAME HOSTTYPE PWD OLDPWD SHLVL USER LOGNAME LANG LANGUAGE TERM TZ SHELL EDITOR PAGER MAIL DISPLAY _
    POSIX POSIXLY_CORRECT POST PORTS SPORT SORT APP_PORT DB_PORT WEB_PORT PORT_FILE_X PROFILE AWS_PROFILE LOG_FILE LOG_FORMAT
    NODE_ENV NODE_OPTIONS NODE_VERSION npm_config_loglevel npm_config_port npm_package_version YARN_VERSION INIT_CWD
    PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGSSLMODE PG_VERSION POSTGRES_PASSWORD POSTGRES_USER DATABASE_HOST
    DATABASE_NAME DATABASE_PUBLIC_URL TEST_DATABASE_URL DATABASE_POOL_URL REDIS_URL PUBLIC_DOMAIN PUBLIC_IP PUBLIC_KEY
    HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy SSL_CERT_FILE NODE_EXTRA_CA_CERTS
    KUBERNETES_PORT KUBERNETES_SERVICE_HOST KUBERNETES_PORT_443_TCP_PORT INVOCATION_ID JOURNAL_STREAM SYSTEMD_EXEC_PID
    RAILWAY_PUBLIC_DOMAIN RENDER_EXTERNAL_URL FLY_APP_NAME DYNO WEBSITE_HOSTNAME GITHUB_TOKEN CI DEBUG LOG_LEVEL_ROOT
    SLACK_WEBHOOK_URL SLACK_CLIENT_ID DISCORD_WEBHOOK_URL DISCORD_CLIENT_ID EDGEGAP_REGION ARBITRIUM_PUBLIC_IP KEEPALIVE
    APP_NAME APP_ENV APP_URL APP_DEBUG READLINE_HISTORY CORS_WHITELIST READ_ONLY_REPLICA_URL DEFAULT_USER DEFAULT_REGION MAX_LENGTH XDG_RUNTIME_DIR`
      .trim()
      .split(/\s+/),
  )('an environment variable of another program is ignored: %s', (name) => {
    expect(problemsOf({ [name]: 'x' })).toEqual([]);
  });

  test("a shortened form of a setting's name is ignored if the setting itself is set", () => {
    expect(problemsOf({ ...DISCORD, ...SLACK, SLACK_TOKEN: 'x', EDGEGAP_TOKEN: 'x' })).toEqual([]);
  });
});

describe('proxy settings', () => {
  test.each<[Record<string, string>, object | undefined]>([
    [{}, undefined],
    [{ NO_PROXY: 'a.example', HTTP_PROXY: ' ' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy:3128' }, { http: '', https: 'http://proxy:3128', except: '' }],
    [
      { http_proxy: 'proxy:3128', HTTP_PROXY: 'http://other', no_proxy: 'a', NO_PROXY: 'b' },
      { http: 'http://proxy:3128', https: '', except: 'a' },
    ],
  ])('the proxy settings %j are read as expected', (environment, proxy) => {
    const config = readConfig({ ...DISCORD, ...SLACK, ...environment });
    for (const { proxy: used } of [config.edgegap, config.discord ?? {}, config.slack ?? {}])
      expect(used).toEqual(proxy);
  });

  test('the password of a proxy is masked', () => {
    expect(readConfig({ HTTPS_PROXY: 'http://ada:p%40ss@proxy' }).secrets).toEqual(['p%40ss', 'p@ss']);
  });

  test('if the address of a proxy cannot be decoded, the error names the proxy without its password', () => {
    expect(problemsOf({ HTTPS_PROXY: 'http://ada:my%zzsecret@proxy' })).toEqual([
      'HTTPS_PROXY has a "%" that begins no character: a "%" itself, in a password say, is written %25',
    ]);
  });

  test.each(['socks5://ada:my-secret@proxy', 'http://ada:my-secret@pro xy'])(
    'if the address of a proxy is wrong, the error names the address without its password: %s',
    (address) => {
      const problems = problemsOf({ https_proxy: address, PORT: 'x' });
      expect(problems).toEqual([
        expect.stringMatching(/^https_proxy must be the address of an HTTP proxy/),
        expect.stringMatching(/^PORT must/),
      ]);
      expect(problems.join()).not.toContain('my-secret');
    },
  );
});

describe('a secret in a file', () => {
  function file(content: string | Uint8Array, name = 'secret'): string {
    const folder = mkdtempSync(join(tmpdir(), 'chatops-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  }

  test('a secret is read from a file without the line break at the end, and is masked in the log', () => {
    const config = readConfig({
      EDGEGAP_API_TOKEN_FILE: file('token abcdef\n'),
      DISCORD_TOKEN_FILE: file('discord-token\r\n'),
      DISCORD_GUILDS: DISCORD.DISCORD_GUILDS,
      SLACK_BOT_TOKEN_FILE: file('xoxb-1-abc'),
      SLACK_SIGNING_SECRET_FILE: file('0123456789abcdef\n'),
      DATABASE_URL_FILE: file('\ufeffpostgres://u:hunter2@db/bot\n'),
    });
    expect(config.discord?.token).toBe('discord-token');
    expect(config.slack?.mode).toEqual({ kind: 'http', signingSecret: '0123456789abcdef' });
    expect(config.database).toBe('postgres://u:hunter2@db/bot');
    expect(config.secrets).toEqual(['abcdef', 'discord-token', 'xoxb-1-abc', '0123456789abcdef', 'hunter2']);
    const { mode } = readConfig({ ...SLACK, SLACK_APP_TOKEN: '', SLACK_APP_TOKEN_FILE: file('xapp-1') })
      .slack as { mode: unknown };
    expect(mode).toEqual({ kind: 'socket', appToken: 'xapp-1' });
  });

  test.each<[string, () => string, RegExp]>([
    ['that is not there', () => '/nowhere/my-secret', /names a file that does not exist/],
    [
      'whose path is the secret itself',
      () => `my-secret${'x'.repeat(5_000)}`,
      /names a file that does not exist/,
    ],
    ['that is a folder', () => join(file('x'), '..'), /names a folder/],
    ['that is a device', () => '/dev/zero', /must name a plain file/],
    ['that is empty', () => file(''), /names an empty file/],
    ['that holds a line break alone', () => file('\n'), /names an empty file/],
    [
      'that is too large',
      () => file('my-secret'.repeat(10_000)),
      /names a file too large for a secret \(over 16 KiB\)/,
    ],
    [
      'that is not text',
      () => file(new Uint8Array([0xff, 0xfe, 0x41, 0x00])),
      /names a file that holds no text/,
    ],
    [
      'of several lines',
      () => file('my-secret\nmy-secret\n'),
      /must name a file with the secret alone in it/,
    ],
    ['in quotation marks', () => file('"my-secret"\n'), /must name a file with the secret alone in it/],
    [
      'with the name of the setting in front',
      () => file('EDGEGAP_API_TOKEN=my-secret\n'),
      /must name a file with the secret alone in it/,
    ],
  ])('a secret file %s is refused, and the secret is not reported as missing', (_, path, words) => {
    const problems = problemsOf({
      ...DISCORD,
      EDGEGAP_API_TOKEN: '',
      EDGEGAP_API_TOKEN_FILE: path(),
      PORT: 'x',
    });
    expect(problems).toEqual([
      expect.stringMatching(new RegExp(`^EDGEGAP_API_TOKEN_FILE ${words.source}`)),
      expect.stringMatching(/^PORT must be/),
    ]);
    expect(problems.join()).not.toContain('my-secret');
  });

  test.runIf(process.getuid?.() !== 0)(
    'if the bot may not read the file of a secret, the error names the file',
    () => {
      const path = file('x');
      chmodSync(path, 0);
      expect(problemsOf({ DISCORD_TOKEN_FILE: path, DISCORD_GUILDS: DISCORD.DISCORD_GUILDS })).toContainEqual(
        expect.stringMatching(/^DISCORD_TOKEN_FILE names a file that I may not read: let the user/),
      );
    },
  );

  test.each(['DISCORD_TOKEN', 'SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN', 'SLACK_SIGNING_SECRET'])(
    'if the file of a secret cannot be read, the secret is not reported as missing: %s',
    (name) => {
      const platform = name.startsWith('SLACK') ? SLACK : DISCORD;
      const rest: Record<string, string> = name === 'SLACK_SIGNING_SECRET' ? { SLACK_APP_TOKEN: '' } : {};
      expect(problemsOf({ ...platform, ...rest, [name]: '', [`${name}_FILE`]: '/nowhere' })).toEqual([
        expect.stringMatching(new RegExp(`^${name}_FILE names a file that does not exist`)),
      ]);
    },
  );

  test('a secret is refused if it is set both directly and by a file', () => {
    expect(problemsOf({ ...DISCORD, DISCORD_TOKEN_FILE: file('other') })).toEqual([
      'DISCORD_TOKEN_FILE is set beside DISCORD_TOKEN: keep one of them',
    ]);
  });

  test("if the secret in a file is wrong, the error names the file's setting and does not repeat the secret", () => {
    expect(problemsOf({ SLACK_BOT_TOKEN_FILE: file('my-secret'), SLACK_APP_TOKEN: 'xapp-1' })).toContainEqual(
      expect.stringMatching(
        /^SLACK_BOT_TOKEN \(from SLACK_BOT_TOKEN_FILE\) must be the bot token(?!.*my-secret)/,
      ),
    );
  });

  test.each(['READ_ONLY', 'PORT', 'DISCORD_GUILDS', 'PUBLIC_URL'])(
    'the setting %s cannot be read from a file',
    (name) => {
      expect(problemsOf({ [`${name}_FILE`]: file('1') })).toEqual([
        `${name}_FILE is not read: only secrets can be given as a file. Set ${name} itself`,
      ]);
    },
  );
});

describe('the file .env.example', () => {
  const names = Object.keys(
    exampleOf(readFileSync(join(import.meta.dirname, '..', 'src', 'config.ts'), 'utf8')),
  );
  test('.env.example names every setting', () => {
    const example = readFileSync(join(import.meta.dirname, '..', '.env.example'), 'utf8');
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) expect(example, name).toMatch(new RegExp(`^#? ?${name}=`, 'm'));
  });
});

/** The names of all settings in the schema. */
function exampleOf(source: string): Record<string, true> {
  return Object.fromEntries([...source.matchAll(/^ +([A-Z][A-Z_]+):/gm)].map(([, name]) => [name, true]));
}

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
