import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runRegister } from '../../src/adapters/discord/register.ts';
import type { Kind } from '../../src/command/kinds/kind.ts';
import { kinds as allKinds } from '../../src/command/kinds/kinds.ts';
import { loadCommands } from '../../src/command/load.ts';
import { InputError } from '../../src/errors.ts';
import { driverNames } from '../support/bot.ts';
import type { ConsoleDriver } from '../support/console-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { ids } from '../support/discord-world.ts';
import { effectOf, type Stage, stageOn } from './harness.ts';

interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly applications: number;
}

/** For a new kind of option, a developer writes only an object like this one and a line in the table of kinds. */
const grid: Kind<Grid, { readonly most: number }> = {
  placeholder: '3x4',
  input: () => ({ type: 'text', maxLength: 7 }),
  problem: ({ name, most }) => (most > 0 ? undefined : `the grid ${name} has no room`),
  parse(given, { name, most }) {
    const sides = String(given).split('x').map(Number);
    if (sides.length === 2 && sides.every((side) => side >= 1 && side <= most)) return sides.join('x');
    throw new InputError('not-a-grid', `${name} must be two numbers up to ${most}, like 3x4.`);
  },
  async resolve(named, { catalog }) {
    const [columns = 0, rows = 0] = named.split('x').map(Number);
    return { columns, rows, applications: (await catalog.applications()).length };
  },
  suggest: async ({ fields: { most } }) => ['2x2', `${most}x${most}`],
};
const kinds = { ...allKinds, grid };

const MAP = `
export default {
  description: 'Lay out a map',
  example: '3x4',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    size: { kind: 'grid', most: 9, required: true, positional: true, description: 'Its columns and rows' },
    margin: { kind: 'grid', most: 2, description: 'Around it' },
  },
  async run({ options, respond }) {
    const { columns, rows, applications } = options.size;
    const text = [String(columns * rows) + ' fields, margin ' + String(options.margin?.rows) + ', ' + String(applications) + ' applications'];
    await respond({ kind: 'line', tone: 'neutral', text });
  },
};
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(import.meta.dirname, '.one-kind-'));
  writeFileSync(join(folder, 'map.ts'), MAP);
  const help = join(import.meta.dirname, '..', '..', 'commands', 'help.ts');
  writeFileSync(join(folder, 'help.ts'), `export { default } from '${help}';`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(driverNames)('a new kind of option on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn(name, { commands: folder, kinds });
  });
  afterAll(() => stage?.close());

  const answer = async (command: string, values: Record<string, string>) => {
    const act = () => stage.driver.command('operator', command, values);
    const { privately, publicly } = await effectOf(stage, 'operator', act);
    expect(publicly).toEqual([]);
    return privately.at(-1)?.text;
  };

  test('an option of a new kind is parsed, looked up and passed to the command', async () => {
    expect(await answer('map', { size: '3x4' })).toMatch(
      /12 fields, margin undefined, [1-9]\d* applications/,
    );
    expect(await answer('map', { size: '3x4', margin: '1x2' })).toContain('margin 2');
  });

  test('an option of a new kind checks values against the limits set for that option', async () => {
    expect(await answer('map', { size: '3x4', margin: '1x3' })).toContain(
      'margin must be two numbers up to 2, like 3x4',
    );
  });

  test('an option of a new kind is shown by "help"', async () => {
    const help = await answer('help', { command: 'map' });
    expect(help).toContain(name === 'discord' ? '/map size: 3x4' : 'map <size> [--margin <3x4>]');
  });

  if (name === 'console')
    test('an option of a new kind suggests values when the terminal completes a line', async () => {
      const { complete } = stage.driver as ConsoleDriver;
      expect(await complete('map ')).toEqual([['2x2 ', '9x9 '], '']);
      expect(await complete('map 3x4 --margin ')).toEqual([['2x2 ', '2x2 '], '']);
    });

  if (name === 'discord')
    test('a new kind of option decides how its options are registered on Discord', async () => {
      const { server, environment } = stage.driver as DiscordDriver;
      const printed: string[] = [];
      const code = await runRegister({
        environment: { EDGEGAP_API_TOKEN: 'x'.repeat(36), ...environment },
        commandsFolder: folder,
        kinds,
        print: (line) => void printed.push(line),
      });
      expect(code, printed.join('\n')).toBe(0);
      const registered = server.rest.commands.list(ids.guild).find((command) => command.name === 'map');
      expect(registered?.options).toMatchObject([
        { name: 'size', type: 3, max_length: 7, autocomplete: true },
        { name: 'margin', type: 3, max_length: 7, autocomplete: true },
      ]);
      expect(server.violations).toEqual([]);
    });
});

test("commands cannot be loaded if the kind of an option is unknown or does not accept the option's limits", async () => {
  writeFileSync(join(folder, 'field.ts'), MAP.replace('most: 2', 'most: 0'));
  await expect(loadCommands(folder, kinds)).rejects.toThrow('commands/field.ts: the grid margin has no room');
  rmSync(join(folder, 'field.ts'));
  await expect(loadCommands(folder)).rejects.toThrow('commands/map.ts: the kind of size is unknown: grid');
});
