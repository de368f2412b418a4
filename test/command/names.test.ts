import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CatalogVersion, defaultCatalog, type SimulatedCatalog } from '../../src/simulator/catalog.ts';
import type { City } from '../../src/simulator/cities.ts';
import type { Values } from '../support/chat-driver.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';
import { deployElsewhere, effectOf, type Stage, stageOn, typeLine } from './harness.ts';

const [pattern] = defaultCatalog.applications[0]?.versions ?? [];
const version = (name: string) => ({ ...pattern, name, is_active: true }) as CatalogVersion;
const application = (name: string, ...versions: string[]) => ({
  name,
  is_active: true,
  versions: versions.map(version),
});
const city = (name: string, country: string, latitude: number): City => ({
  ...(defaultCatalog.cities[0] as City),
  city: name,
  country,
  administrative_division: '',
  latitude,
  longitude: 10,
});

const builds = Array.from({ length: 40 }, (_, index) => `build-${index + 1}`);
const catalog: SimulatedCatalog = {
  applications: [
    application('arena', ...builds),
    application('caf\u00e9-brawl', 'V1.0', 'v1.0', 'v2.0-rc1', 'v20-rc1'),
    application('Lobby', 'stable'),
    application('LOBBY', 'stable'),
  ],
  cities: [
    city('Łódź', 'Poland', 51),
    city('Tromsø', 'Norway', 69),
    city('Đà Nẵng', 'Việt Nam', 16),
    city("St. John's", 'Canada', 47),
  ],
};

/** Typed values, and the deployment that each of them names. */
const taken: readonly [string, Values, string][] = [
  ['capitals', { application: 'Arena', version: 'BUILD-7', near: 'Lodz' }, 'arena build-7 Łódź'],
  [
    'accents in a separate character',
    { application: 'cafe\u0301-brawl', version: 'v1.0', near: 'Tromso' },
    'café-brawl v1.0 Tromsø',
  ],
  [
    'omitted accents',
    { application: 'Cafe Brawl', version: 'v2.0 RC1', near: 'Da Nang' },
    'café-brawl v2.0-rc1 Đà Nẵng',
  ],
  [
    'a curled apostrophe',
    { application: '“arena”', version: 'build—8', near: 'St. John’s' },
    "arena build-8 St. John's",
  ],
  ['an exact name', { application: 'LOBBY', version: 'stable', near: 'TROMSØ' }, 'LOBBY stable Tromsø'],
];

const refused: readonly [string, Values, RegExp][] = [
  [
    'two applications whose names differ only in letter case',
    { application: 'lobby', version: 'stable', near: 'Lodz' },
    /Several applications could be meant by .lobby.*Say which: Lobby or LOBBY/,
  ],
  [
    'a version number without its dot',
    { application: 'café-brawl', version: 'v10', near: 'Lodz' },
    /has no version .v10/,
  ],
  [
    'a version number with a comma in place of the dot',
    { application: 'café-brawl', version: 'v2,0-rc1', near: 'Lodz' },
    /has no version .v2,0-rc1.*Did you mean v2\.0-rc1\?/,
  ],
  [
    'a version that does not exist',
    { application: 'arena', version: 'nope', near: 'Lodz' },
    /no version .nope. ?.*There are: build-40, build-39, build-38, .* and 28 more/,
  ],
  [
    'a build number higher than the newest',
    { application: 'arena', version: 'build-41', near: 'Lodz' },
    /Did you mean build-40\? There are: build-40, build-39/,
  ],
];

