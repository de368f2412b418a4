import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createManifest } from '../../src/adapters/slack/manifest.ts';
import { loadCommands } from '../../src/command/load.ts';
import { BOT_TOKEN, ids, roleIds } from '../support/discord-world.ts';
import { SLACK_TOKENS } from '../support/slack-world.ts';
import { type Exchange, modeOf, type SetupStage, setupStage } from './stage.ts';

const directory = await loadCommands(join(import.meta.dirname, '../../commands'));

const edgegap = (stage: SetupStage): Exchange => [/Edgegap API token/, stage.simulator.token];
const SLACK: readonly Exchange[] = [
  [/Bot User OAuth Token \(xoxb/, SLACK_TOKENS.bot],
  [/App-level token \(xapp/, SLACK_TOKENS.app],
];
const DISCORD: Exchange = [/Bot token of Discord/, BOT_TOKEN];
const NO_MESSAGE: Exchange = [/Channel for a first message/, ''];

test('a person can set up the bot on Discord: tokens, server, commands and a first message', async () => {
  const stage = await setupStage();
  const { rest } = stage.discord.server;
  rest.servers = [];
  const code = await stage.talk([
    [/Which chat platform/, 'discord'],
    edgegap(stage),
    DISCORD,
    [
      /Waiting for the bot to be added/,
      () => {
        rest.servers = [ids.guild];
        return '';
      },
    ],
    [/Channel for a first message/, 'servers'],
  ]);
  expect(code).toBe(0);
  expect(stage.shown()).toContain('https://discord.com/developers/applications?new_application=true');
  const invite = `https://discord.com/oauth2/authorize?client_id=${ids.application}&scope=bot+applications.commands&permissions=274878008320`;
  expect(stage.shown()).toContain(invite);
  expect(stage.shown()).toContain('The bot answers in the server Studio.');
  expect(stage.values()).toEqual({
    EDGEGAP_API_TOKEN: stage.simulator.token,
    DISCORD_TOKEN: BOT_TOKEN,
    DISCORD_GUILDS: ids.guild,
  });
  expect(modeOf(stage.envFile)).toBe(0o600);
  expect(rest.commands.list(ids.guild).map(({ name }) => name)).toContain('deploy');
  expect((await stage.discord.channel()).map(({ text }) => text)).toEqual([
    expect.stringContaining('I am set up'),
  ]);
  expect(stage.shown()).toContain('/deploy application: ');
  expect(stage.discord.server.violations).toEqual([]);
});

test('the setup never shows a typed token', async () => {
  const stage = await setupStage();
  await stage.talk([edgegap(stage), ...SLACK, NO_MESSAGE], { steps: ['slack'] });
  for (const secret of [stage.simulator.token, SLACK_TOKENS.bot, SLACK_TOKENS.app])
    expect(stage.shown()).not.toContain(secret);
});

test('the setup notices automatically that the bot was added to a server', async () => {
  const stage = await setupStage();
  const { rest } = stage.discord.server;
  rest.servers = [];
  const talk = stage.talk([edgegap(stage), DISCORD, [/Channel for a first message/, '']], {
    steps: ['discord'],
  });
  const asked = () => stage.discord.server.requests.filter(({ path }) => path === '/users/@me/guilds').length;
  await expect.poll(asked, { timeout: 20_000 }).toBeGreaterThan(1);
  rest.servers = [ids.guild];
  expect(await talk).toBe(0);
  expect(stage.values().DISCORD_GUILDS).toBe(ids.guild);
});

test('a person can set up the bot on Slack with a link that contains the whole manifest', async () => {
  const stage = await setupStage();
  const code = await stage.talk([
    [/Which chat platform/, 'slack'],
    edgegap(stage),
    ...SLACK,
    [/Channel for a first message/, '#game-servers'],
  ]);
  expect(code).toBe(0);
  const link =
    /https:\/\/api\.slack\.com\/apps\?new_app=1&manifest_json=(\S+)/.exec(stage.shown())?.[1] ?? '';
  // Some browsers and servers refuse longer addresses.
  expect(link.length).toBeLessThan(8_000);
  expect(JSON.parse(decodeURIComponent(link))).toEqual(createManifest(directory));
  expect(stage.values()).toEqual({
    EDGEGAP_API_TOKEN: stage.simulator.token,
    SLACK_BOT_TOKEN: SLACK_TOKENS.bot,
    SLACK_APP_TOKEN: SLACK_TOKENS.app,
  });
  expect((await stage.slack.channel()).map(({ text }) => text)).toEqual([
    expect.stringContaining('I am set up'),
  ]);
  expect(stage.shown()).toContain('/edgegap deploy ');
});

test('if a configuration token is given, the setup creates the Slack app, in HTTP mode with the signing secret', async () => {
  const stage = await setupStage();
  const code = await stage.talk(
    [
      edgegap(stage),
      [/Bot User OAuth Token/, SLACK_TOKENS.configuration],
      [/The app A0EDGEGAP was made.*install-on-team[\s\S]*Bot User OAuth Token/, SLACK_TOKENS.bot],
      [/Signing Secret \[keep\]/, ''],
      NO_MESSAGE,
    ],
    { steps: ['slack'], httpUrl: 'https://bot.example.com/' },
  );
  expect(code).toBe(0);
  expect(stage.slack.server.web.manifests).toEqual([createManifest(directory, 'https://bot.example.com')]);
  expect(stage.values()).toMatchObject({
    SLACK_SIGNING_SECRET: SLACK_TOKENS.signingSecret,
    PUBLIC_URL: 'https://bot.example.com',
  });
  expect(stage.shown()).not.toContain(SLACK_TOKENS.configuration);
});

test('in the setup, a person chooses roles by name or number, and the settings get the ids of the roles', async () => {
  const stage = await setupStage();
  await stage.talk([edgegap(stage), DISCORD, NO_MESSAGE], { steps: ['discord'] });
  const code = await stage.talk(
    [
      [/1 {2}Operators[\s\S]*Roles that may deploy/, 'operators'],
      [/Roles that may only look/, '2'],
    ],
    { steps: ['roles'] },
  );
  expect(code).toBe(0);
  expect(stage.values()).toMatchObject({
    DISCORD_OPERATOR_ROLES: roleIds.operators,
    DISCORD_READER_ROLES: roleIds.readers,
  });
  // People cannot choose the role that belongs to an app.
  expect(stage.shown()).not.toContain('Edgegap\n');
});

test('in the setup for Slack, a person chooses groups and people by name, and the settings get their ids', async () => {
  const stage = await setupStage();
  await stage.talk([edgegap(stage), ...SLACK, NO_MESSAGE], { steps: ['slack'] });
  const code = await stage.talk(
    [
      [/1 {2}operators[\s\S]*may deploy and stop/, 'operators, @admin'],
      [/may only look/, 'everyone'],
    ],
    { steps: ['roles'] },
  );
  expect(code).toBe(0);
  expect(stage.values()).toMatchObject({
    SLACK_OPERATORS: `${stage.slack.groupIds.operators},${stage.slack.userIds.admin}`,
    SLACK_READERS: 'everyone',
  });
});

test('on Slack, the setup shows the names and ids of the people and groups that get rights', async () => {
  const stage = await setupStage();
  const { groupIds, userIds } = stage.slack;
  await stage.talk([edgegap(stage), ...SLACK, NO_MESSAGE], { steps: ['slack'] });
  const code = await stage.talk(
    [
      [/may deploy and stop/, 'operators, @Admin User'],
      [/may only look/, userIds.reader],
    ],
    { steps: ['roles'] },
  );
  expect(code).toBe(0);
  expect(stage.shown()).toContain(
    `SLACK_OPERATORS: operators (${groupIds.operators}), Admin User (${userIds.admin}).`,
  );
  expect(stage.shown()).toContain(`SLACK_READERS: The reader (${userIds.reader}).`);
});

test('in the setup for Slack, if a group and a person have the same name, the setup asks for the id', async () => {
  const stage = await setupStage();
  const { userIds, server } = stage.slack;
  server.world.members.set('S0ADMIN', new Set());
  await stage.talk([edgegap(stage), ...SLACK, NO_MESSAGE], { steps: ['slack'] });
  const several = new RegExp(
    `Several people or groups are called @admin[\\s\\S]*${userIds.admin} \\(Admin User\\), S0ADMIN \\(admin\\)`,
  );
  const code = await stage.talk(
    [
      [/may deploy and stop/, '@admin'],
      [several, userIds.admin],
      [/may only look/, ''],
    ],
    { steps: ['roles'] },
  );
  expect(code).toBe(0);
  expect(stage.values().SLACK_OPERATORS).toBe(userIds.admin);
});

test('on Slack, if a workspace has more members than the setup reads, the setup asks for the id of a person', async () => {
  const stage = await setupStage();
  const { userIds } = stage.slack;
  stage.slack.server.web.endlessMembers = true;
  await stage.talk([edgegap(stage), ...SLACK, NO_MESSAGE], { steps: ['slack'] });
  const tooMany = new RegExp(
    `too many members[\\s\\S]*Give the id: ${userIds.admin} \\(Admin User\\), or the member ID`,
  );
  const code = await stage.talk(
    [
      [/may deploy and stop/, '@admin'],
      [tooMany, userIds.admin],
      [/may only look/, ''],
    ],
    { steps: ['roles'] },
  );
  expect(code).toBe(0);
  expect(stage.values().SLACK_OPERATORS).toBe(userIds.admin);
});

test('in the setup, a person chooses applications by name, and the word "all" removes the limit', async () => {
  const stage = await setupStage();
  await stage.talk([edgegap(stage)], { steps: ['edgegap'] });
  await stage.talk(
    [
      [/kart-racing[\s\S]*Numbers or names/, 'kart-racing, nope'],
      [/no application nope/, 'kart-racing'],
    ],
    {
      steps: ['applications'],
    },
  );
  expect(stage.values().APP_ALLOWLIST).toBe('kart-racing');
  await stage.talk([[/Numbers or names/, 'all']], { steps: ['applications'] });
  expect(stage.values().APP_ALLOWLIST).toBe('');
});

/** Wrong answers, each with the text with which the setup asks again. */
const wrongAnswers: readonly (readonly [
  name: string,
  steps: 'discord' | 'slack' | 'edgegap',
  spoil: (stage: SetupStage) => unknown,
  conversation: (stage: SetupStage) => readonly Exchange[],
])[] = [
  [
    'a wrong token of Edgegap',
    'edgegap',
    () => undefined,
    (stage) => [
      [/Edgegap API token/, 'wrong-token'],
      [/does not accept my API token[\s\S]*Edgegap API token/, stage.simulator.token],
    ],
  ],
  [
    'a deleted token of Edgegap',
    'edgegap',
    () => undefined,
    (stage) => [
      [/Edgegap API token/, stage.simulator.deletedToken],
      [/the token was deleted[\s\S]*Edgegap API token/, stage.simulator.token],
    ],
  ],
  [
    'a wrong token of Discord',
    'discord',
    () => undefined,
    (stage) => [
      edgegap(stage),
      [/Bot token/, 'wrong-token'],
      [/does not accept DISCORD_TOKEN[\s\S]*Bot token/, BOT_TOKEN],
      NO_MESSAGE,
    ],
  ],
  [
    'a client secret of Discord',
    'discord',
    () => undefined,
    (stage) => [
      edgegap(stage),
      [/Bot token/, 'abcdefghijklmnopqrstuvwxyz_-0123'],
      [/client secret[\s\S]*Bot token/, BOT_TOKEN],
      NO_MESSAGE,
    ],
  ],
  [
    'the token of a person on Discord',
    'discord',
    (stage) => {
      stage.discord.server.rest.account = { bot: false };
    },
    (stage) => [
      edgegap(stage),
      DISCORD,
      [
        /token of the person[\s\S]*Bot token/,
        () => {
          stage.discord.server.rest.account = {};
          return BOT_TOKEN;
        },
      ],
      NO_MESSAGE,
    ],
  ],
  [
    'a channel in which the bot may not post',
    'discord',
    (stage) => {
      stage.discord.server.rest.botPermissions = 1n << 10n;
    },
    (stage) => [
      edgegap(stage),
      DISCORD,
      [/lacks: Send Messages[\s\S]*first message/, 'servers'],
      [/does not take a message in #servers/, 'none'],
    ],
  ],
  [
    'a channel that does not exist on Discord',
    'discord',
    () => undefined,
    (stage) => [
      edgegap(stage),
      DISCORD,
      [/first message/, 'nowhere'],
      [/no channel nowhere[\s\S]*There are: #servers/, 'none'],
    ],
  ],
  [
    'a user token of Slack',
    'slack',
    () => undefined,
    (stage) => [
      edgegap(stage),
      [/Bot User/, 'xoxp-1-2-3'],
      [/a user’s token of Slack[\s\S]*Bot User/, SLACK_TOKENS.bot],
      ...SLACK.slice(1),
      NO_MESSAGE,
    ],
  ],
  [
    'a bot token that Slack does not accept',
    'slack',
    () => undefined,
    (stage) => [
      edgegap(stage),
      [/Bot User/, 'xoxb-1-2-wrong'],
      [/is not accepted by Slack[\s\S]*Bot User/, SLACK_TOKENS.bot],
      ...SLACK.slice(1),
      NO_MESSAGE,
    ],
  ],
  [
    'a configuration token that Slack does not accept',
    'slack',
    () => undefined,
    (stage) => [
      edgegap(stage),
      [/Bot User/, 'xoxe.xoxp-wrong'],
      [/The configuration token is not accepted[\s\S]*Bot User/, SLACK_TOKENS.bot],
      ...SLACK.slice(1),
      NO_MESSAGE,
    ],
  ],
  [
    'a bot token in place of the app token',
    'slack',
    () => undefined,
    (stage) => [
      edgegap(stage),
      ...SLACK.slice(0, 1),
      [/App-level token/, SLACK_TOKENS.bot],
      [/a bot token of Slack[\s\S]*App-level token/, SLACK_TOKENS.app],
      NO_MESSAGE,
    ],
  ],
  [
    'an app token of another app',
    'slack',
    () => undefined,
    (stage) => [
      edgegap(stage),
      ...SLACK.slice(0, 1),
      [/App-level token/, 'xapp-1-A0OTHER-3-secretsecret'],
      [/belongs to the app A0OTHER[\s\S]*App-level token/, SLACK_TOKENS.app],
      NO_MESSAGE,
    ],
  ],
  [
    'an app token without connections:write',
    'slack',
    (stage) =>
      stage.slack.server.faults.inject('apps.connections.open', { kind: 'error', error: 'missing_scope' }, 1),
    (stage) => [
      edgegap(stage),
      ...SLACK,
      [/lacks a scope[\s\S]*App-level token/, SLACK_TOKENS.app],
      NO_MESSAGE,
    ],
  ],
  [
    'a private channel of Slack to which the bot was not invited',
    'slack',
    () => undefined,
    (stage) => [
      edgegap(stage),
      ...SLACK,
      [/first message/, stage.slack.server.world.channels.secret],
      [/does not let me see this channel[\s\S]*first message/, 'none'],
    ],
  ],
];

test.each(wrongAnswers)(
  'after %s, the setup gives the reason and asks again',
  async (_, step, spoil, conversation) => {
    const stage = await setupStage();
    await spoil(stage);
    expect(await stage.talk(conversation(stage), { steps: [step] })).toBe(0);
  },
);

test('if a person types an unknown platform, the setup asks again', async () => {
  const stage = await setupStage();
  const code = await stage.talk([
    [/Which chat platform/, 'irc'],
    [/irc is no platform[\s\S]*Which chat platform/, 'slack'],
    edgegap(stage),
    ...SLACK,
    NO_MESSAGE,
  ]);
  expect(code).toBe(0);
});

test('a person can skip each step of the setup, and the setup names the missing settings', async () => {
  const stage = await setupStage();
  const code = await stage.talk([
    [/Which chat platform/, 'both'],
    [/Edgegap API token/, 'skip'],
    [/Bot token of Discord/, 'SKIP'],
    [/Bot User OAuth Token/, 'skip'],
  ]);
  expect(code).toBe(1);
  expect(stage.shown()).toMatch(/The bot cannot start yet:\r?\n {2}- No chat token is set/);
  expect(stage.values()).toEqual({});
});

test('in the setup, Enter keeps a value from an earlier run, and the setup checks this value again', async () => {
  const stage = await setupStage();
  const before = `# mine\r\nEDGEGAP_API_TOKEN=${stage.simulator.token}\r\nDISCORD_TOKEN="${BOT_TOKEN}"\r\n\r\nLOG_LEVEL=debug\r\n`;
  writeFileSync(stage.envFile, `\uFEFF${before}`, { mode: 0o644 });
  const code = await stage.talk(
    [[/Edgegap API token \[keep\]/, ''], [/Bot token of Discord \[keep\]/, ''], NO_MESSAGE],
    { steps: ['discord'] },
  );
  expect(code).toBe(0);
  const after = `${before.replaceAll('"', '')}DISCORD_GUILDS=${ids.guild}\r\n`;
  expect(readFileSync(stage.envFile, 'utf8')).toBe(after);
  expect(modeOf(stage.envFile)).toBe(0o600);
});

test('if no platform is set up, the setup of roles says that a platform must be set up first', async () => {
  const stage = await setupStage();
  expect(await stage.talk([], { steps: ['roles'] })).toBe(1);
  expect(stage.shown()).toContain('No chat platform is set up yet.');
});

test('if the input of the setup ends early, the setup saves the answers so far', async () => {
  const stage = await setupStage();
  const code = await stage.talk([edgegap(stage), [/Bot token of Discord/, '\u0004']], { steps: ['discord'] });
  expect(code).toBe(1);
  expect(stage.shown()).toContain('The setup was ended.');
  expect(stage.values()).toEqual({ EDGEGAP_API_TOKEN: stage.simulator.token });
});

test('the setup creates a new settings file from .env.example, including the comments', async () => {
  const stage = await setupStage();
  const example = readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8');
  writeFileSync(join(stage.folder, '.env.example'), example);
  await stage.talk([edgegap(stage), DISCORD, NO_MESSAGE], { steps: ['discord'] });
  const written = readFileSync(stage.envFile, 'utf8');
  const expected = example
    .replace(/^EDGEGAP_API_TOKEN=$/m, `EDGEGAP_API_TOKEN=${stage.simulator.token}`)
    .replace(/^DISCORD_TOKEN=$/m, `DISCORD_TOKEN=${BOT_TOKEN}`)
    .replace(/^DISCORD_GUILDS=$/m, `DISCORD_GUILDS=${ids.guild}`);
  expect(written).toBe(expected);
});

test('the setup asks before it replaces an existing setting with a different value', async () => {
  const stage = await setupStage();
  writeFileSync(stage.envFile, `SLACK_SIGNING_SECRET=${'0'.repeat(32)}\n`);
  const conversation = (answer: string): Exchange[] => [
    edgegap(stage),
    ...SLACK,
    [/another value of SLACK_SIGNING_SECRET\. Replace the value\?/, answer],
    NO_MESSAGE,
  ];
  await stage.talk(conversation('no'), { steps: ['slack'] });
  expect(stage.values().SLACK_SIGNING_SECRET).toBe('0'.repeat(32));
  expect(stage.shown()).toContain('SLACK_SIGNING_SECRET is set beside SLACK_APP_TOKEN');
});
