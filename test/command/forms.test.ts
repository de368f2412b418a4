import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { runRegister } from '../../src/adapters/discord/register.ts';
import type { ConsoleDriver } from '../support/console-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { ids } from '../support/discord-world.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { commandFolder } from './command-folder.ts';
import { effectOf, pressAction, type Stage, stageOn, typeLine } from './harness.ts';

/** A command with every type of form field: text fields, menus and fields with suggestions. */
const MATCH = `
import { defineCommand } from '../src/command/define.ts';
import { openFormFor } from '../src/command/forms/open.ts';
import { InputError } from '../src/errors.ts';

const MAPS = ['harbour', 'heights', 'canyon'];
const line = (...text) => ({ kind: 'line', tone: 'success', text });
const referees = (arg) => ({
  kind: 'select',
  placeholder: 'Who referees?',
  choices: [{ label: 'Ann', value: 'ann-7' }, { label: 'Bob', value: 'bob-8' }],
  action: { command: 'match', action: 'referee', arg },
});

export default defineCommand({
  description: 'Book a match',
  permission: 'deployments.tag',
  ack: 'public',
  interrupted: 'The match may or may not have been booked.',
  layout: {
    title: 'Book a match',
    submit: 'Book',
    first: ['map', 'mode', 'note', 'late'],
    more: { Players: ['players', 'names'] },
  },
  options: {
    map: {
      kind: 'string',
      required: true,
      positional: true,
      description: 'The map',
      async suggest({ typed }) {
        if (typed === 'broken') throw new Error('no maps today');
        return MAPS.filter((map) => map.startsWith(typed));
      },
    },
    mode: { kind: 'choice', choices: ['race', 'arena'], description: 'Race or arena' },
    note: { kind: 'string', maxLength: 6000, description: 'For the referee' },
    late: { kind: 'boolean', description: 'Late in the evening' },
    players: { kind: 'integer', min: 1, max: 9, description: 'How many players' },
    names: { kind: 'list', of: 'tag', description: 'Their names', suggest: async () => ['Ann', 'Bob'] },
  },
  async check({ options: { map, players = 1, names = [] }, clock }) {
    if (map === 'slow') await new Promise((resolve) => clock.after(5_000, resolve));
    if (map === 'slow' || map === 'desert') throw new InputError('no-map', 'There is no such map.', { option: 'map' });
    if (names.length > players) throw new InputError('names', 'More names than players.', { option: 'names' });
  },
  actions: {
    referee: {
      permission: 'deployments.read',
      ack: 'private',
      run: ({ chosen, action, respond }) => respond(line('Referee of ', action.arg, ': ', chosen.join())),
    },
  },
  async run(context) {
    const { options, respond, asker } = context;
    const again = await openFormFor(context, 'match', { ...options, note: 'As before' });
    await respond({
      kind: 'card',
      tone: 'success',
      title: ['Match on ', { code: options.map }],
      nodes: [
        { kind: 'text', text: [JSON.stringify(options).slice(0, 300), ' for ', asker.name, ', ', String(options.note?.length)] },
        referees(options.map),
        { kind: 'buttons', buttons: [{ label: 'Again', style: 'primary', action: again }] },
      ],
    });
  },
});
`;

/** A private subcommand. The form field offers the same values as the subcommand's option. */
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
      description: 'The player',
      suggest: async ({ typed, given }) => [typed + ' of ' + (given.side ?? 'any')],
    },
    shirt: { kind: 'integer', min: 1, max: 99, description: 'The number' },
  },
  check({ options }) {
    if (!options.player) throw new MissingPlayer();
  },
  run: ({ options, respond }) => respond({ kind: 'line', tone: 'success', text: ['Picked ', options.player] }),
});

import { InputError } from '../src/errors.ts';
class MissingPlayer extends InputError {
  constructor() {
    super('no-player', 'Which player?', { option: 'player', missing: true });
  }
}

