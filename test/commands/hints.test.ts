import { afterEach, expect, test } from 'vitest';
import { deployElsewhere, effectOf, type Stage, stageOn, typeLine } from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import type { Values } from '../support/chat-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { ids } from '../support/discord-world.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

let stage: Stage;
afterEach(() => stage?.close());

async function answerTo(command: string, values: Values = {}): Promise<string> {
  const act = () => stage.driver.command('operator', command, values);
  const { privately, publicly } = await effectOf(stage, 'operator', act);
  return [...privately, ...publicly].map(({ text }) => text).join('\n');
}

const registered = () =>
  new Map(
    (stage.driver as DiscordDriver).server.rest.commands
      .list(ids.guild)
      .filter(({ type }) => type === 1)
      .map(({ name, id }) => [name, id]),
  );

test("on Discord, help and hints link to commands, and show a command with options in Discord's spelling", async () => {
  stage = await stageOn('discord', { register: true });
  await until(() => stage.bot.log.some((line) => line.includes('commands are registered')), 'the commands');
  const commands = registered();
  const help = await answerTo('help');
  for (const [name, id] of commands) expect(help).toMatch(new RegExp(`</${name}(?: list)?:${id}>`));
  expect(help).toContain('`/help command: deploy`');
  expect(await answerTo('deploy', { application: 'no-such' })).not.toContain('--');
  const both = { deployment: '93924761ccde', tag: 'qa', of: 'night' };
  expect(await answerTo('tags add', both)).toContain(`</tags add:${commands.get('tags')}>`);
  expect(await answerTo('help', { command: 'tags' })).toContain(`</tags add:${commands.get('tags')}>`);
});

test('if the bot does not know the ids of the commands yet, Discord shows their names, and shows links a moment later', async () => {
  stage = await stageOn('discord');
  const { server } = stage.driver as DiscordDriver;
  const created = server.rest.commands.create(ids.guild, { name: 'list', description: 'List' }).command;
  expect(await answerTo('help')).toContain('`/list`');
  await until(async () => (await answerTo('help')).includes(`</list:${created.id}>`), 'the link');
  expect(await answerTo('help')).toContain('`/logs`');
  expect(server.requests.filter(({ path }) => path.endsWith('/commands'))).toHaveLength(2);
});

test('if Discord does not send the ids of the commands, hints are plain text until a person uses the command', async () => {
  stage = await stageOn('discord');
  const { server } = stage.driver as DiscordDriver;
  server.fault({ on: /^GET \/applications/, answer: { status: 403, body: { code: 50001, message: 'No' } } });
  expect(await answerTo('help')).toContain('`/list`');
  const told = () => stage.bot.log.some((line) => line.includes('ids of the commands cannot be read'));
  await until(told, 'the line in the log');
  const { id } = server.rest.commands.create(ids.guild, { name: 'list', description: 'List' }).command;
  await answerTo('list');
  expect(await answerTo('help')).toContain(`</list:${id}>`);
});

/** The placeholder for the id of a server that was made outside the chat. */
const ELSEWHERE = 'id';

/** Requests with a mistake, and the hints that Discord, Slack and the terminal show. */
const MISTAKES: readonly (readonly [command: string, values: Values, discord: string, typed: string])[] = [
  [
    'deploy',
    { application: 'kart-racing', near: 'Montreal', host: 'a-0' },
    'fleet: tournament',
    '--fleet tournament',
  ],
  [
    'logs',
    { deployment: ELSEWHERE, for: '10m' },
    '/logs deployment: @last follow: True for: 30m',
    'logs @last --follow --for 30m',
  ],
  [
    'logs',
    { deployment: ELSEWHERE, invert: true },
    'grep: heartbeat invert: True',
    '--grep heartbeat --invert',
  ],
];

/** Requests in which a value is missing. Other platforms open a form, so only the terminal shows a hint. */
const INCOMPLETE: typeof MISTAKES = [
  ['deploy', { application: 'kart-racing' }, '', '--near Montreal'],
  ['bulk-stop', {}, '', '--all'],
  ['preset save', { name: 'qa' }, '', 'preset save qa kart-racing v1.2 --near Montreal'],
];

test.each(driverNames)(
  'on %s, the hint after each of these mistakes is a command or option that the person can copy and send',
  async (name) => {
    stage = await stageOn(name);
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const mistakes = name === 'console' ? [...MISTAKES, ...INCOMPLETE] : MISTAKES;
    for (const [command, values, discord, typed] of mistakes) {
      const text = (
        await answerTo(command, 'deployment' in values ? { ...values, deployment: id } : values)
      ).replaceAll('\\', '');
      if (name === 'discord') {
        expect(text).toContain(discord);
        expect(text).not.toMatch(/--[a-z]/);
      } else expect(text).toContain(typed);
      expect(text, 'marks of a hint').not.toMatch(/typed:/);
    }
  },
);

test('in a Slack thread, the hint shows a mention of the bot, because slash commands do not work in threads', async () => {
  stage = await stageOn('slack-http');
  const driver = stage.driver as SlackDriver;
  const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
  const line = `logs ${id} --for 10m`;
  const inChannel = await effectOf(stage, 'reader', () => typeLine(stage, 'reader', line));
  expect(inChannel.privately.at(-1)?.text).toContain('/edgegap logs @last --follow --for 30m');
  const ts = await driver.write('reader', 'a thread');
  await driver.server.world.call(`xoxp-member`, 'chat.postMessage', {
    channel: driver.server.world.channels.team,
    text: 'a reply',
    thread_ts: ts,
  });
  const before = (await driver.privately('reader')).length;
  await driver.mention('reader', line, ts);
  const shown = await until(async () => {
    const all = await driver.privately('reader');
    return all.length > before ? all.at(-1) : undefined;
  }, 'the answer');
  expect(shown.text).toContain('@edgegap logs @last --follow --for 30m');
});
