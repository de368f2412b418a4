import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { defaultCatalog, type SimulatedCatalog } from '../../src/simulator/catalog.ts';
import { commandFolder } from '../command/command-folder.ts';
import { deployElsewhere, deployReady, type Stage, stageOn } from '../command/harness.ts';
import type { ConsoleDriver } from '../support/console-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

const [kart] = defaultCatalog.applications;
const [version] = kart?.versions ?? [];
if (!kart || !version) throw new Error('The default catalog is empty');

/** A name with 64 characters, the maximum that Edgegap accepts. */
const LONG = `nightly-🏎️-${'é'.repeat(52)}`;
const RIGHT_TO_LEFT = 'מירוץ קארטינג';
const catalog: SimulatedCatalog = {
  ...defaultCatalog,
  applications: [
    ...defaultCatalog.applications,
    { name: 'Grüße an Zürich', is_active: true, versions: [] },
    { name: 'no-active', is_active: true, versions: [{ ...version, name: 'v1', is_active: false }] },
    {
      name: 'nightly',
      is_active: true,
      versions: Array.from({ length: 400 }, (_, index) => ({
        ...version,
        name: `build-${index + 1}`,
        is_active: true,
      })),
    },
    { name: RIGHT_TO_LEFT, is_active: true, versions: [{ ...version, name: LONG, is_active: true }] },
  ],
};

const open = (environment: Record<string, string> = {}) =>
  stageOn('discord', { environment, simulator: { catalog } });

