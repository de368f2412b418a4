import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { runRegister } from '../../src/adapters/discord/register.ts';
import type { ConsoleDriver } from '../support/console-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { ids } from '../support/discord-world.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { commandFolder } from './command-folder.ts';
import { effectOf, pressAction, type Stage, stageOn, typeLine } from './harness.ts';

/** A command with every field to fill in, choose from and complete. */
const MATCH = `
import { defineCommand } from '../src/command/define.ts';

const MAPS = ['harbour', 'heights', 'canyon'];
const line = (...text) => ({ kind: 'line', tone: 'success', text });
const referees = (arg) => ({
  kind: 'select',
  placeholder: 'Who referees?',
  choices: [{ label: 'Ann', value: 'ann-7' }, { label: 'Bob', value: 'bob-8' }],
  action: { command: 'match', action: 'referee', arg },
});
const note = (nth) => ({ name: 'note' + nth, kind: 'text', lines: 'paragraph', label: 'Note' });
const form = (arg, initial) => ({
  title: 'Book a match',
  submitLabel: 'Book',
  submit: { command: 'match', action: { gone: 'gone', kept: 'keep' }[arg] ?? 'book', arg },
  fields: [
    { name: 'map', kind: 'text', lines: 'short', label: 'Map', suggestedAs: 'map', required: true },
    { name: 'mode', kind: 'choice', label: 'Mode', initial: 'race', choices: [{ label: 'Race', value: 'race' }, { label: 'Arena', value: 'arena' }] },
    { name: 'note', kind: 'text', lines: 'paragraph', label: 'Note', hint: 'For the referee', ...(initial ? { initial } : {}) },
  ],
});

export default defineCommand({
  description: 'Book a match',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    map: {
      kind: 'string',
      positional: true,
      description: 'The map',
      async suggest({ typed }) {
        if (typed === 'broken') throw new Error('no maps today');
        return MAPS.filter((map) => map.startsWith(typed));
      },
    },
  },
  async form({ options: { map = 'today' }, clock }) {
    if (map === 'notes') return { ...form('kept'), fields: [1, 2, 3, 4, 5].map(note) };
    if (map === 'slow') await new Promise((resolve) => clock.after(5_000, resolve));
    return ['today', 'gone', 'kept', 'slow'].includes(map) ? form(map) : undefined;
  },
  forms: {
    keep: {
      permission: 'deployments.tag',
      ack: 'update',
      run: ({ fields, respond }) => respond(line('Kept ', fields.map ?? Object.values(fields).join('').length + ' characters')),
    },
    book: {
      permission: 'deployments.tag',
      ack: 'public',
      run: ({ fields, action, respond, asker }) =>
        respond({
          kind: 'card',
          tone: 'success',
          title: ['Match on ', { code: fields.map }],
          nodes: [
            { kind: 'text', text: [JSON.stringify(fields), ' ', action.arg, ' for ', asker.name] },
            referees(fields.map),
            { kind: 'buttons', buttons: [{ label: 'Again', style: 'primary', action: { command: 'match', action: 'again', arg: fields.map } }] },
          ],
        }),
    },
  },
  actions: {
    referee: {
      permission: 'deployments.read',
      ack: 'private',
      run: ({ chosen, action, respond }) => respond(line('Referee of ', action.arg, ': ', chosen.join())),
    },
    again: {
      permission: 'deployments.read',
      ack: 'private',
      form: ({ action }) => form(action.arg, 'As before'),
      run: () => {},
    },
  },
  async run({ options, respond }) {
    await respond({ kind: 'card', tone: 'success', title: ['Booked ', options.map], nodes: [referees(options.map)] });
  },
});
`;

/** A subcommand that opens a form, whose field offers the same values as the subcommand's option. */
const TEAM = `
import { defineCommand, defineGroup } from '../src/command/define.ts';

const pick = defineCommand({
  description: 'Pick a player',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    side: { kind: 'string', positional: true, description: 'The side' },
    player: {
      kind: 'string',
      positional: true,
      description: 'The player',
      suggest: async ({ typed, given }) => [typed + ' of ' + (given.side ?? 'any')],
    },
  },
  form: () => ({
    title: 'Pick a player',
    submitLabel: 'Pick',
    submit: { command: 'team', action: 'picked', arg: '' },
    fields: [{ name: 'player', kind: 'text', lines: 'short', label: 'Player', suggestedAs: 'pick player' }],
  }),
  run: () => {},
});

export default defineGroup({
  description: 'Put a team together',
  subcommands: { pick },
  forms: {
    picked: {
      permission: 'deployments.read',
      ack: 'private',
      run: ({ fields, respond }) => respond({ kind: 'line', tone: 'success', text: ['Picked ', fields.player] }),
    },
  },
});
`;

const folder = commandFolder('forms', { match: MATCH, team: TEAM });
afterAll(folder.remove);

