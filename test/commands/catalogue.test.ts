import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { defaultCatalog, type SimulatedCatalog } from '../../src/simulator/catalog.ts';
import { defaultCities } from '../../src/simulator/cities.ts';
import { Faults } from '../../src/simulator/faults.ts';
import { deployReady, effectOf, pressAction, type Stage, stageOn, typeLine } from '../command/harness.ts';
import { openTwo } from '../deployments/two-accounts.ts';
import { driverNames } from '../support/bot.ts';
import type { Values } from '../support/chat-driver.ts';
import type { ConsoleDriver } from '../support/console-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { until } from '../support/test-clock.ts';

const [montreal] = defaultCities;
if (!montreal) throw new Error('The default catalog is empty');

const catalog: SimulatedCatalog = {
  ...defaultCatalog,
  cities: [
    ...defaultCities,
    ...['Oregon', 'Maine'].map((administrative_division, n) => ({
      ...montreal,
      city: 'Portland',
      country: 'United States of America',
      administrative_division,
      latitude: 43 + n,
    })),
    // A second data centre in the same city.
    montreal,
  ],
  notes: ['Some locations are being maintained.'],
  applications: [...defaultCatalog.applications, { name: 'unborn', is_active: true, versions: [] }],
};
const KART = { application: 'kart-racing', version: 'v1.2' };

/** The private answer of a command to the operator, on one line and without the markup of the platform. */
async function shown(stage: Stage, command: string, values: Values = {}) {
  const { privately, publicly } = await effectOf(stage, 'operator', () =>
    stage.driver.command('operator', command, values),
  );
  expect(publicly).toEqual([]);
  return plain(privately.at(-1)?.text);
}

