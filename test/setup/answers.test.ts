import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BOT_TOKEN, ids, roleIds } from '../support/discord-world.ts';
import { SLACK_TOKENS } from '../support/slack-world.ts';
import { modeOf, type SetupStage, setupStage } from './stage.ts';

const forDiscord = ({ simulator }: SetupStage): Record<string, string> => ({
  PLATFORM: 'discord',
  EDGEGAP_API_TOKEN: simulator.token,
  DISCORD_TOKEN: BOT_TOKEN,
});
const forSlack = ({ simulator }: SetupStage): Record<string, string> => ({
  PLATFORM: 'slack',
  EDGEGAP_API_TOKEN: simulator.token,
  SLACK_BOT_TOKEN: SLACK_TOKENS.bot,
  SLACK_APP_TOKEN: SLACK_TOKENS.app,
});

test('with an answers file, the setup sets up both platforms, roles by name, applications and a first message', async () => {
  const stage = await setupStage();
  const code = await stage.answer({
    ...forSlack(stage),
    ...forDiscord(stage),
    PLATFORM: 'both',
    DISCORD_GUILDS: 'Studio',
    DISCORD_OPERATOR_ROLES: 'Operators',
    DISCORD_READER_ROLES: 'everyone',
    SLACK_OPERATORS: 'operators',
    APP_ALLOWLIST: 'kart-racing',
  });
  expect(stage.shown()).not.toContain('cannot start');
  expect(code).toBe(0);
  expect(stage.values()).toEqual({
    EDGEGAP_API_TOKEN: stage.simulator.token,
    DISCORD_TOKEN: BOT_TOKEN,
    DISCORD_GUILDS: ids.guild,
    DISCORD_OPERATOR_ROLES: roleIds.operators,
    DISCORD_READER_ROLES: 'everyone',
    SLACK_BOT_TOKEN: SLACK_TOKENS.bot,
    SLACK_APP_TOKEN: SLACK_TOKENS.app,
    SLACK_OPERATORS: stage.slack.groupIds.operators,
    APP_ALLOWLIST: 'kart-racing',
  });
  for (const secret of [stage.simulator.token, BOT_TOKEN, SLACK_TOKENS.bot, SLACK_TOKENS.app])
    expect(stage.shown()).not.toContain(secret);
});

test('a second run of the setup with the same answers file changes nothing', async () => {
  const stage = await setupStage();
  const answers = { ...forDiscord(stage), FIRST_MESSAGE_CHANNEL: 'servers' };
  await stage.answer(answers);
  expect(await stage.discord.channel()).toHaveLength(1);
  const before = readFileSync(stage.envFile, 'utf8');
  const posts = stage.discord.server.requests.filter(({ method }) => method === 'POST').length;
  expect(await stage.answer(answers)).toBe(0);
  expect(readFileSync(stage.envFile, 'utf8')).toBe(before);
  expect(stage.discord.server.requests.filter(({ method }) => method === 'POST')).toHaveLength(posts);
});

test.each(['PLATFORM', 'EDGEGAP_API_TOKEN', 'DISCORD_TOKEN'])(
  'the setup refuses an answers file without %s, names the missing answer, and writes nothing',
  async (name) => {
    const stage = await setupStage();
    const { [name]: _, ...answers } = forDiscord(stage);
    expect(await stage.answer(answers)).toBe(1);
    expect(stage.shown()).toContain(`The answers file lacks ${name}.`);
    expect(existsSync(stage.envFile)).toBe(false);
  },
);

test.each(['SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN'])(
  'the setup refuses an answers file for Slack without %s, names the missing answer, and writes nothing',
  async (name) => {
    const stage = await setupStage();
    const { [name]: _, ...answers } = forSlack(stage);
    expect(await stage.answer(answers)).toBe(1);
    expect(stage.shown()).toContain(`The answers file lacks ${name}.`);
    expect(existsSync(stage.envFile)).toBe(false);
  },
);

type WrongAnswer = readonly [name: string, answers: Record<string, string>, says: RegExp];