describe.each(['discord', 'slack-socket', 'slack-http'] as const)('a command with a form on %s', (name) => {
  let stage: Stage;
  let driver: DiscordDriver | SlackDriver;
  beforeAll(async () => {
    // The database is a file, which a restarted bot finds again.
    const environment = { DATABASE_URL: join(folder.path, `${name}.db`) };
    stage = await stageOn(name, { commands: folder.path, environment });
    driver = stage.driver as DiscordDriver | SlackDriver;
  });
  afterAll(async () => {
    await stage?.close();
    if (driver.platform === 'discord') expect(driver.server.violations).toEqual([]);
    else expect(driver.server.web.refusals).toEqual([]);
  });

  /** The outcomes of the last invocations, as the log tells. */
  const ended = (last: number): { outcome: string; command: string; code?: string; target?: string }[] =>
    stage.bot.log
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg === 'invocation: ended')
      .slice(-last);
  const booked = async () => (await driver.channel()).filter(({ text }) => text.includes('Match on'));

  test('a command can answer with a form, and then gets the fields that the person filled in', async () => {
    await driver.command('operator', 'match');
    expect(driver.form()).toEqual({ title: 'Book a match', fields: ['map', 'mode', 'note'] });
    const { publicly } = await effectOf(stage, 'operator', () =>
      driver.fillIn('operator', { map: 'harbour', mode: 'arena' }),
    );
    expect(publicly.at(-1)?.text).toMatch(/Match on .?harbour/);
    expect(publicly.at(-1)?.text.replaceAll('\\', '')).toMatch(
      /{"map":"harbour","mode":"arena"} today for \w+/,
    );
    const chosen = await effectOf(stage, 'reader', () => driver.choose('reader', 'Bob'));
    expect(chosen.privately.at(-1)?.text).toMatch(/Referee of harbour\W+bob\W+8/);
    expect(ended(3)).toMatchObject([
      { outcome: 'form', command: 'match' },
      { outcome: 'done', command: 'match:book', target: 'today' },
      { outcome: 'done', command: 'match:referee', target: 'harbour' },
    ]);
  });

  test('the text in a form field may be as long as the platform allows', async () => {
    await driver.command('operator', 'match', { map: 'notes' });
    const most = name === 'discord' ? 4_000 : 3_000;
    const fields = Object.fromEntries(driver.form()?.fields.map((field) => [field, 'x'.repeat(most)]) ?? []);
    const { privately } = await effectOf(stage, 'operator', () => driver.fillIn('operator', fields));
    expect(privately.at(-1)?.text).toContain(`Kept ${5 * most} characters`);
  });

  test('a command runs without its form if the person already gave every field', async () => {
    const { privately } = await effectOf(stage, 'reader', () =>
      driver.command('reader', 'match', { map: 'canyon' }),
    );
    expect(privately.at(-1)?.text).toContain('Booked canyon');
  });

  test('if a form comes too late to be opened, the command does nothing, and the answer says so', async () => {
    stage.speed(20);
    const { privately } = await effectOf(stage, 'operator', () =>
      driver.command('operator', 'match', { map: 'slow' }),
    );
    stage.speed(1);
    expect(privately.at(-1)?.text).toContain('came too late to be opened');
  });

  test('a button can open a form whose fields are already filled in', async () => {
    await driver.press('operator', 'Again');
    const { publicly } = await effectOf(stage, 'operator', () =>
      driver.fillIn('operator', { map: 'heights', note: 'As before' }),
    );
    expect(publicly.at(-1)?.text).toMatch(/Match on .?heights.*As before/s);
  });

  test('a form that was opened by a command with private answers is answered privately', async () => {
    await driver.command('operator', 'match', { map: 'kept' });
    const { privately, publicly } = await effectOf(stage, 'operator', () =>
      driver.fillIn('operator', { map: 'canyon' }),
    );
    expect(privately.at(-1)?.text).toContain('Kept canyon');
    expect(publicly).toEqual([]);
  });

  test('a submitted form is refused if the person has lost the permission in the meantime', async () => {
    await driver.command('operator', 'match');
    const before = (await booked()).length;
    await driver.regroup('operator', ['readers']);
    const { privately } = await effectOf(stage, 'operator', () =>
      driver.fillIn('operator', { map: 'canyon' }),
    );
    expect(privately.at(-1)?.text).toContain('You may not change deployments here');
    expect(await booked()).toHaveLength(before);
    await driver.regroup('operator', ['operators']);
  });

  test('a form that is submitted twice is carried out once, even if the bot restarts in between', async () => {
    await driver.command('operator', 'match');
    const before = (await booked()).length;
    await effectOf(stage, 'operator', () => driver.fillIn('operator', { map: 'canyon' }));
    stage.bot = await stage.bot.restart();
    await driver.ready(stage.bot);
    await driver.submitAgain('operator');
    await stage.bot.app.settled();
    expect(await booked()).toHaveLength(before + 1);
  });

  test('values that begin with the typed text are suggested, but only to people who may use the command', async () => {
    await driver.command('operator', 'match');
    expect(await driver.suggested('reader', 'match', 'map', 'h')).toEqual(['harbour', 'heights']);
    expect(await driver.suggested('member', 'match', 'map', 'h')).toEqual([]);
    expect(await driver.suggested('stranger', 'match', 'map', 'h')).toEqual([]);
  });

  test('if the look-up of suggested values fails, no value is suggested, and the failure is logged', async () => {
    expect(await driver.suggested('reader', 'match', 'map', 'broken')).toEqual([]);
    expect(stage.bot.log.join()).toContain('no maps today');
  });

  test('a form or button from an older version of the bot is refused with that reason', async () => {
    await driver.command('operator', 'match', { map: 'gone' });
    const form = await effectOf(stage, 'operator', () => driver.fillIn('operator', { map: 'canyon' }));
    expect(form.privately.at(-1)?.text).toContain('This form is from an older version of me.');
    const button = await effectOf(stage, 'operator', () =>
      pressAction(stage, 'operator', { command: 'match', action: 'gone', arg: '' }),
    );
    expect(button.privately.at(-1)?.text).toContain('This button is from an older version of me.');
    expect(ended(2)).toMatchObject([
      { outcome: 'refused', code: 'action-unknown', command: 'match:gone', target: 'gone' },
      { outcome: 'refused', code: 'action-unknown', command: 'match:gone' },
    ]);
  });

  test("the form of a subcommand suggests the values of that subcommand's option", async () => {
    await driver.command('reader', 'team pick');
    expect(await driver.suggested('reader', 'team pick', 'player', 'Ann')).toEqual(['Ann of any']);
    const { privately } = await effectOf(stage, 'reader', () => driver.fillIn('reader', { player: 'Ann' }));
    expect(privately.at(-1)?.text).toContain('Picked Ann');
  });

  if (name === 'discord')
    test('on Discord, an option that suggests values is registered with autocompletion', async () => {
      const { server, environment } = driver as DiscordDriver;
      const settings = { EDGEGAP_API_TOKEN: 'x'.repeat(36), ...environment };
      const options = { environment: settings, commandsFolder: folder.path, print: () => undefined };
      expect(await runRegister(options)).toBe(0);
      const registered = server.rest.commands.list(ids.guild).find((command) => command.name === 'match');
      expect(registered).toMatchObject({ options: [{ name: 'map', autocomplete: true }] });
      // A second registration changes nothing.
      const requests = server.requests.length;
      await runRegister(options);
      expect(server.requests.slice(requests).map(({ method }) => method)).not.toContain('PATCH');
    });
  else
    test('Slack opens no form after a mention, so the command answers with the usage', async () => {
      const { privately, publicly } = await effectOf(stage, 'operator', async () => {
        await (driver as SlackDriver).mention('operator', 'match');
      });
      const said = [...privately, ...publicly].map(({ text }) => text).join();
      expect(said).toContain('cannot open a form here');
      expect(said).toContain('match [<map>]');
    });
});