describe('suggested values on Discord while a person types', () => {
  let stage: Stage;
  let driver: DiscordDriver;
  let own: string;
  let other: string;

  beforeAll(async () => {
    stage = await open();
    driver = stage.driver as DiscordDriver;
    own = await deployReady(stage, 'kart-racing', 'v1.2', 'qa');
    other = await deployElsewhere(stage.simulator, 'arena-shooter', '2026.2', ['night cup']);
    // If the list of deployments is a minute old, the bot reads it again while a person types.
    stage.speed(20);
    await until(
      async () => (await suggested('stop', 'deployment', '')).includes(other),
      'the list to be read',
    );
    stage.speed(1);
  });
  afterAll(() => stage.close());

  const values = (option: string, typed: string, given = {}) => suggested('deploy', option, typed, given);
  const suggested = async (command: string, option: string, typed: string, given = {}) =>
    (await driver.offered('operator', command, option, typed, given)).map(({ value }) => value);

  test.each([
    ['racing KART', ['kart-racing']],
    ['kart-r', ['kart-racing']],
    ['kartracing', ['kart-racing']],
    ['shoot', ['arena-shooter']],
    ['zuerich', ['Grüße an Zürich']],
    ['ZURICH grusse', ['Grüße an Zürich']],
    ['קארט', [RIGHT_TO_LEFT]],
    ['no such thing', []],
  ])('the typed text %s finds an application by any part of its name', async (typed, found) => {
    expect(await values('application', typed)).toEqual(found);
  });

  test('among the suggestions for "deploy", an application that is switched off comes last and is marked', async () => {
    const offered = await driver.offered('operator', 'deploy', 'application', '');
    expect(offered.at(-1)).toEqual({ label: 'retired-prototype (inactive)', value: 'retired-prototype' });
  });

  test('the versions of the chosen application are suggested, with the newest first and the inactive ones marked', async () => {
    const given = { application: 'KART RACING' };
    expect(await driver.offered('operator', 'deploy', 'version', '', given)).toEqual([
      { label: 'v1.3', value: 'v1.3' },
      { label: 'v1.2', value: 'v1.2' },
      { label: 'v1.1 (inactive)', value: 'v1.1' },
    ]);
    expect(await values('version', '2', given)).toEqual(['v1.2']);
    expect(await driver.offered('operator', 'deploy', 'version', '', { application: 'no-active' })).toEqual([
      { label: 'v1 (inactive)', value: 'v1' },
    ]);
    expect(await values('version', '', { application: 'unknown' })).toEqual([]);
  });

  test('of 400 versions, the 25 newest are suggested, and typed text finds an old version', async () => {
    const given = { application: 'nightly' };
    const offered = await values('version', '', given);
    expect(offered).toHaveLength(25);
    expect(offered.slice(0, 2)).toEqual(['build-400', 'build-399']);
    expect(await values('version', '7', given)).toContain('build-7');
    expect((await values('version', 'build-7', given))[0]).toBe('build-7');
    expect((await values('version', '17', given)).sort()).toContain('build-117');
  });

  test('a long version name with emoji is suggested in full', async () => {
    expect(await values('version', 'é', { application: RIGHT_TO_LEFT })).toEqual([LONG]);
  });

  test('if no application is chosen, the versions of all applications are suggested', async () => {
    expect(await suggested('list', 'version', 'stable')).toEqual(['stable']);
  });

  test('among the suggestions for "stop", the deployments of this channel come first, and each label describes the deployment', async () => {
    await until(
      async () => (await suggested('stop', 'deployment', '')).includes(other),
      'the list to be read',
    );
    const offered = await driver.offered('operator', 'stop', 'deployment', '');
    expect(offered.map(({ value }) => value)).toEqual(['@last', own, other]);
    expect(offered[1]?.label).toMatch(/^kart-racing v1\.2 · Montreal · Ready · \d+ (?:s|min)/);
    expect(offered[2]?.label).toMatch(/^arena-shooter 2026\.2 · \S.* · Ready · \d+ (?:s|min)/);
  });

  test.each(['racing ready', 'MONTREAL kart', 'qa', '1.2'])(
    'when a person types %s, the matching deployment is suggested',
    async (typed) => {
      expect(await suggested('stop', 'deployment', typed)).toEqual([own]);
    },
  );

  test('if a person types the beginning of a request_id, this deployment is suggested first', async () => {
    expect((await suggested('stop', 'deployment', own.slice(0, 6)))[0]).toBe(own);
  });

  test('the tags of running servers are suggested, and if a person types a list of tags, the last tag is completed', async () => {
    expect(await suggested('list', 'tag', 'CUP')).toEqual(['night cup']);
    expect(await values('tag', 'mine, cup')).toEqual(['mine, night cup']);
    expect(await suggested('tags remove', 'tag', '', { deployment: own })).toEqual(['qa']);
  });

  test('each city is suggested under its shortest clear name, and if a person types a list of cities, the last city is completed', async () => {
    expect(await driver.offered('operator', 'locations', 'near', 'sao')).toEqual([
      { label: 'São Paulo, São Paulo, Brazil', value: 'São Paulo' },
    ]);
    expect(await values('near', 'Montreal; canada toro')).toEqual(['Montreal; Toronto']);
  });

  test('the names of fleets and hosts are suggested for the filters of commands', async () => {
    await driver.command('operator', 'hosts', { fleet: 'tournament' });
    await until(
      async () => (await suggested('list', 'fleet', 'tour')).length > 0,
      'the fleet to be remembered',
    );
    expect(await suggested('list', 'host', 'montreal', { fleet: 'tournament' })).toEqual([
      'tournament-montreal-0',
    ]);
  });

  test.each([
    ['reader', 2],
    ['member', 0],
    ['stranger', 0],
  ] as const)(
    'for a person with the role "%s", at least %i deployments are suggested',
    async (persona, least) => {
      const offered = await driver.offered(persona, 'status', 'deployment', '');
      if (least === 0) expect(offered).toEqual([]);
      else expect(offered.length).toBeGreaterThanOrEqual(least);
    },
  );

  test('a stopped deployment is no longer suggested', async () => {
    const gone = await deployReady(stage, 'lobby-chat', 'stable');
    await until(
      async () => (await suggested('stop', 'deployment', 'lobby')).includes(gone),
      'the deployment',
    );
    stage.speed(20);
    stage.simulator.terminate(gone);
    await until(async () => (await suggested('stop', 'deployment', 'lobby')).length === 0, 'the end');
    stage.speed(1);
  });
});

test('while Edgegap does not answer, known values are suggested at once, and each value is marked as old', async () => {
  const stage = await open();
  const driver = stage.driver as DiscordDriver;
  try {
    const own = await deployReady(stage);
    const offered = (option: string, command = 'deploy', given = {}) =>
      driver.offered('operator', command, option, '', given);
    stage.simulator.faults.next({}, { kind: 'server-error', when: 'before' }, 10_000);
    stage.speed(20);
    const asOf = /\(.*as of .*\d\d:\d\d UTC\)$/;
    await until(async () => asOf.test((await offered('application'))[0]?.label ?? ''), 'the applications');
    const ask = async () => (await offered('version', 'deploy', { application: 'kart-racing' }))[0];
    await until(async () => asOf.test((await ask())?.label ?? ''), 'the versions');
    const last = async () => (await offered('deployment', 'stop')).at(-1);
    await until(async () => asOf.test((await last())?.label ?? ''), 'the deployments');
    expect(await last()).toMatchObject({ value: own, label: expect.stringMatching(/^kart-racing v1\.2 · /) });
    stage.simulator.faults.clear();
    await until(async () => !asOf.test((await ask())?.label ?? ''), 'Edgegap to be back');
  } finally {
    await stage.close();
  }
});

