import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SimulatedCatalog } from '../../src/simulator/catalog.ts';
import { defaultCatalog } from '../../src/simulator/catalog.ts';
import { defaultCities } from '../../src/simulator/cities.ts';
import { effectOf, type Stage, stageOn } from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import type { Values } from '../support/chat-driver.ts';

const [template] = defaultCatalog.applications[0]?.versions ?? [];
const [montreal] = defaultCities;
if (!template || !montreal) throw new Error('The default catalog is empty');

const numbered = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, n) => `${prefix}${String(n + 1).padStart(3, '0')}`);
const cities = numbered(200, 'Town').map((city, n) => ({
  ...montreal,
  city: `${city} upon the River`,
  country: `Country of Long Names ${Math.floor(n / 2)}`,
  continent: 'Pangaea',
  latitude: 45 - n / 10,
}));
const big: SimulatedCatalog = {
  cities,
  applications: [
    {
      name: 'nightly',
      is_active: true,
      versions: numbered(400, 'build-').map((name) => ({ ...template, name, is_active: true })),
    },
  ],
  fleets: [
    {
      name: 'world',
      hosts: numbered(500, 'alpha-north-america-').map((host_id, n) => ({
        host_id,
        status: 'ACTIVE',
        city: montreal,
        allocated: { cpu: 0, memory: 0 },
        allocatable: { cpu: 1024 + n, memory: 65_536 },
      })),
    },
  ],
};

describe.each(driverNames)('many rows on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn(name, { simulator: { catalog: big } });
    // Edgegap allows ten pages of hosts a second.
    stage.speed(20);
  });
  afterAll(() => stage?.close());

  const privately = async (act: () => Promise<void>) => {
    const effect = await effectOf(stage, 'operator', act);
    expect(effect.publicly).toEqual([]);
    const shown = effect.privately.at(-1);
    return { ...shown, text: shown?.text.replaceAll('\\', '') ?? '', asked: effect.asked };
  };
  const ask = (command: string, values: Values) =>
    privately(() => stage.driver.command('operator', command, values));
  const press = (label: string) => privately(() => stage.driver.press('operator', label));
  const found = (text: string, pattern: RegExp) => [...new Set(text.match(pattern))];

  test('400 versions are shown on 40 pages, newest first, and are read from Edgegap only once', async () => {
    const first = await ask('versions', { application: 'nightly' });
    expect(first.text).toContain('nightly: 400 versions');
    expect(found(first.text, /build-\d+/g)).toEqual(numbered(400, 'build-').toReversed().slice(0, 10));
    expect(first.text).toContain('Page 1 of 40');
    expect(first.buttons).toEqual(['Next']);
    const second = await press('Next');
    expect(second.id).toBe(first.id);
    expect(found(second.text, /build-\d+/g)).toEqual(numbered(400, 'build-').toReversed().slice(10, 20));
    expect(second.asked).toEqual([]);
    expect(second.buttons).toEqual(['Previous', 'Next']);
    const last = await ask('versions', { application: 'nightly', page: 41 });
    expect(last.text).toContain('There is no page 41. Page 40 of 40');
    expect(last.text).toContain('build-001');
  });

  test('a list of 200 locations shows every city under its country, over several pages', async () => {
    let page = await ask('locations', {});
    expect(page.text).toContain('200 places');
    let text = page.text;
    while (page.buttons?.includes('Next')) {
      page = await press('Next');
      text += page.text;
    }
    expect(found(text, /Town\d+/g).toSorted()).toEqual(numbered(200, 'Town'));
    expect(page.text).toContain('Page 5 of 5');
    expect(text).toMatch(/Country of Long Names 0: Town001 upon the River, Town002 upon the River/);
  });

  test('a list of 200 locations is sorted by distance on every page', async () => {
    const first = await ask('locations', {
      near: 'Town100 upon the River',
      application: 'nightly',
      version: 'build-400',
    });
    expect(first.text).toContain('200 places with room for nightly build-400, nearest to Town100');
    expect(first.text).toMatch(/0 km +Town100 upon the River, Country of Long Names 49\n.*11 km +Town/);
    const second = await press('Next');
    expect(second.text).toContain('Page 2 of 10');
    expect(second.text).toMatch(/1\d\d km/);
  });

  test('a list of 500 hosts shows the host with the most room first, and a new page does not read the hosts again', async () => {
    const first = await ask('hosts', { fleet: 'world', application: 'nightly', version: 'build-400' });
    expect(first.text).toContain('world: 500 hosts');
    // 12 hosts have 1.5 vCPU or more. Each of the other hosts has room for two deployments with half a vCPU.
    expect(first.text).toMatch(/1000 more of nightly build-400 fit.* on 500 hosts \(0\.5 vCPU, 1 GB each\)/);
    expect(found(first.text, /alpha[\w-]+/g).slice(0, 2)).toEqual([
      'alpha-north-america-500',
      'alpha-north-america-499',
    ]);
    expect(first.text).toContain('Page 1 of 50');
    const second = await press('Next');
    expect(second.text).toContain('alpha-north-america-490');
    expect(second.asked).toEqual([]);
    expect(second.buttons).toEqual(['Previous', 'Next']);
  });
});