export default defineGroup({ description: 'Put a team together', subcommands: { pick } });
`;

const folder = commandFolder('forms', { match: MATCH, team: TEAM });
afterAll(folder.remove);

describe.each(['discord', 'slack-socket', 'slack-http'] as const)('a command with a form on %s', (name) => {
  let stage: Stage;
  let driver: DiscordDriver | SlackDriver;
  beforeAll(async () => {
    // The database is a file, so that a restarted bot can use it again.
    const environment = { DATABASE_URL: join(folder.path, `${name}.db`) };
    stage = await stageOn(name, { commands: folder.path, environment });
    driver = stage.driver as DiscordDriver | SlackDriver;
  });
  afterAll(async () => {
    await stage?.close();
    if (driver.platform === 'discord') expect(driver.server.violations).toEqual([]);
    else expect(driver.server.web.refusals).toEqual([]);
  });

  /** The outcomes of the last invocations, read from the log. */
  const ended = (last: number): { outcome: string; command: string; code?: string; target?: string }[] =>
    stage.bot.log
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg === 'invocation: ended')
      .slice(-last);
  const booked = async () => (await driver.channel()).filter(({ text }) => text.includes('Match on'));

  const said = async (act: () => Promise<void>) => {
    const { privately, publicly } = await effectOf(stage, 'operator', act);
    return {
      aside: privately.at(-1),
      text: privately.at(-1)?.text ?? '',
      publicly: publicly.at(-1)?.text ?? '',
    };
  };
  const isDiscord = name === 'discord';

  test('a command whose required option is missing opens its form, and carries out the submitted values', async () => {
    await driver.command('operator', 'match', { mode: 'arena' });
    expect(driver.form()).toEqual({ title: 'Book a match', fields: ['map', 'mode', 'note', 'late'] });
    expect(driver.shown('mode')).toBe('arena');
    const { publicly } = await said(() => driver.fillIn('operator', { map: 'harbour', late: 'no' }));
    expect(publicly).toMatch(/Match on .?harbour/);
    expect(publicly.replaceAll('\\', '')).toMatch(/{"map":"harbour","mode":"arena","late":false} for \w+/);
    const chosen = await effectOf(stage, 'reader', () => driver.choose('reader', 'Bob'));
    expect(chosen.privately.at(-1)?.text).toMatch(/Referee of harbour\W+bob\W+8/);
    expect(ended(3)).toMatchObject([
      { outcome: 'form', command: 'match' },
      { outcome: 'done', command: 'match' },
      { outcome: 'done', command: 'match:referee', target: 'harbour' },
    ]);
  });

  test('the text in a form field can be as long as the platform allows', async () => {
    await driver.command('operator', 'match');
    const most = isDiscord ? 4_000 : 3_000;
    const { publicly } = await said(() =>
      driver.fillIn('operator', { map: 'harbour', note: 'x'.repeat(most) }),
    );
    expect(publicly).toContain(`, ${most}`);
  });

  test('a command runs without its form if the person already gave every required value', async () => {
    const { publicly } = await said(() => driver.command('operator', 'match', { map: 'canyon' }));
    expect(publicly).toMatch(/Match on .?canyon/);
  });

  test('a button can open a form whose fields are already filled in', async () => {
    await driver.press('operator', 'Again');
    expect(driver.shown('map')).toBe('canyon');
    const { publicly } = await said(() => driver.fillIn('operator', { map: 'heights' }));
    expect(publicly).toMatch(/Match on .?heights.*As before/s);
  });

  test('if a command answers privately and its check opens a form, the answer to this form is private, too', async () => {
    await driver.command('operator', 'team pick', { side: 'red' });
    expect(driver.shown('side')).toBe('red');
    const { text, publicly } = await said(() => driver.fillIn('operator', { player: 'Ann' }));
    expect(text).toContain('Picked Ann');
    expect(publicly).toBe('');
  });

  test('a mistake in a submitted form can be corrected without typing the other values again', async () => {
    await driver.command('operator', 'match');
    const wrong = { map: 'desert', note: 'Dear referee' };
    if (isDiscord) {
      const { aside } = await said(() => driver.fillIn('operator', wrong));
      expect(aside?.text).toContain('There is no such map.');
      expect(aside?.buttons).toEqual(['Correct it']);
      await driver.press('operator', 'Correct it');
      expect(driver.shown('map')).toBe('desert');
      expect(driver.shown('note')).toBe('Dear referee');
    } else {
      await driver.fillIn('operator', wrong);
      expect(driver.mistakes()).toEqual({ map: 'There is no such map.' });
    }
    const { publicly } = await said(() =>
      driver.fillIn('operator', { ...(isDiscord ? {} : wrong), map: 'canyon' }),
    );
    expect(publicly).toMatch(/canyon.*Dear referee/s);
  });

  test('a mistake that the bot finds after the first response is answered with a button to correct the mistake', async () => {
    await driver.command('operator', 'match');
    stage.speed(20);
    const { aside } = await said(() => driver.fillIn('operator', { map: 'slow', note: 'Take your time' }));
    stage.speed(1);
    expect(aside?.text).toContain('There is no such map.');
    await driver.press('operator', 'Correct it');
    expect(driver.shown('note')).toBe('Take your time');
    const { publicly } = await said(() => driver.fillIn('operator', { map: 'canyon' }));
    expect(publicly).toMatch(/canyon.*Take your time/s);
  });

  test('a mistake in a rarely used option opens the part of the form with these options', async () => {
    await driver.command('operator', 'match');
    if (isDiscord) {
      await said(() => driver.command('operator', 'match', { map: 'canyon', names: 'Ann,Bob' }));
      return;
    }
    const before = { map: 'canyon', late: 'yes' };
    await driver.more('operator', before);
    expect(driver.form()?.fields).toEqual(['map', 'mode', 'note', 'late', 'players', 'names']);
    await driver.fillIn('operator', { ...before, players: '1', names: 'Ann\nBob' });
    expect(driver.mistakes()).toEqual({ names: 'More names than players.' });
    const { publicly } = await said(() =>
      driver.fillIn('operator', { ...before, players: '2', names: 'Ann\nBob' }),
    );
    expect(publicly.replaceAll('\\', '')).toContain('"late":true,"players":2,"names":["Ann","Bob"]');
  });

  test('a submitted form is refused if the person has lost the permission since the form was opened', async () => {
    await driver.command('operator', 'match');
    const before = (await booked()).length;
    await driver.regroup('operator', ['readers']);
    const { aside } = await said(() => driver.fillIn('operator', { map: 'canyon' }));
    expect(aside?.text).toContain('You may not change servers here');
    expect(aside?.buttons).toEqual([]);
    expect(await booked()).toHaveLength(before);
    await driver.regroup('operator', ['operators']);
  });

  test('a person without the permission gets no form and no information about the command', async () => {
    const forms = driver.form();
    const { privately } = await effectOf(stage, 'reader', () => driver.command('reader', 'match'));
    expect(privately.at(-1)?.text).toContain('You may not change servers here');
    expect(driver.form()).toEqual(forms);
  });

  test('a form that is submitted twice is carried out once, even if the bot restarts in between', async () => {
    await driver.command('operator', 'match');
    const before = (await booked()).length;
    await effectOf(stage, 'operator', () => driver.fillIn('operator', { map: 'canyon' }));
    stage.bot = await stage.bot.restart();
    await driver.ready(stage.bot);
    const again = () => driver.submitAgain('operator');
    if (isDiscord) await again();
    else expect((await said(again)).text).toContain('I have this form already');
    await stage.bot.app.settled();
    expect(await booked()).toHaveLength(before + 1);
  });

  test('if a form is opened before a restart and submitted after the restart, the restarted bot carries out the form', async () => {
    await driver.command('operator', 'match', { mode: 'arena' });
    stage.bot = await stage.bot.restart();
    await driver.ready(stage.bot);
    const { publicly } = await said(() => driver.fillIn('operator', { map: 'heights' }));
    expect(publicly).toMatch(/heights.*arena/s);
  });

  test('values that match the typed text are suggested, but only to people who may use the command', async () => {
    await driver.command('operator', 'match');
    // On Slack, a person can only select a suggestion, so the typed text itself is also suggested.
    const own = isDiscord ? [] : ['h'];
    expect(await driver.suggested('operator', 'match', 'map', 'h')).toEqual(['harbour', 'heights', ...own]);
    expect(await driver.suggested('reader', 'match', 'map', 'h')).toEqual([]);
    expect(await driver.suggested('stranger', 'match', 'map', 'h')).toEqual([]);
  });

  test('if the search for suggested values fails, no value is suggested, and the failure is logged', async () => {
    expect(await driver.suggested('operator', 'match', 'map', 'broken')).toEqual([]);
    expect(stage.bot.log.join()).toContain('no maps today');
  });

  test('a button from an older version of the bot is refused, and the refusal says that the button is too old', async () => {
    const { text } = await said(() =>
      pressAction(stage, 'operator', { command: 'match', action: 'gone', arg: '' }),
    );
    expect(text).toContain('This button is from an older version of me.');
    expect(ended(1)).toMatchObject([{ outcome: 'refused', code: 'action-unknown', command: 'match:gone' }]);
  });

  test('a button whose stored form was deleted is refused, and the answer offers an empty form', async () => {
    const arg = '..AAAAAAAAAAAAAAAAAAAAAA';
    const { aside } = await said(() =>
      pressAction(stage, 'operator', { command: 'match', action: 'form', arg }),
    );
    expect(aside?.text).toContain('This form was sent already, or is more than 12 hours old.');
    expect(aside?.buttons).toEqual(['Open form']);
    await driver.press('operator', 'Open form');
    expect(driver.shown('map')).toBe('');
    await stage.bot.app.settled();
    expect(ended(2)).toMatchObject([
      { outcome: 'refused', code: 'form-closed', command: 'match' },
      { outcome: 'form', command: 'match' },
    ]);
  });

  test("the form of a subcommand suggests the values of that subcommand's option", async () => {
    await driver.command('reader', 'team pick');
    const [offered] = await driver.suggested('reader', 'team pick', 'player', 'Ann');
    expect(offered).toBe('Ann of any');
    const { privately } = await effectOf(stage, 'reader', () => driver.fillIn('reader', { player: 'Ann' }));
    expect(privately.at(-1)?.text).toContain('Picked Ann');
  });

  if (isDiscord)
    test('on Discord, every option is optional, and an option that suggests values has autocompletion', async () => {
      const { server, environment } = driver as DiscordDriver;
      const settings = { EDGEGAP_API_TOKEN: 'x'.repeat(36), ...environment };
      const options = { environment: settings, commandsFolder: folder.path, print: () => undefined };
      expect(await runRegister(options)).toBe(0);
      const registered = server.rest.commands.list(ids.guild).find((command) => command.name === 'match');
      expect(registered).toMatchObject({
        options: [{ name: 'map', autocomplete: true }, {}, {}, {}, {}, {}],
      });
      expect(JSON.stringify(registered)).not.toContain('"required":true');
      // A second registration changes nothing.
      const requests = server.requests.length;
      await runRegister(options);
      expect(server.requests.slice(requests).map(({ method }) => method)).not.toContain('PATCH');
    });
  else {
    test('after a mention Slack cannot open a form, so the answer has a button that opens the form', async () => {
      const ask = () =>
        (driver as SlackDriver).mention('operator', 'match --mode arena').then(() => undefined);
      const { privately, publicly } = await effectOf(stage, 'operator', ask);
      const message = [...privately, ...publicly].find(({ text }) => text.includes('match needs a map'));
      expect(message?.buttons).toEqual(['Open form']);
      await driver.press('operator', 'Open form');
      expect(driver.shown('mode')).toBe('arena');
      const filled = await said(() => driver.fillIn('operator', { map: 'canyon' }));
      expect(filled.publicly).toContain('arena');
    });

    test('if Slack says that a form came too late, the answer has a button that opens the form', async () => {
      const slack = driver as SlackDriver;
      slack.server.web.views.expired.add('too-late');
      const { aside } = await said(() =>
        slack.slash('operator', 'match --mode arena', { trigger: 'too-late' }),
      );
      expect(aside?.text).toContain('The form came too late for Slack.');
      await driver.press('operator', 'Open form');
      expect(driver.shown('mode')).toBe('arena');
    });
  }
});

describe('a command with a form in a terminal', () => {
  test('a terminal shows the usage instead of a form, and buttons instead of a menu', async () => {
    const stage = await stageOn('console', { commands: folder.path });
    try {
      const { privately } = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', 'match'));
      expect(privately.at(-1)?.text).toContain('match needs a map');
      expect(privately.at(-1)?.text).toContain('match <map>');
      expect(privately.at(-1)?.buttons).toEqual([]);
      await effectOf(stage, 'operator', () => stage.driver.command('operator', 'match', { map: 'canyon' }));
      const chosen = await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Bob'));
      expect(chosen.privately.at(-1)?.text).toContain('Referee of canyon: bob-8');
      const { complete } = stage.driver as ConsoleDriver;
      expect(await complete('match h')).toEqual([['harbour ', 'heights '], 'h']);
      // The request for suggestions includes the values of the earlier options.
      expect(await complete('team pick red --player Ann')).toEqual([['"Ann of red" '], 'Ann']);
    } finally {
      await stage.close();
    }
  });
});

test('if a command has to wait because its person sent too many requests, the command opens its form after the wait', async () => {
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
