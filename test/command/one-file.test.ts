import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runRegister } from '../../src/adapters/discord/register.ts';
import { createManifest } from '../../src/adapters/slack/manifest.ts';
import { loadCommands } from '../../src/command/load.ts';
import { driverNames } from '../support/bot.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { ids } from '../support/discord-world.ts';
import { commandFolder } from './command-folder.ts';
import { effectOf, type Stage, stageOn, typeLine } from './harness.ts';

/** The complete file that a developer writes for a new command. */
const COIN = `
import { defineCommand } from '../src/command/define.ts';

export default defineCommand({
  description: 'Toss a coin for a map',
  example: 'harbour --times 2',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    map: { kind: 'string', required: true, positional: true, description: 'The map' },
    times: { kind: 'integer', min: 1, max: 9, description: 'How often' },
  },
  actions: {
    again: {
      permission: 'deployments.read',
      ack: 'update',
      run: (context) => context.respond({ kind: 'line', tone: 'neutral', text: ['Again: ', context.action.arg] }),
    },
  },
  async run({ options, respond, asker }) {
    await respond({
      kind: 'card',
      tone: 'success',
      title: ['Heads for ', { code: options.map }],
      nodes: [
        { kind: 'fields', fields: [{ label: 'Tossed', value: [String(options.times ?? 1)] }, { label: 'For', value: [asker.name] }] },
        { kind: 'buttons', buttons: [{ label: 'Toss again', style: 'primary', action: { command: 'coin', action: 'again', arg: options.map } }] },
      ],
    });
  },
});
`;

const { path: folder, remove } = commandFolder('one-file', { coin: COIN });
afterAll(remove);

describe.each(driverNames)('a new command file on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn(name, { commands: folder });
  });
  afterAll(() => stage?.close());

  const answer = async (act: () => Promise<void>) => {
    const { privately, publicly } = await effectOf(stage, 'operator', act);
    expect(publicly).toEqual([]);
    return privately.at(-1);
  };

  test('a command that is added as a single file runs and answers, and the button in the answer works', async () => {
    const card = await answer(() => stage.driver.command('operator', 'coin', { map: 'harbour', times: 2 }));
    expect(card?.text).toMatch(/Heads for .?harbour/);
    expect(card?.text).toMatch(/Tossed\W+2/);
    expect(card?.buttons).toEqual(['Toss again']);
    const again = await answer(() => stage.driver.press('operator', 'Toss again'));
    expect(again?.text).toMatch(/Again.*harbour/);
  });

  test('a command that is added as a single file is listed by "help"', async () => {
    const all = await answer(() => stage.driver.command('operator', 'help'));
    expect(all?.text).toContain('coin');
    const one = await answer(() => stage.driver.command('operator', 'help', { command: 'coin' }));
    expect(one?.text).toContain('Toss a coin for a map');
    expect(one?.text).toContain(name === 'discord' ? '`/coin`' : 'coin <map> [--times <number>]');
    expect(one?.text).toContain(name === 'discord' ? '/coin map: harbour times: 2' : 'harbour --times 2');
  });

  test('a command that is added as a single file refuses values that do not fit its options', async () => {
    const refused = await answer(() =>
      stage.driver.command('operator', 'coin', { map: 'harbour', times: 10 }),
    );
    expect(refused?.text).toContain('from 1 to 9');
    // On the other platforms, a form opens instead.
    if (name !== 'console') return;
    const missing = await answer(() => typeLine(stage, 'operator', 'coin'));
    expect(missing?.text).toContain('coin needs a map: the map.');
  });

  if (name === 'discord') {
    test('a command that is added as a single file checks the permission and is registered on Discord', async () => {
      const refused = await effectOf(stage, 'member', () =>
        stage.driver.command('member', 'coin', { map: 'harbour' }),
      );
      expect(refused.privately[0]?.text).toContain('You may not look at servers here');
      const { server, environment } = stage.driver as DiscordDriver;
      const printed: string[] = [];
      const code = await runRegister({
        environment: { EDGEGAP_API_TOKEN: 'x'.repeat(36), ...environment },
        commandsFolder: folder,
        print: (line) => void printed.push(line),
      });
      expect(code, printed.join('\n')).toBe(0);
      expect(printed.join('\n')).toContain('coin');
      const registered = server.rest.commands.list(ids.guild).find((command) => command.name === 'coin');
      expect(registered).toMatchObject({
        description: 'Toss a coin for a map',
        options: [
          { name: 'map', type: 3 },
          { name: 'times', type: 4, min_value: 1, max_value: 9 },
        ],
      });
      expect(server.violations).toEqual([]);
    });
  }
});

test("a command that is added as a single file appears in the usage hint of Slack's manifest", async () => {
  const manifest = createManifest(await loadCommands(folder));
  expect(manifest.features.slash_commands[0]?.usage_hint).toContain('coin');
});
