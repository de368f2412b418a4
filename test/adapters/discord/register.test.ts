import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandJson } from '../../../src/adapters/discord/command-json.ts';
import { runRegister } from '../../../src/adapters/discord/register.ts';
import { type Command, type CommandSpec, createDirectory } from '../../../src/command/define.ts';
import type { AccessRules } from '../../../src/config.ts';
import { createDiscordDriver, type DiscordDriver, groupIds } from '../../support/discord-driver.ts';
import { ids } from '../../support/discord-world.ts';

let driver: DiscordDriver;
let folder: string;
beforeEach(async () => {
  driver = await createDiscordDriver();
  folder = await mkdtemp(join(tmpdir(), 'commands-'));
});
afterEach(async () => {
  await driver.close();
  await rm(folder, { recursive: true });
  expect(driver.server.violations).toEqual([]);
});

const stop = {
  description: 'Stop a deployment',
  permission: 'deployments.stop',
  ack: 'public',
  options: { deployment: { kind: 'deployment', required: true, positional: true, description: 'Which one' } },
};
const logs = {
  description: 'Show the last lines',
  permission: 'deployments.read',
  ack: 'public',
  options: {
    deployment: { kind: 'deployment', required: true, positional: true, description: 'Which one' },
    lines: { kind: 'integer', min: 1, max: 500, description: 'How many' },
    crash: { kind: 'boolean', description: 'Of the crash' },
    of: { kind: 'choice', choices: ['server', 'proxy'], description: 'Whose' },
    text: { kind: 'string', maxLength: 80, description: 'Holding this' },
  },
};

async function write(name: string, command: object): Promise<void> {
  await writeFile(
    join(folder, `${name}.ts`),
    `export default { ...${JSON.stringify(command)}, run: async () => {} };`,
  );
}

async function register(environment: Record<string, string | undefined> = {}, commandsFolder = folder) {
  const lines: string[] = [];
  const code = await runRegister({
    // The registration makes no call to Edgegap, so no Edgegap token is needed.
    environment: { ...driver.environment, ...environment },
    commandsFolder,
    print: (line) => lines.push(line),
  });
  return { code, text: lines.join('\n') };
}

/** The methods of the writing requests since the last call of this function. */
function writes(): string[] {
  const all = driver.server.requests.filter(({ method }) => method !== 'GET').map(({ method }) => method);
  const since = all.slice(seen);
  seen = all.length;
  return since;
}
let seen: number;
beforeEach(() => {
  seen = 0;
});

/** Node caches imported modules, so each run needs the commands in a new folder. */
async function nextFolder(): Promise<void> {
  await rm(folder, { recursive: true });
  folder = await mkdtemp(join(tmpdir(), 'commands-'));
}

test('the first registration on Discord creates the commands, and the second registration changes nothing', async () => {
  await write('stop', stop);
  await write('logs', logs);
  expect(await register()).toEqual({ code: 0, text: `Server ${ids.guild}: created logs, stop` });
  expect(writes()).toEqual(['POST', 'POST']);
  expect(await register()).toEqual({ code: 0, text: `Server ${ids.guild}: nothing to change` });
  expect(writes()).toEqual([]);
});

test('the registration on Discord writes only commands that changed and deletes commands that were removed', async () => {
  await write('stop', stop);
  await write('logs', logs);
  await register();
  writes();
  await nextFolder();
  await write('stop', { ...stop, description: 'Stop a server' });
  await write('list', { ...stop, options: {} });
  expect(await register()).toEqual({
    code: 0,
    text: `Server ${ids.guild}: created list; changed stop; removed logs`,
  });
  expect(writes()).toEqual(['POST', 'PATCH', 'DELETE']);
  expect((await register()).text).toContain('nothing to change');
});

test.each([
  ['an option’s bounds', { ...logs.options, lines: { ...logs.options.lines, max: 100 } }],
  ['a choice', { ...logs.options, of: { ...logs.options.of, choices: ['server'] } }],
  ['a longer text', { deployment: { kind: 'string', maxLength: 300, description: 'Which one' } }],
])('the registration of commands notices a change of %s', async (_, options) => {
  await write('logs', logs);
  await register();
  await nextFolder();
  await write('logs', { ...logs, options });
  expect((await register()).text).toContain('changed logs');
  expect((await register()).text).toContain('nothing to change');
});

test('the registration on Discord adds the actions of cards to the menu of each message, and later writes only changes', async () => {
  const own = join(import.meta.dirname, '..', '..', '..', 'commands');
  await register({}, own);
  const inMenu = () => driver.server.rest.commands.list(ids.guild).filter(({ type }) => type === 3);
  expect(inMenu().map(({ name }) => name)).toEqual(['Deploy again', 'Logs', 'Metrics', 'Stop']);
  writes();
  const [first, second] = inMenu();
  driver.server.rest.commands.patch(ids.guild, String(first?.id), { default_member_permissions: '0' });
  driver.server.rest.commands.patch(ids.guild, String(second?.id), { name: 'Old entry' });
  expect((await register({}, own)).text).toContain('created Logs; changed Deploy again; removed Old entry');
  expect(writes().toSorted()).toEqual(['DELETE', 'PATCH', 'POST']);
  expect((await register({}, own)).text).toContain('nothing to change');
});