test('only applications on the allowlist are suggested, and only deployments of these applications', async () => {
  const stage = await open({ APP_ALLOWLIST: 'lobby-chat' });
  const driver = stage.driver as DiscordDriver;
  try {
    const own = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const foreign = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2', ['secret-cup']);
    stage.speed(20);
    const ids = () => driver.suggested('operator', 'stop', 'deployment', '');
    await until(async () => (await ids()).includes(own), 'the list to be read');
    expect(await ids()).not.toContain(foreign);
    expect(await driver.suggested('operator', 'list', 'tag', '')).toEqual([]);
    expect(await driver.suggested('operator', 'deploy', 'application', '')).toEqual(['lobby-chat']);
    expect(await driver.suggested('operator', 'list', 'version', '')).toEqual(['stable']);
  } finally {
    await stage.close();
  }
});

test('in the terminal, the Tab key completes a unique value, and lists several values with their descriptions', async () => {
  const stage = await stageOn('console', { simulator: { catalog } });
  const { complete } = stage.driver as ConsoleDriver;
  try {
    expect(await complete('deploy racing')).toEqual([['kart-racing '], 'racing']);
    expect(await complete('deploy zuerich')).toEqual([['"Grüße an Zürich" '], 'zuerich']);
    expect(await complete('deploy "Grüße a')).toEqual([['"Grüße an Zürich" '], '"Grüße a']);
    expect(await complete('versions kart-racing v1.')).toEqual([
      ['v1.3 ', 'v1.2 ', 'v1.1 (inactive)'],
      'v1.',
    ]);
    expect(await complete('deploy kart-racing v1.2 --near "New Yo')).toEqual([
      ['"New York City" '],
      '"New Yo',
    ]);
    const first = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    const second = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.3');
    stage.speed(20);
    await until(async () => (await complete('stop racing'))[0].length === 3, 'the list to be read');
    const [listed] = await complete('stop racing');
    expect(
      listed
        .slice(1)
        .map((line) => line.split(' ')[0])
        .sort(),
    ).toEqual([first, second].sort());
    // The typed word is one of the suggestions, so that readline does not replace it.
    expect(listed[0]).toBe('racing');
    expect(listed[1]).toMatch(/ kart-racing v1\.\d · \S/);
  } finally {
    await stage.close();
  }
});

/** A command with a form for values that the bot has to read from Edgegap. */
const PICK = `
import { defineCommand } from '../src/command/define.ts';

export default defineCommand({
  description: 'Pick a server',
  permission: 'deployments.read',
  ack: 'private',
  options: {
    sure: { kind: 'boolean', required: true, description: 'Whether this is meant' },
    deployment: { kind: 'deployment', description: 'The deployment' },
    application: { kind: 'application', description: 'The application' },
    version: { kind: 'version', description: 'The version' },
  },
  run: () => {},
});
`;

test('a form on Slack suggests values with a label, and at most 100 versions', async () => {
  const folder = commandFolder('completion', { pick: PICK });
  onTestFinished(folder.remove);
  const stage = await stageOn('slack-http', { simulator: { catalog }, commands: folder.path });
  const driver = stage.driver as SlackDriver;
  try {
    const own = await deployReady(stage);
    await driver.command('operator', 'pick');
    const offered = (option: string, typed: string, given = {}) =>
      driver.offered('operator', 'pick', option, typed, given);
    expect(await offered('application', 'retired')).toEqual([
      { label: 'retired-prototype | inactive', value: 'retired-prototype' },
    ]);
    expect(await offered('version', '', {})).toHaveLength(100);
    expect((await offered('version', LONG.slice(0, 9)))[0]?.value).toBe(LONG);
    const [server] = await offered('deployment', 'kart');
    expect(server).toMatchObject({
      value: own,
      label: expect.stringMatching(/^kart-racing v1\.2 · Montreal · /),
    });
    // Only the typed text itself is suggested, because on Slack a person can only select a suggestion.
    expect(await offered('deployment', 'no such thing')).toEqual([
      { label: 'no such thing', value: 'no such thing' },
    ]);
    expect(await driver.offered('member', 'pick', 'deployment', '')).toEqual([]);
  } finally {
    await stage.close();
  }
});