test.each<WrongAnswer>([
  ['an unknown platform', { PLATFORM: 'irc' }, /PLATFORM cannot be used: irc is no platform/],
  [
    'a wrong token of Edgegap',
    { EDGEGAP_API_TOKEN: 'wrong' },
    /EDGEGAP_API_TOKEN cannot be used: Edgegap does not accept/,
  ],
  [
    'a wrong token of Discord',
    { DISCORD_TOKEN: 'wrong' },
    /DISCORD_TOKEN cannot be used: Discord does not accept/,
  ],
  [
    'a server that the bot is not in',
    { DISCORD_GUILDS: 'Elsewhere' },
    /DISCORD_GUILDS cannot be used: There is no server Elsewhere/,
  ],
  [
    'a role that does not exist',
    { DISCORD_OPERATOR_ROLES: 'Pilots' },
    /DISCORD_OPERATOR_ROLES cannot be used: There is no role Pilots/,
  ],
  [
    'an application that does not exist',
    { APP_ALLOWLIST: 'nope' },
    /APP_ALLOWLIST cannot be used: There is no application nope/,
  ],
])(
  'the setup refuses an answers file with %s, gives the reason, and writes nothing',
  async (_, answers, says) => {
    const stage = await setupStage();
    expect(await stage.answer({ ...forDiscord(stage), ...answers })).toBe(1);
    expect(stage.shown()).toMatch(says);
    expect(existsSync(stage.envFile)).toBe(false);
  },
);

test.each<WrongAnswer>([
  [
    'a configuration token as bot token',
    { SLACK_BOT_TOKEN: SLACK_TOKENS.configuration },
    /but a configuration token of Slack/,
  ],
  [
    'HTTP mode without a public address',
    { SLACK_SIGNING_SECRET: SLACK_TOKENS.signingSecret },
    /Slack needs the public https address/,
  ],
  [
    'HTTP mode with a client secret of another form',
    { SLACK_SIGNING_SECRET: 'short', PUBLIC_URL: 'https://bot.example.com' },
    /SLACK_SIGNING_SECRET cannot be used: That is not a signing secret/,
  ],
  ['a person whom the workspace does not have', { SLACK_OPERATORS: 'U0NOBODY1' }, /has no person U0NOBODY1/],
  ['a group that the workspace does not have', { SLACK_READERS: 'nobodies' }, /no group or person nobodies/],
])('the setup refuses an answers file for Slack with %s and gives the reason', async (_, answers, says) => {
  const stage = await setupStage();
  expect(await stage.answer({ ...forSlack(stage), ...answers })).toBe(1);
  expect(stage.shown()).toMatch(says);
  expect(existsSync(stage.envFile)).toBe(false);
});

test('if the Discord bot is in no server, a setup with an answers file fails and shows the invite link', async () => {
  const stage = await setupStage();
  stage.discord.server.rest.servers = [];
  expect(await stage.answer(forDiscord(stage))).toBe(1);
  expect(stage.shown()).toContain(`https://discord.com/oauth2/authorize?client_id=${ids.application}`);
});

test('a setup with an answers file replaces an existing setting only if the file contains REPLACE=yes', async () => {
  const stage = await setupStage();
  writeFileSync(stage.envFile, 'EDGEGAP_API_TOKEN=older-token\nKEEP_DAYS=7\n');
  expect(await stage.answer(forDiscord(stage))).toBe(1);
  expect(stage.shown()).toContain('has another value of EDGEGAP_API_TOKEN');
  expect(stage.shown()).not.toContain('older-token');
  expect(readFileSync(stage.envFile, 'utf8')).toBe('EDGEGAP_API_TOKEN=older-token\nKEEP_DAYS=7\n');
  expect(await stage.answer({ ...forDiscord(stage), REPLACE: 'yes' })).toBe(0);
  expect(stage.values()).toMatchObject({ EDGEGAP_API_TOKEN: stage.simulator.token, KEEP_DAYS: '7' });
});

test('without a terminal and without an answers file, the setup says what to do next', async () => {
  const stage = await setupStage();
  expect(await stage.talk([], { isTerminal: false })).toBe(1);
  expect(stage.shown()).toMatch(/There is no terminal[\s\S]*docker run -it[\s\S]*--answers FILE/);
});

test('if the answers file does not exist, the setup names the file', async () => {
  const stage = await setupStage();
  expect(await stage.answer({}, { answersFile: join(stage.folder, 'nope') })).toBe(1);
  expect(stage.shown()).toMatch(/The answers file .*nope cannot be read \(ENOENT\)/);
});

