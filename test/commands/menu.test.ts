import { afterEach, describe, expect, test } from 'vitest';
import { deployReady, effectOf, type Stage, stageOn, typeLine } from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import type { Persona } from '../support/chat-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

let stage: Stage;
afterEach(() => stage?.close());

const menuOf = async (persona: Persona) => {
  const { privately, publicly } = await effectOf(stage, persona, () => stage.driver.command(persona, 'menu'));
  expect(publicly).toEqual([]);
  return privately.at(-1);
};
const press = (persona: Persona, label: string) =>
  effectOf(stage, persona, () => stage.driver.press(persona, label));
const textOf = (messages: readonly { readonly text: string }[]) =>
  messages.map(({ text }) => text).join('\n');

describe.each(driverNames)('the menu on %s', (name) => {
  test("the buttons of the bot's menu do the same as the typed commands", async () => {
    stage = await stageOn(name);
    const id = await deployReady(stage);
    const menu = await menuOf('operator');
    expect(menu?.buttons).toEqual([
      'Deploy',
      'Presets',
      'Versions',
      'My servers',
      'All servers',
      'Status',
      'Logs',
      'Metrics',
      'Add a tag',
      'Stop',
      'Stop many',
    ]);
    const listed = await press('operator', 'All servers');
    expect(textOf([...listed.privately, ...listed.publicly])).toContain(id);
    // The newest message with this button is the menu, because the list has different buttons.
    if (name === 'console') {
      const stopped = await press('operator', 'Stop many');
      expect(stopped.publicly).toEqual([]);
      expect(textOf(stopped.privately)).toMatch(/Say which|filter|needs/i);
      const tagged = await press('operator', 'Add a tag');
      expect(textOf(tagged.privately)).toContain('tags add needs a deployment');
      return;
    }
    const { form } = stage.driver as DiscordDriver | SlackDriver;
    await stage.driver.press('operator', 'Stop many');
    expect(form()?.title).toBe('Stop many servers');
    await stage.driver.press('operator', 'Add a tag');
    expect(form()?.title).toBe('Add a tag');
  });
});

describe.each(['discord', 'slack-http'] as const)(
  "the bot's menu and the rights of a person on %s",
  (name) => {
    test("the bot's menu shows a person only the buttons that this person may use, and an old button is refused", async () => {
      stage = await stageOn(name);
      expect((await menuOf('reader'))?.buttons).toEqual([
        'Presets',
        'Versions',
        'My servers',
        'All servers',
        'Status',
        'Logs',
        'Metrics',
      ]);
      const member = await menuOf('member');
      expect(member?.buttons).toEqual([]);
      expect(member?.text).toContain('Ask an administrator');
      await menuOf('operator');
      await stage.driver.regroup('operator', ['readers']);
      const { privately, asked } = await press('operator', 'Deploy');
      expect(asked).toEqual([]);
      expect(textOf(privately)).toContain('You may not change servers here');
    });

    test('after a restart, the buttons of an old menu of the bot still work', async () => {
      stage = await stageOn(name);
      await menuOf('operator');
      stage.bot = await stage.bot.restart();
      await stage.driver.press('operator', 'Deploy');
      if (name === 'discord')
        expect(textOf(await stage.driver.privately('operator'))).toContain(
          'Then a form asks for version, city, tags and lifetime.',
        );
      else expect((stage.driver as SlackDriver).form()?.title).toBe('Deploy a server');
    });
  },
);

test("on Slack, a slash command or a mention without further words opens the bot's menu", async () => {
  stage = await stageOn('slack-socket');
  const driver = stage.driver as SlackDriver;
  const typed = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', ''));
  expect(typed.publicly).toEqual([]);
  expect(typed.privately.at(-1)?.buttons).toContain('Deploy');
  expect(typed.privately.at(-1)?.text).toContain('/edgegap deploy kart-racing v1.2 --near Montreal');
  const before = (await driver.privately('operator')).length;
  await driver.mention('operator', '');
  const shown = await until(async () => {
    const all = await driver.privately('operator');
    return all.length > before ? all.at(-1) : undefined;
  }, 'the menu');
  expect(shown.buttons).toContain('Deploy');
});