function plain(text = ''): string {
  return text.replaceAll(/[\\*`]/g, '').replaceAll(/\s*\n[│ ]*/g, ' | ');
}

function lastQuery({ simulator }: Stage): unknown {
  return simulator.requests.findLast(({ endpoint }) => endpoint === 'locations')?.query;
}

describe.each(driverNames)('applications and locations for a deploy, on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn(name, { simulator: { catalog, dialect: 'reference' } });
  });
  afterAll(() => stage?.close());

  test('the command "versions" shows the resources, ports, limits and caching of each version', async () => {
    const text = await shown(stage, 'versions', { application: 'kart-racing' });
    expect(text).toContain('kart-racing: 3 versions, 1 of them switched off');
    expect(text).toMatch(
      /v1\.3 \| 0\.5 vCPU, 1 GB · 7777 UDP, 8080 TCP · 31 % cached \| .*v1\.2 \| .*86 % cached \(good\)/,
    );
    expect(text).toMatch(
      /v1\.1 · switched off \| 0\.5 vCPU, 1 GB · 7777 UDP, 8080 TCP · 86 % cached \(good\) \| .*Each version on this page: Max duration: 1 h · Time to deploy: at most 2 min · Restarts: never · Grace period: 30 s/,
    );
    const page = await shown(stage, 'versions', { application: 'arena-shooter', page: 2 });
    expect(page).toMatch(/nightly-01 · switched off \| 0\.5 vCPU.* \| Max duration: 1 h · /);
    expect(page).toMatch(/2026\.2 \| 2 vCPU, 4 GB .* \| Max duration: 24 h · /);
  });

  test('the command "versions" shows all details of a single version, even if that version is switched off', async () => {
    const stable = await shown(stage, 'versions', { application: 'Lobby-Chat', version: 'STABLE' });
    expect(stable).toContain('lobby-chat stable');
    expect(stable).toMatch(/Ports\W+websocket 9000 WS TLS, http 8080 TCP/);
    expect(stable).toMatch(/Resources\W+0\.25 vCPU, 512 MB/);
    expect(stable).toMatch(/Max duration\W+no limit/);
    const off = await shown(stage, 'versions', { application: 'kart-racing', version: 'v1.1' });
    expect(off).toMatch(/Active\W+no: activate it in the Edgegap dashboard/);
  });

  test('for an application without versions, the command "versions" says what to do next', async () => {
    const text = await shown(stage, 'versions', { application: 'unborn' });
    expect(text).toContain('unborn: no version yet');
    expect(text).toContain('Make a version in the Edgegap dashboard, then ask again.');
    expect(await shown(stage, 'versions', { application: 'retired-prototype' })).toContain(
      'The application is switched off',
    );
  });

  test('the command "locations" groups cities by continent and country, and shows each city once with Edgegap\'s notes', async () => {
    const text = await shown(stage, 'locations');
    expect(text).toContain('46 places');
    expect(text).toContain('North America | Canada: Montreal, Toronto, Vancouver | Mexico: Querétaro');
    expect(text).toContain('Portland in Maine, Portland in Oregon, Seattle');
    expect(text).toContain('Edgegap says: Some locations are being maintained.');
    expect(text).not.toContain('cloud');
  });

  test('the command "locations" can filter for locations with room, of a given type or with given tags', async () => {
    const text = await shown(stage, 'locations', { ...KART, type: 'cloud', tags: true });
    expect(text).toContain('46 places of type cloud with room for kart-racing v1.2');
    expect(text).toContain('Nigeria: Lagos (cloud)');
    expect(lastQuery(stage)).toMatchObject({
      app: 'kart-racing',
      version: 'v1.2',
      type: 'cloud',
      tags: 'true',
    });
    const none = await shown(stage, 'locations', { type: 'no-such-type' });
    expect(none).toContain('0 places of type no-such-type');
    expect(none).toContain('Leave out the type to see places of all types.');
    await shown(stage, 'locations', { application: 'kart-racing' });
    expect(lastQuery(stage)).toEqual({ app: 'kart-racing', page: '5' });
  });

  test('the command "locations" shows the distance of each location to a given city', async () => {
    const text = await shown(stage, 'locations', { near: 'paris', tags: true });
    expect(text).toContain('46 places, nearest to Paris, France first');
    expect(text).toMatch(/0 km +Paris, France +cloud \| 344 km +London, United Kingdom +cloud/);
  });

  test('the command "hosts" shows the free and total resources of the whole fleet and of each host', async () => {
    const text = await shown(stage, 'hosts', { fleet: 'tournament' });
    expect(text).toContain(
      '28.41 of 50.5 vCPU free · 55.32 of 98.35 GB free on 4 active hosts. 1 host not active yet.',
    );
    expect(text).toMatch(
      /tournament-montreal-0 \| 12\.63 of 12\.63 vCPU free · 24\.59 of 24\.59 GB free · Montreal, Canada/,
    );
    expect(text).toMatch(/tournament-vancouver-2 \| 0 of 12\.63 vCPU free/);
    expect(text).toMatch(/tournament-new-york-city-3 \| Pending, being prepared.*New York City/);
    expect(text).toMatch(/tournament-ashburn-4 · will be deleted /);
  });

  test('the command "hosts" shows how many deployments of a version fit on each host, with the highest number first', async () => {
    const text = await shown(stage, 'hosts', { fleet: 'tournament', ...KART });
    expect(text).toContain('54 more of kart-racing v1.2 fit on 3 hosts (0.5 vCPU, 1 GB each)');
    // The memory is the limit: 24.59 GB are enough for 24 deployments with 1 GB each.
    expect(text).toMatch(
      /montreal-0 \| fits 24 .*ashburn-4.*\| fits 18 .*toronto-1 \| fits 12 .*vancouver-2 \| fits 0 /,
    );
    const half = await shown(stage, 'hosts', {
      fleet: 'tournament',
      application: 'arena-shooter',
      version: '2026.2',
    });
    expect(half).toContain('13 more of arena-shooter 2026.2 fit on 3 hosts (2 vCPU, 4 GB each)');
  });

  test('the command "hosts" shows all details of a single host', async () => {
    const active = await shown(stage, 'hosts', {
      fleet: 'tournament',
      host: 'tournament-toronto-1',
      ...KART,
    });
    expect(active).toMatch(/Status\W+Active, takes servers/);
    expect(active).toMatch(/Place\W+Toronto, Canada, North America/);
    expect(active).toMatch(/Fits\W+12 more of kart-racing v1\.2/);
    expect(active).toMatch(/Specifications\W+16 vCPU, 32 GB, 2 GHz/);
    expect(active).toMatch(/IP\W+203\.0\.113\.\d+/);
    expect(active).toMatch(/Centroid\W+Alpha/);
    const pending = await shown(stage, 'hosts', { fleet: 'tournament', host: 'tournament-new-york-city-3' });
    expect(pending).toMatch(/Pending, being prepared.*CPU\W+not known yet/);
    expect(await shown(stage, 'hosts', { fleet: 'empty-fleet' })).toContain('The fleet has no hosts yet');
  });

  test('if a fleet does not exist, the refusal suggests fleets that were used before', async () => {
    await shown(stage, 'hosts', { fleet: 'tournament' });
    expect(await shown(stage, 'hosts', { fleet: 'night-cup' })).toMatch(
      /no private fleet “night-cup” in this account\. .*tournament.* The Edgegap dashboard shows all fleets/,
    );
  });

  test('if Edgegap fails during the command "locations" or "hosts", only the person who asked sees the error', async () => {
    const down = { kind: 'server-error', when: 'before' } as const;
    for (const [command, values] of [
      ['locations', {}],
      ['hosts', { fleet: 'tournament' }],
    ] as const) {
      stage.simulator.faults.next({ endpoint: command }, down, 9);
      // The bot asks Edgegap several times with a wait between the attempts.
      stage.speed(20);
      expect(await shown(stage, command, values)).toContain('Edgegap has a problem on its side');
      stage.speed(1);
      stage.simulator.faults.clear();
    }
  });

  if (name === 'discord' || name === 'slack-http')
    test('a page button of a list is refused if the bot has deleted the list, or if the button was tampered with', async () => {
      await deployReady(stage);
      for (const [command, arg] of [
        ['versions', '1.'],
        ['versions', '2.no-such-key'],
        ['locations', 'x'],
        ['hosts', '1.'],
      ] as const) {
        const { privately } = await effectOf(stage, 'operator', () =>
          pressAction(stage, 'operator', { command, action: 'page', arg }),
        );
        expect(privately.at(-1)?.text).toMatch(new RegExp(`Use .*${command}`));
      }
    });
});

test('if the bot has not been able to read any versions since its start, "versions" answers with the error from Edgegap', async () => {
  const faults = new Faults();
  faults.next({ endpoint: 'versions' }, { kind: 'server-error', when: 'before' }, 1_000);
  const stage = await stageOn('console', { simulator: { faults } });
  try {
    stage.speed(20);
    const line = 'versions kart-racing';
    const { privately } = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line));
    expect(privately.at(-1)?.text).toContain('Edgegap has a problem on its side');
  } finally {
    await stage.close();
  }
});

test('fleets from the settings and from earlier commands are suggested in the terminal, even after a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chatops-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const environment = { DATABASE_URL: join(folder, 'bot.db'), FLEETS: 'night-cup, finals' };
  const stage = await stageOn('console', { environment });
  try {
    const { complete } = stage.driver as ConsoleDriver;
    expect(await complete('hosts ')).toEqual([['night-cup ', 'finals '], '']);
    await effectOf(stage, 'operator', () => typeLine(stage, 'operator', 'hosts tournament'));
    await effectOf(stage, 'operator', () => typeLine(stage, 'operator', 'hosts no-such-fleet'));
    stage.bot = await stage.bot.restart();
    expect(await complete('hosts ')).toEqual([['night-cup ', 'finals ', 'tournament '], '']);
    await until(async () => {
      const [found] = await complete('hosts tournament --host tournament-m');
      return found.join() === 'tournament-montreal-0 ';
    }, 'the hosts to be read in the background');
    expect(await complete('hosts no-such-fleet --host t')).toEqual([[], 't']);
  } finally {
    await stage.close();
  }
});

test('the name of a fleet in the settings can be typed in capital letters, even if no person has used the fleet yet', async () => {
  const stage = await stageOn('console', { environment: { FLEETS: 'tournament' } });
  try {
    for (const line of ['hosts Tournament', 'hosts TOURNAMENT --host Tournament-Montreal-0']) {
      const { privately } = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line));
      expect(privately.at(-1)?.text).toContain('tournament-montreal-0');
    }
    expect(await (stage.driver as ConsoleDriver).complete('hosts Tournament --host tournament-m')).toEqual([
      ['tournament-montreal-0 '],
      'tournament-m',
    ]);
  } finally {
    await stage.close();
  }
});

test('on Discord, names of fleets are suggested only to people with the right to read', async () => {
  const stage = await stageOn('discord', { environment: { FLEETS: 'finals' } });
  try {
    const { suggested } = stage.driver as DiscordDriver;
    expect(await suggested('reader', 'hosts', 'fleet', 'f')).toEqual(['finals']);
    expect(await suggested('member', 'hosts', 'fleet', 'f')).toEqual([]);
  } finally {
    await stage.close();
  }
});

test('fleet names used in one account are not suggested in another account', async () => {
  const { ann, ben } = await openTwo();
  expect(await ann.say('hosts tournament')).toContain('5 hosts');
  expect(await ann.suggest('hosts', 'fleet', '')).toEqual(['tournament']);
  expect(await ben.suggest('hosts', 'fleet', '')).toEqual([]);
});

test('APP_ALLOWLIST also limits the commands "versions", "locations" and "hosts"', async () => {
  const stage = await stageOn('console', { environment: { APP_ALLOWLIST: 'lobby-chat' } });
  try {
    for (const line of [
      'versions kart-racing',
      'versions kart-racing v1.2',
      'locations --application kart-racing',
      'hosts tournament --application kart-racing --version v1.2',
    ])
      expect(
        (await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line))).privately.at(-1)?.text,
      ).toMatch(/There is no application “kart-racing”[\s\S]*There is: lobby-chat/);
  } finally {
    await stage.close();
  }
});
