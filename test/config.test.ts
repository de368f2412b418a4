import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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

test('without any setting there are defaults, and no chat', () => {
  expect(readConfig({})).toEqual({
    edgegap: { token: undefined, apiUrl: 'https://api.edgegap.com' },
    discord: undefined,
    slack: undefined,
    publicUrl: undefined,
    port: 3000,
    database: 'data/edgegap-chatops.db',
    defaultNear: undefined,
    applicationAllowlist: undefined,
    readOnly: false,
    keepMs: 30 * 24 * 60 * 60_000,
    maxTagLength: 20,
    logLevel: 'info',
    secrets: [],
  });
});

test.each<[string, Record<string, string>, (config: Config) => unknown, unknown]>([
  ['a blank one is unset', { PORT: '  ', LOG_LEVEL: '' }, ({ port }) => port, 3000],
  ['blanks around it do not count', { PORT: ' 80 ' }, ({ port }) => port, 80],
  ['token with its word', { EDGEGAP_API_TOKEN: 'token abcdef' }, ({ secrets }) => secrets, ['abcdef']],
  [
    'EDGEGAP_API_URL',
    { EDGEGAP_API_URL: 'http://127.0.0.1:1/x//' },
    (c) => c.edgegap.apiUrl,
    'http://127.0.0.1:1/x',
  ],
  ['DISCORD_TOKEN', DISCORD, (c) => c.discord?.token, 'discord-token'],
  [
    'DISCORD_TOKEN with its word',
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
    'unset roles',
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
    'everyone',
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
  ['Socket Mode', SLACK, (c) => c.slack?.mode, { kind: 'socket', appToken: 'xapp-1-abc' }],
  [
    'HTTP mode',
    { ...SLACK, SLACK_APP_TOKEN: '', SLACK_SIGNING_SECRET: '0123456789abcdef' },
    (c) => c.slack?.mode,
    { kind: 'http', signingSecret: '0123456789abcdef' },
  ],
  [
    'unset groups',
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
  ['PORT 0', { PORT: '0' }, (c) => c.port, 0],
  ['a path', { DATABASE_URL: '/var/lib/bot.db' }, (c) => c.database, '/var/lib/bot.db'],
  ['file: path', { DATABASE_URL: 'file:data/bot.db' }, (c) => c.database, 'data/bot.db'],
  ['file: URL', { DATABASE_URL: 'file:///var/my%20bot.db' }, (c) => c.database, '/var/my bot.db'],
  ['file: in capitals', { DATABASE_URL: 'File:/tmp/x.db' }, (c) => c.database, '/tmp/x.db'],
  ['a colon further on', { DATABASE_URL: 'data/a:b.db' }, (c) => c.database, 'data/a:b.db'],
  ['in memory', { DATABASE_URL: ':memory:' }, (c) => c.database, ':memory:'],
  ['DEFAULT_NEAR', { DEFAULT_NEAR: 'São Paulo' }, (c) => c.defaultNear, 'São Paulo'],
  [
    'APP_ALLOWLIST',
    { APP_ALLOWLIST: 'kart-racing, lobby chat' },
    (c) => c.applicationAllowlist,
    ['kart-racing', 'lobby chat'],
  ],
  ['READ_ONLY', { READ_ONLY: '1' }, (c) => c.readOnly, true],
  ['READ_ONLY off', { READ_ONLY: 'false' }, (c) => c.readOnly, false],
  ['KEEP_DAYS', { KEEP_DAYS: '1' }, (c) => c.keepMs, 24 * 60 * 60_000],
  ['MAX_TAG_LENGTH', { MAX_TAG_LENGTH: '40' }, (c) => c.maxTagLength, 40],
  ['LOG_LEVEL', { LOG_LEVEL: 'DEBUG' }, (c) => c.logLevel, 'debug'],
  [
    'the password of a database, as it is and as the URL has it',
    { DATABASE_URL: 'postgres://bot:p%40ssword@db/bot' },
    (c) => c.secrets,
    ['p%40ssword', 'p@ssword'],
  ],
  [
    'an "@" where a URL may have one',
    { DATABASE_URL: 'postgres://u:p@ss@h/x?application_name=a@b' },
    (c) => c.database,
    'postgres://u:p@ss@h/x?application_name=a@b',
  ],
  [
    'every secret',
    { ...DISCORD, ...SLACK },
    (c) => c.secrets,
    [DISCORD.EDGEGAP_API_TOKEN, 'discord-token', 'xoxb-1-abc', 'xapp-1-abc'],
  ],
])('%s', (_title, environment, read, expected) => {
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
  [{ PORT: 'http' }, /^PORT must be a whole number from 0 to 65535$/],
  [{ PORT: '65536' }, /^PORT must be a whole number/],
  [{ PORT: '0x50' }, /^PORT must be a whole number/],
  [{ DATABASE_URL: 'postgres://' }, /^DATABASE_URL must be a whole URL, such as postgres:/],
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
    /^APP_ALLOWLIST holds something of 65 characters, which is not an application name/,
  ],
  [{ READ_ONLY: 'maybe' }, /^READ_ONLY must be 1 or 0/],
  [{ MAX_TAG_LENGTH: '19' }, /^MAX_TAG_LENGTH must be a whole number from 20 to 40/],
  [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be one of fatal, error/],
])('%j is named', (environment, words) => {
  expect(problemsOf(environment)).toEqual([expect.stringMatching(words)]);
});

test('each wrong setting has its own line', () => {
  expect(problemsOf({ PORT: 'x', READ_ONLY: 'x', LOG_LEVEL: 'x' })).toHaveLength(3);
});

test('a setting in quotation marks is refused, and what else is wrong with it named', () => {
  const quoted = { ...DISCORD, DATABASE_URL: '"postgres://u:my-secret@db/x"', DEFAULT_NEAR: "'New York'" };
  const refused = expect.stringMatching(/^(DATABASE_URL|DEFAULT_NEAR) is in quotation marks: leave them out/);
  expect(problemsOf(quoted)).toEqual([refused, refused]);
  expect(problemsOf({ PORT: '"x"' })).toEqual([
    expect.stringMatching(/^PORT is in quotation marks/),
    expect.stringMatching(/^PORT must be/),
  ]);
  expect(problemsOf({ HOME: '"x"', DEFAULT_NEAR: '"' })).toEqual([]);
});

test('no problem repeats a secret', () => {
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
])('a token in a list of ids is not repeated: %s', (token) => {
  for (const name of ['DISCORD_GUILDS', 'DISCORD_READER_ROLES', 'SLACK_OPERATORS']) {
    const [problem] = problemsOf({ ...DISCORD, [name]: `1,${token}` }).slice(1);
    expect(problem).toMatch(new RegExp(`^${name} holds .*, which is not a `));
    expect(problem).not.toContain(token);
  }
});

describe('.env.example', () => {
  const names = Object.keys(
    exampleOf(readFileSync(join(import.meta.dirname, '..', 'src', 'config.ts'), 'utf8')),
  );
  test('names every setting', () => {
    const example = readFileSync(join(import.meta.dirname, '..', '.env.example'), 'utf8');
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) expect(example, name).toMatch(new RegExp(`^#? ?${name}=`, 'm'));
  });
});

/** The settings' names, as the schema has them. */
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
