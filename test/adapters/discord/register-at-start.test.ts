import { afterEach, beforeEach, expect, test } from 'vitest';
import { menuActions } from '../../../src/command/on-card.ts';
import { type Bot, startBot } from '../../support/bot.ts';
import { createDiscordDriver, type DiscordDriver } from '../../support/discord-driver.ts';
import { ids } from '../../support/discord-world.ts';
import { until } from '../../support/test-clock.ts';

let driver: DiscordDriver;
let bot: Bot | undefined;
beforeEach(async () => {
  driver = await createDiscordDriver();
  bot = undefined;
});
afterEach(async () => {
  await bot?.stop();
  await driver.close();
  expect(driver.server.violations).toEqual([]);
});

const start = async (environment: Record<string, string> = {}) => {
  bot = await startBot(driver, { register: true, environment });
  return bot;
};
const registered = () => driver.server.rest.commands.list(ids.guild);

interface LogLine {
  readonly msg: string;
  readonly created?: readonly string[];
  readonly [field: string]: unknown;
}

/** Waits until the log has `count` lines about the registration, and returns these lines. */
async function lines({ log }: Bot, count = 1): Promise<LogLine[]> {
  const about = () =>
    log.map((line): LogLine => JSON.parse(line)).filter(({ msg }) => msg.startsWith('discord: the commands'));
  await until(() => about().length >= count, 'a log line about the registration');
  return about();
}

/** The methods of the requests about commands, in order. */
function requests(): string[] {
  const about = driver.server.requests.filter(({ path }) => /\/commands(\/|\?|$)/.test(path));
  return about.map(({ method }) => method);
}

test('at its start, the bot registers its commands on Discord, and after a restart it changes nothing', async () => {
  const first = await start();
  const { directory } = first.app;
  const inMenu = menuActions(directory).map(({ label }) => label);
  const names = [...directory.all.map(({ name }) => name), ...inMenu].toSorted();
  const [line] = await lines(first);
  expect(line?.created?.toSorted()).toEqual(names);
  expect(
    registered()
      .map(({ name }) => String(name))
      .toSorted(),
  ).toEqual(names);
  const before = requests().length;
  bot = await first.restart();
  expect(await lines(bot)).toMatchObject([{ guild: ids.guild, created: [], changed: [], removed: [] }]);
  expect(requests().slice(before)).toEqual(['GET']);
});

test('at its start, the bot writes only the Discord commands that differ, and removes commands that this version lacks', async () => {
  const first = await start();
  await lines(first);
  const list = registered().find(({ name }) => name === 'list');
  driver.server.rest.commands.patch(ids.guild, String(list?.id), { description: 'An older text' });
  driver.server.rest.commands.create(ids.guild, { name: 'retired', description: 'Gone since', type: 1 });
  const before = requests().length;
  bot = await first.restart();
  expect(await lines(bot)).toMatchObject([{ created: [], changed: ['list'], removed: ['retired'] }]);
  expect(requests().slice(before)).toEqual(['GET', 'PATCH', 'DELETE']);
});

test('with DISCORD_REGISTER=0, the bot changes no commands on Discord, and the log says which commands differ', async () => {
  const first = await start();
  await lines(first);
  const { commands } = driver.server.rest;
  const idOf = (name: string) => String(registered().find((command) => command.name === name)?.id);
  commands.patch(ids.guild, idOf('list'), { description: 'An older text' });
  commands.remove(ids.guild, idOf('Logs'));
  commands.create(ids.guild, { name: 'retired', description: 'Gone since', type: 1 });
  await first.stop();
  const before = requests().length;
  const started = await start({ DISCORD_REGISTER: '0' });
  const warning = await until(
    () => started.log.find((line) => line.includes('not those of this version')),
    'the warning',
  );
  expect(JSON.parse(warning)).toMatchObject({
    level: 40,
    guild: ids.guild,
    missing: ['Logs'],
    outdated: ['list'],
    extra: ['retired'],
  });
  expect(requests().slice(before)).toEqual(['GET']);
});

test('if Discord refuses the registration of commands at the start, the bot logs the reason and continues', async () => {
  driver.server.rest.commandsScope = false;
  const started = await start();
  const [line] = await lines(started);
  expect(line).toMatchObject({
    level: 50,
    code: 'discord-not-invited',
    hint: expect.stringContaining('applications.commands'),
  });
  await driver.command('operator', 'help');
  await started.app.settled();
  expect((await driver.privately('operator')).at(-1)?.text).toContain('deploy');
});

test('if the bot is stopped during the registration of its Discord commands, the registration ends without a log line', async () => {
  driver.server.fault({ on: /^GET .*\/commands/, delayMs: 5_000, answer: 'right' });
  const started = await start();
  await until(() => requests().length > 0, 'the registration');
  await started.stop();
  bot = undefined;
  expect(await lines(started, 0)).toEqual([]);
});