test('the setup refuses an answers file with a quotation mark that is never closed', async () => {
  const stage = await setupStage();
  expect(await stage.answer({ ...forDiscord(stage), PLATFORM: '"discord' })).toBe(1);
  expect(stage.shown()).toMatch(/Line 1 of the answers file/);
});

test('the setup reads an answers file with a byte order mark, quotation marks and Windows line ends', async () => {
  const stage = await setupStage();
  const path = join(stage.folder, 'windows');
  const lines = Object.entries(forDiscord(stage)).map(([name, value]) => `${name}="${value}"\r\n`);
  writeFileSync(path, `\uFEFF${lines.join('')}`);
  expect(await stage.answer({}, { answersFile: path })).toBe(0);
  expect(stage.values().DISCORD_TOKEN).toBe(BOT_TOKEN);
});

test('if the settings file cannot be written, the setup reports this before its first request', async () => {
  const stage = await setupStage();
  const envFile = join(stage.folder, 'nowhere/.env');
  expect(await stage.answer(forDiscord(stage), { envFile })).toBe(1);
  expect(stage.shown()).toMatch(/nowhere\/\.env cannot be written \(ENOENT\)/);
  expect(stage.simulator.requests).toEqual([]);
});

test('the setup refuses a settings file in UTF-16 and does not change the file', async () => {
  const stage = await setupStage();
  const content = Buffer.from('\uFEFFPORT=1\n', 'utf16le');
  writeFileSync(stage.envFile, content);
  expect(await stage.answer(forDiscord(stage))).toBe(1);
  expect(stage.shown()).toContain('is saved as UTF-16');
  expect(readFileSync(stage.envFile)).toEqual(content);
});

test('the setup creates only the settings file in the folder', async () => {
  const stage = await setupStage();
  mkdirSync(join(stage.folder, 'own'));
  await stage.answer(forDiscord(stage), { envFile: join(stage.folder, 'own/.env') });
  expect(readdirSync(join(stage.folder, 'own'))).toEqual(['.env']);
});

/** A file that is mounted into a container cannot be replaced. */
function refuseRename(): never {
  throw Object.assign(new Error('The file is mounted.'), { code: 'EBUSY' });
}

test('the setup overwrites a mounted settings file, and makes the file readable only for the owner', async () => {
  const stage = await setupStage();
  const folder = join(stage.folder, 'own');
  const envFile = join(folder, '.env');
  mkdirSync(folder);
  writeFileSync(envFile, 'LOG_LEVEL=debug\n', { mode: 0o644 });
  expect(await stage.answer(forDiscord(stage), { envFile, rename: refuseRename })).toBe(0);
  expect(readFileSync(envFile, 'utf8')).toMatch(/^LOG_LEVEL=debug\n[\s\S]*DISCORD_GUILDS=\d+\n$/);
  expect(modeOf(envFile)).toBe(0o600);
  expect(stage.shown()).toContain('which only you can read');
  expect(readdirSync(folder)).toEqual(['.env']);
});

test('if a mounted settings file cannot be overwritten completely, the setup names a copy with all settings', async () => {
  const stage = await setupStage();
  writeFileSync(stage.envFile, 'LOG_LEVEL=debug\n');
  const rename = () => {
    rmSync(stage.envFile);
    mkdirSync(stage.envFile);
    refuseRename();
  };
  expect(await stage.answer(forDiscord(stage), { rename })).toBe(1);
  expect(stage.shown()).toContain(`${stage.envFile} could not be written completely (EISDIR).`);
  const copy = /All settings are in (\S+):/.exec(stage.shown())?.[1] ?? '';
  expect(readFileSync(copy, 'utf8')).toMatch(/^LOG_LEVEL=debug\n[\s\S]*DISCORD_GUILDS=\d+\n$/);
  expect(modeOf(copy)).toBe(0o600);
  expect(stage.shown()).not.toContain('which only you can read');
});

test('the setup makes the settings file readable only for the owner, even if no value changes', async () => {
  const stage = await setupStage();
  await stage.answer(forDiscord(stage));
  chmodSync(stage.envFile, 0o644);
  expect(await stage.answer(forDiscord(stage))).toBe(0);
  expect(modeOf(stage.envFile)).toBe(0o600);
});