describe('a command with a form in a terminal', () => {
  test('a terminal shows the usage instead of the form, and buttons instead of a menu', async () => {
    const stage = await stageOn('console', { commands: folder.path });
    try {
      const { privately } = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', 'match'));
      expect(privately.at(-1)?.text).toContain('cannot open a form here');
      expect(privately.at(-1)?.text).toContain('match [<map>]');
      await stage.driver.command('operator', 'match', { map: 'canyon' });
      const chosen = await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Bob'));
      expect(chosen.privately.at(-1)?.text).toContain('Referee of canyon: bob-8');
      const { complete } = stage.driver as ConsoleDriver;
      expect(await complete('match h')).toEqual([['harbour ', 'heights '], 'h']);
      // The values of the earlier options are part of the question.
      expect(await complete('team pick red Ann')).toEqual([['"Ann of red" '], 'Ann']);
    } finally {
      await stage.close();
    }
  });
});

test('a command with a form that has to wait for its turn opens the form afterwards', async () => {
  const stage = await stageOn('discord', { commands: folder.path, environment: { PERSON_REQUESTS: '1' } });
  onTestFinished(() => stage.close());
  const driver = stage.driver as DiscordDriver;
  await driver.command('operator', 'match', { map: 'canyon' });
  stage.simulator.faults.next({ endpoint: 'list' }, { kind: 'slow', when: 'before', ms: 300 });
  await driver.command('operator', 'list');
  await driver.command('operator', 'match');
  await effectOf(stage, 'operator', () => driver.fillIn('operator', { map: 'harbour' }));
  expect((await driver.channel()).at(-1)?.text).toMatch(/Match on .?harbour/);
});
