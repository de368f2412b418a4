import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandJson } from '../../src/adapters/discord/command-json.ts';
import { runRegister } from '../../src/adapters/discord/register.ts';
import { loadCommands } from '../../src/command/load.ts';
import { driverNames } from '../support/bot.ts';
import type { Persona, Values } from '../support/chat-driver.ts';
import type { ConsoleDriver } from '../support/console-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { ids } from '../support/discord-world.ts';
import { deployElsewhere, effectOf, type Stage, stageOn, typeLine } from './harness.ts';

const COMMANDS = join(import.meta.dirname, '..', '..', 'commands');

let stage: Stage;
let id: string;

const tagsOf = () => stage.simulator.deployments.get(id)?.tags.map(({ name }) => name);
/** The text as a person reads it: without Discord's escape characters. */
const shown = (text: string | undefined) => (text ?? '').replaceAll('\\', '').replaceAll('\n', ' ');
const privately = async (act: () => Promise<void>, persona: Persona = 'operator') => {
  const effect = await effectOf(stage, persona, act);
  expect(effect.publicly).toEqual([]);
  return shown(effect.privately.at(-1)?.text);
};
const command = (name: string, values: Values) => () => stage.driver.command('operator', name, values);
const line = (text: string) => () => typeLine(stage, 'operator', text);