describe.each(['console', 'discord', 'slack-socket'] as const)('names on %s', (name) => {
  let stage: Stage;
  let id: string;
  beforeAll(async () => {
    stage = await stageOn(name, { simulator: { catalog } });
    id = await deployElsewhere(stage.simulator, 'arena', 'build-1', ['qa', 'Beta', 'BETA']);
  });
  afterAll(() => stage?.close());

  const effect = (command: string, values: Values) =>
    effectOf(stage, 'operator', () => stage.driver.command('operator', command, values));
  const shown = (text = '') => text.replaceAll(/\\([^A-Za-z0-9\s])/g, '$1').replaceAll(/\s+/g, ' ');

  test.each(refused)('the bot refuses an unclear name instead of guessing: %s', async (_, values, says) => {
    const before = stage.simulator.deployments.size;
    const { privately, publicly } = await effect('deploy', values);
    expect(publicly).toEqual([]);
    expect(shown(privately.at(-1)?.text)).toMatch(says);
    expect(stage.simulator.deployments.size).toBe(before);
  });

  test('a deployment is found by a request_id that is typed in capital letters', async () => {
    const { privately } = await effect('status', { deployment: id.toUpperCase() });
    expect(privately.at(-1)?.text).toContain('arena');
  });

  test('letter case does not matter in a tag, and if two tags match, the bot offers both tags', async () => {
    const tags = () => stage.simulator.deployments.get(id)?.tags.map((tag) => tag.name);
    const { privately } = await effect('tags remove', { deployment: id, tag: 'beta' });
    expect(shown(privately.at(-1)?.text)).toMatch(
      /Several tags could be meant by .beta.*Say which: Beta or BETA/,
    );
    expect(tags()).toContain('Beta');
    const removed = await effect('tags remove', { deployment: id, tag: 'QA' });
    expect(shown(removed.privately.at(-1)?.text)).toMatch(/Removed .?qa.? from/);
    expect(tags()).not.toContain('qa');
  });

  test('the bot refuses too long a text privately with the reason, but a person without rights gets the usual refusal', async () => {
    const long = `x${'\u200b'.repeat(20_000)}x`;
    const ask = (persona: 'operator' | 'stranger', text: string) =>
      effectOf(stage, persona, () => stage.driver.command(persona, 'deploy', { application: text }));
    const { privately, publicly } = await ask('operator', long);
    expect(publicly).toEqual([]);
    expect(privately).toHaveLength(1);
    expect(privately[0]?.text).toMatch(/I read at most 12000 characters/);
    if (name === 'console') return;
    const unknown = await ask('stranger', 'x');
    const stranger = await ask('stranger', long);
    const said = ({ privately }: typeof stranger) =>
      privately.map(({ text }) => text.replace(/Reference [0-9a-f]{8}$/, ''));
    expect(said(stranger)).toEqual(said(unknown));
  });

  if (name !== 'discord')
    test.each(['LIST', 'List.', '“list”', 'li\u200bst', '/list', '/edgegap list', ': list'])(
      'the line %s is parsed as the command `list`',
      async (line) => {
        const { privately } = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line));
        expect(privately.at(-1)?.text).toMatch(/active server/);
      },
    );

  test.each(taken)('the version that the person meant is deployed: %s', async (_, values, expected) => {
    // The bot sends messages to a channel at a limited rate, so time has to run faster.
    stage.speed(20);
    const before = stage.simulator.deployments.size;
    await effect('deploy', values);
    const made = await until(() => [...stage.simulator.deployments.values()][before], 'the deployment');
    expect(`${made.application} ${made.version} ${made.city.city}`).toBe(expected);
  });
});

describe.each(['slack-socket', 'slack-http'] as const)('help on %s', (name) => {
  let stage: Stage;
  let driver: SlackDriver;
  beforeAll(async () => {
    stage = await stageOn(name, { simulator: { catalog } });
    driver = stage.driver as SlackDriver;
  });
  afterAll(() => stage?.close());

  const told = async (act: () => Promise<unknown>) => {
    const { privately } = await effectOf(stage, 'operator', async () => void (await act()));
    return privately.at(-1)?.text ?? '';
  };

  test('in a Slack channel, the command "help" shows slash commands with an application that exists', async () => {
    const all = await told(() => driver.slash('operator', 'help'));
    expect(all).toContain('/edgegap deploy');
    expect(all).toContain('/edgegap help deploy');
    await told(() => driver.slash('operator', 'help deploy'));
    const one = await until(async () => {
      const text = await told(() => driver.slash('operator', 'help deploy'));
      return text.includes('build-') ? text : undefined;
    }, 'the versions to be known');
    expect(one).toContain('/edgegap deploy <application> [<version>]');
    expect(one).toContain('For example: /edgegap deploy arena build-40 --near Montreal --tag qa');
    expect(await told(() => driver.slash('operator', 'help list'))).toContain(
      '/edgegap list --application arena',
    );
    const wrong = await told(() => driver.slash('operator', 'stop --deployment'));
    expect(wrong).toContain('Use: /edgegap stop <deployment>');
  });

  test('in a Slack thread, the command "help" shows mentions, because slash commands do not work in threads', async () => {
    const root = String(
      (
        await driver.server.world.call('xoxp-admin', 'chat.postMessage', {
          channel: driver.server.world.channels.team,
          text: 'Which server?',
        })
      ).ts,
    );
    const one = await told(() => driver.mention('operator', 'help deploy', root));
    expect(one).toContain('For example: @edgegap deploy arena');
    expect(one).not.toContain('/edgegap');
    expect(await told(() => driver.mention('operator', 'stop', root))).toContain(
      'Use: @edgegap stop <deployment>',
    );
    const inChannel = await told(() => driver.mention('operator', 'help'));
    expect(inChannel).toContain('/edgegap help deploy');
  });
});