test('if an operator role is configured, all members of the Discord server can see the commands', async () => {
  await write('stop', stop);
  await register();
  expect(driver.server.rest.commands.list(ids.guild)).toMatchObject([{ default_member_permissions: '32' }]);
  expect((await register({ DISCORD_OPERATOR_ROLES: groupIds.operators })).text).toContain('changed stop');
  expect(driver.server.rest.commands.list(ids.guild)).toMatchObject([{ default_member_permissions: null }]);
});

test('the registration on Discord removes the translations that an earlier registration gave to commands', async () => {
  await write('stop', stop);
  await register();
  const [command] = driver.server.rest.commands.list(ids.guild);
  driver.server.rest.commands.patch(ids.guild, String(command?.id), { name_localizations: { de: 'halt' } });
  expect((await register()).text).toContain('changed stop');
  expect((await register()).text).toContain('nothing to change');
});

test.each([
  ['a wrong token', { DISCORD_TOKEN: 'wrong' }, 'DISCORD_TOKEN is not accepted by Discord'],
  [
    'a Discord server without the bot',
    { DISCORD_GUILDS: ids.foreignGuild },
    `client_id=${ids.application}&scope=bot`,
  ],
  [
    'an address at which no server answers',
    { DISCORD_API_URL: 'http://127.0.0.1:9/api' },
    'DISCORD_API_URL is http://127.0.0.1:9/api',
  ],
  [
    'no settings at all',
    { DISCORD_TOKEN: undefined, DISCORD_GUILDS: undefined },
    'DISCORD_TOKEN and DISCORD_GUILDS are missing',
  ],
  ['no DISCORD_GUILDS', { DISCORD_GUILDS: undefined }, 'DISCORD_GUILDS is missing'],
])('the registration of commands with %s fails with a plain sentence', async (_, environment, sentence) => {
  await write('stop', stop);
  const { code, text } = await register(environment);
  expect(code).toBe(1);
  expect(text).toContain(sentence);
  expect(text).not.toMatch(/\bat .*\(|Error:/);
});

test('if the bot is not a member of a configured Discord server, the commands are still registered in the next server', async () => {
  await write('stop', stop);
  const { code, text } = await register({ DISCORD_GUILDS: `${ids.foreignGuild},${ids.guild}` });
  expect(code).toBe(1);
  expect(text).toContain(`I may not register commands in server ${ids.foreignGuild}.`);
  expect(text).toContain(`Server ${ids.guild}: created stop`);
});

test('if Discord refuses the registration of commands, the error says so in plain words', async () => {
  await write('stop', stop);
  driver.server.fault({
    on: /^POST .*commands/,
    answer: { status: 400, body: { code: 30032, message: 'Too many' } },
  });
  expect(await register()).toEqual({ code: 1, text: 'Discord does not take the commands: Too many' });
  driver.server.fault({
    on: /^POST .*commands/,
    answer: { status: 429, headers: { 'retry-after': '3600' }, body: { retry_after: 3600, global: false } },
  });
  expect((await register()).text).toMatch(/no more command changes for now\.\nTry again in 6[01] minutes/);
});

function named(command: object): Command {
  const [loaded] = createDirectory([
    { name: 'x', command: { ...command, run: async () => {} } as unknown as CommandSpec },
  ]).all;
  if (!loaded) throw new Error('Nothing was loaded');
  return loaded;
}

const nobody: AccessRules = { operators: undefined, readers: undefined, readersByDefault: 'operators' };
test.each([
  ['help', nobody, null],
  ['deployments.read', nobody, 32],
  ['deployments.stop', nobody, 32],
  ['deployments.read', { ...nobody, readers: ['1'] }, null],
  ['deployments.read', { ...nobody, readers: 'everyone' }, null],
  ['deployments.stop', { ...nobody, readers: 'everyone' }, 32],
  ['deployments.read', { ...nobody, operators: ['1'] }, null],
  ['deployments.stop', { ...nobody, operators: ['1'] }, null],
] as const)(
  "for the permission %s and the rules %j, a command's default member permissions on Discord are %s",
  (permission, access, expected) => {
    expect(commandJson(named({ ...stop, permission }), access).default_member_permissions).toBe(expected);
  },
);

test('the bot refuses to register a Discord command of more than 8000 characters', () => {
  const option = { kind: 'string', description: 'x'.repeat(100) };
  const choices = {
    kind: 'choice',
    description: 'x',
    choices: Array.from({ length: 25 }, (_, i) => `${i}`.repeat(100)),
  };
  const options = Object.fromEntries(
    Array.from({ length: 25 }, (_, i) => [`o${i}`, i < 3 ? choices : option]),
  );
  expect(() => commandJson(named({ ...stop, options }), nobody)).toThrow(/8000/);
});