describe.each(driverNames)('subcommands on %s', (name) => {
  beforeAll(async () => {
    stage = await stageOn(name);
    id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2', ['qa']);
  });
  afterAll(() => stage?.close());

  test('each subcommand has its own options, and its own public or private acknowledgement', async () => {
    expect(await privately(command('tags list', { deployment: id }))).toMatch(/Tags of .*qa/);
    const one = await privately(command('tags show', { deployment: id, tag: 'QA' }));
    expect(one).toMatch(/Tag .?qa.? of .*Added [^.]*\./);
    expect(one).not.toContain('changed');
    expect(await privately(command('tags add', { deployment: id, tag: 'beta' }))).toMatch(/Added .?beta/);
    const renamed = command('tags rename', { deployment: id, tag: 'beta', 'new-name': 'final' });
    expect(await privately(renamed)).toMatch(/Renamed .?beta.? to .?final/);
    const other = await privately(command('tags show', { deployment: id, tag: 'final' }));
    expect(other).toMatch(/Added .*, last changed /);
    expect(await privately(command('tags remove', { deployment: id, tag: 'final' }))).toMatch(/Removed/);
    expect(tagsOf()).toEqual(['qa']);
  });

  test('the command "help" shows all subcommands of a command, or only the subcommand that the person named', async () => {
    const all = await privately(command('help', { command: 'tags' }));
    expect(all).toMatch(
      name === 'discord'
        ? /`\/tags list` .*`\/tags rename`/
        : /tags list <deployment> .*tags rename <deployment> <tag> <new-name>/,
    );
    expect(all).toContain('Rename a tag of a server');
    const one = await privately(command('help', { command: 'tags', subcommand: 'add' }));
    expect(one).toMatch(/tags add.*For example: .*tags add.*The tag to add/);
    expect(await privately(command('help', { command: 'tags', subcommand: 'ad' }))).toMatch(
      /no subcommand of tags “ad”.*Did you mean add/,
    );
    expect(await privately(command('help', { command: 'stop', subcommand: 'all' }))).toMatch(
      /stop has no subcommands\..*help (?:command: )?stop.? shows how/,
    );
  });

  if (name !== 'console')
    test('for a person who may only read, "help" shows only the subcommands that change nothing', async () => {
      const ask = () => stage.driver.command('reader', 'help', { command: 'tags' });
      const text = await privately(ask, 'reader');
      expect(text).toMatch(/tags list.* .*tags show/);
      expect(text).not.toMatch(/tags (add|remove|rename)/);
    });

  if (name === 'discord') {
    test('if Discord still has an outdated definition of a command, the command is refused with a hint to register again', async () => {
      const old = await privately(command('tags', { deployment: id, action: 'remove', tag: 'qa' }));
      expect(old).toMatch(/tags is registered here in an outdated form.*npm run register/);
      const gone = await privately(command('tags burn', { deployment: id }));
      expect(gone).toMatch(/tags is registered here in an outdated form.*npm run register/);
      const early = await privately(command('list all', {}));
      expect(early).toMatch(/list is registered here in an outdated form.*npm run register/);
      expect(tagsOf()).toEqual(['qa']);
    });

    test('a command is registered on Discord as a single command with all its subcommands', async () => {
      const { server, environment } = stage.driver as DiscordDriver;
      const printed: string[] = [];
      const register = () =>
        runRegister({
          environment: { EDGEGAP_API_TOKEN: 'x'.repeat(36), ...environment },
          commandsFolder: COMMANDS,
          print: (text) => void printed.push(text),
        });
      expect(await register(), printed.join('\n')).toBe(0);
      const tags = server.rest.commands.list(ids.guild).filter((one) => one.name === 'tags');
      expect(tags).toHaveLength(1);
      expect(tags[0]?.options).toMatchObject([
        { type: 1, name: 'list', options: [{ name: 'deployment', type: 3, required: false }] },
        { type: 1, name: 'show' },
        {
          type: 1,
          name: 'add',
          options: [
            { name: 'deployment', required: false },
            { name: 'tag', required: false },
            { name: 'of' },
          ],
        },
        { type: 1, name: 'remove' },
        { type: 1, name: 'rename', options: [{}, {}, { name: 'new-name', required: false }] },
      ]);
      expect(await register()).toBe(0);
      expect(printed.at(-1)).toContain('nothing to change');
      expect(server.violations).toEqual([]);
    });
    return;
  }

  test('a subcommand may be typed before or after the deployment, and without a subcommand the default subcommand runs', async () => {
    expect(await privately(line(`tags add ${id} one`))).toMatch(/Added .?one/);
    expect(await privately(line(`tags ${id} ADD "two words"`))).toMatch(/Added .?two words/);
    expect(await privately(line(`tags --tag one ${id} remove`))).toMatch(/Removed .?one/);
    expect(await privately(line(`tags remove --tag "two words" --deployment ${id}`))).toMatch(/Removed/);
    expect(await privately(line(`tags ${id}`))).toMatch(/Tags of .*qa/);
    expect(await privately(line(`tags --deployment ${id}`))).toMatch(/Tags of .*qa/);
    expect(tagsOf()).toEqual(['qa']);
  });

  test('the answer to an unknown subcommand suggests a similar subcommand, or lists all subcommands', async () => {
    const all = /tags has no subcommand “burn”.*There are: list, show, add, remove, rename/;
    expect(await privately(line(`tags ${id} burn`))).toMatch(all);
    expect(await privately(line(`tags burn --deployment ${id}`))).toMatch(all);
    expect(await privately(line(`tags burn ${id} qa`))).toMatch(all);
    expect(await privately(line('tags burn @last qa'))).toMatch(all);
    expect(await privately(line(`tags ${id} ad late`))).toMatch(/subcommand “ad”.*Did you mean .*tags add\?/);
    expect(await privately(line(`tags remvoe ${id} qa`))).toMatch(/“remvoe”.*Did you mean .*tags remove\?/);
    expect(tagsOf()).toEqual(['qa']);
  });

  test('an option that belongs to a different subcommand is refused, and a hint shows the right command', async () => {
    const add = /tags list has no option “--add”\..*Type (\/edgegap )?tags add @last qa\./;
    expect(await privately(line('tags @last --add qa'))).toMatch(add);
    expect(await privately(line('tags @last --add=qa'))).toMatch(add);
    expect(await privately(line(`tags --ad "two words" ${id}`))).toContain(`tags add "two words" ${id}.`);
    expect(await privately(line(`tags ${id} --tag qa`))).toMatch(
      /no option “--tag”\..*Use: .*tags show <deployment> <tag> or .*tags add \[<deployment>\] <tag> \[--of <tag>\] or /,
    );
    expect(await privately(line(`tags add ${id} --new-name x`))).toMatch(/Use: (\S+ )?tags rename <dep/);
    expect(await privately(line(`tags add ${id} --tga x`))).toMatch(/Did you mean --tag\?/);
    const long = await privately(line(`tags ${id} --add ${'x'.repeat(9_000)}`));
    expect(long).toMatch(/Type (\/edgegap )?help tags\./);
    expect(tagsOf()).toEqual(['qa']);
  });

  test('a colon or comma after the name of a command is ignored, even after "help"', async () => {
    expect(await privately(line(`Tags: ${id}`))).toMatch(/Tags of .*qa/);
    expect(await privately(line(`tags, ${id}`))).toMatch(/Tags of .*qa/);
    expect(await privately(line('help tags:'))).toMatch(/tags add \[<deployment>\] <tag>/);
  });

  test('if a subcommand or an option is missing, the answer shows the usage', async () => {
    expect(await privately(line('tags'))).toMatch(
      /tags needs a subcommand\..*There are: list, show, add, remove, rename\. .*help tags shows how/,
    );
    // On the other platforms, a form opens instead.
    if (name === 'console')
      expect(await privately(line(`tags add ${id}`))).toMatch(
        /tags add needs a tag.*Use: .*tags add \[<deployment>\]/,
      );
    expect(await privately(line(`tags show ${id} late`))).toMatch(/no tag “late”.*The server has: qa/);
    expect(await privately(line(`tags add ${id} one two`))).toMatch(/do not know what to do with “two”/);
  });

  test.each(['tags help', 'tags ?', 'tags --help', 'tags —help'])(
    'the line "%s" shows the help of the command',
    async (typed) => {
      expect(await privately(line(typed))).toMatch(/tags add \[<deployment>\] <tag>/);
      expect(tagsOf()).toEqual(['qa']);
    },
  );

  test('"deploy --help" and "help help" each show the help of the command that was named', async () => {
    expect(await privately(line('deploy --help'))).toMatch(/deploy <application> \[<version>\]/);
    expect(await privately(line('help help'))).toMatch(/help \[<command>\]/);
    expect(stage.simulator.deployments.size).toBe(1);
  });

  if (name === 'console')
    test('the terminal completes a line first with the subcommands and then with the values of their options', async () => {
      const { complete } = stage.driver as ConsoleDriver;
      const words = ['list ', 'show ', 'add ', 'remove ', 'rename '];
      expect(await complete('tags ')).toEqual([[...words, '@last '], '']);
      expect(await complete('tags re')).toEqual([['remove ', 'rename '], 're']);
      expect(await complete('tags add ')).toEqual([['@last '], '']);
      expect(await complete('tags @last ')).toEqual([words, '']);
      expect(await complete('tags @last add ')).toEqual([[], '']);
      expect(await complete('TAGS add ')).toEqual([['@last '], '']);
      expect(await complete('tags --deployment @last ')).toEqual([[], '']);
      expect(await complete('help ta')).toEqual([['tags '], 'ta']);
      expect(await complete('help tags re')).toEqual([['remove ', 'rename '], 're']);
      expect(await complete('help tags add ')).toEqual([[], '']);
    });
});

test('the subcommands of a Discord command count towards the limit of 8000 characters', async () => {
  const { all } = await loadCommands(COMMANDS);
  const [tags] = all.filter(({ name }) => name === 'tags');
  if (!tags) throw new Error('There is no command tags');
  const long = tags.entries.map((entry) => ({ ...entry, description: 'x'.repeat(2000) }));
  const access = { operators: undefined, readers: undefined, readersByDefault: 'operators' } as const;
  expect(() => commandJson({ ...tags, entries: long }, access)).toThrow(/tags has \d+ characters/);
});
