import { describe, expect, it } from 'vitest';
import { AppVersion } from '../../src/edgegap/catalogue.ts';
import {
  DeploymentList,
  DeploymentPort,
  DeploymentStatus,
  KNOWN_STATUSES,
  parseEdgegapTime,
  TagList,
} from '../../src/edgegap/schema.ts';
import { STATUS } from './harness.ts';

describe("reading a deployment's status", () => {
  it.each(KNOWN_STATUSES)('every spelling of the status %s is read as that status', (name) => {
    for (const spelling of [
      `Status.${name}`,
      name,
      name.toLowerCase(),
      `status.${name.toLowerCase()}`,
      ` ${name} `,
    ]) {
      expect(DeploymentStatus.parse({ ...STATUS, current_status: spelling }).current_status).toBe(name);
    }
  });

  it('an unknown deployment status is passed on unchanged', () => {
    expect(DeploymentStatus.parse({ ...STATUS, current_status: 'Status.MIGRATING' }).current_status).toBe(
      'MIGRATING',
    );
  });

  it('a status answer from Edgegap needs only an id and the name of the status', () => {
    const least = { request_id: 'a', current_status: 'READY' };
    expect(DeploymentStatus.parse(least)).toMatchObject({
      ...least,
      running: false,
      error: false,
      ports: {},
      tags: [],
    });
    expect(DeploymentStatus.safeParse({ request_id: 'a' }).success).toBe(false);
    expect(DeploymentStatus.safeParse({ current_status: 'READY' }).success).toBe(false);
    expect(DeploymentStatus.safeParse('READY').success).toBe(false);
    expect(DeploymentStatus.safeParse(null).success).toBe(false);
  });

  it.each(
    Object.keys(DeploymentStatus.shape).filter((key) => !['request_id', 'current_status'].includes(key)),
  )('a status answer is accepted even if %s is null, missing or nonsense', (key) => {
    for (const odd of [null, undefined, { odd: true }, [1, { x: 2 }], 7.5, 'odd', true]) {
      const read = DeploymentStatus.safeParse({ ...STATUS, [key]: odd });
      expect(read.success, `${key}: ${JSON.stringify(odd)}`).toBe(true);
    }
  });

  it('the bot reads an empty text in a status answer as a missing value', () => {
    for (const empty of ['', '  ']) {
      const texts = [
        'app_name',
        'app_version',
        'fqdn',
        'public_ip',
        'error_detail',
        'start_time',
        'last_status',
      ];
      const read = DeploymentStatus.parse({
        ...STATUS,
        ...Object.fromEntries(texts.map((key) => [key, empty])),
        location: { city: empty, country: 'Canada' },
        ports: { game: { name: empty, link: ':30345', external: 30345, protocol: empty } },
        tags: [empty, 'qa', { name: empty }],
      });
      for (const key of texts) expect(read, key).toHaveProperty(key, undefined);
      expect(read.location).toEqual({ ...read.location, city: undefined, country: 'Canada' });
      expect(read.ports.game).toMatchObject({ name: undefined, link: undefined, external: 30345 });
      expect(read.ports.game?.protocol).toBeUndefined();
      expect(read.tags).toEqual(['qa']);
    }
  });

  it('the bot reads the ports, the location and the tags of a status answer, and drops unknown fields', () => {
    const read = DeploymentStatus.parse({
      ...STATUS,
      ports: {
        gameport: {
          name: 'gameport',
          link: 'x:30345',
          internal: 7777,
          external: 30345,
          protocol: 'UDP',
          tls_upgrade: false,
        },
        broken: null,
      },
      location: { city: 'Montreal', country: 'Canada', latitude: 45.5, longitude: null },
      tags: ['qa', { name: 'nightly' }, 4],
      something_new: 1,
    });
    expect(Object.keys(read.ports)).toEqual(['gameport']);
    expect(read.ports.gameport).toMatchObject({ external: 30345, link: 'x:30345' });
    expect(read.location).toMatchObject({ city: 'Montreal', latitude: 45.5 });
    expect(read.location?.longitude).toBeUndefined();
    expect(read.tags).toEqual(['qa', 'nightly']);
    expect(read).not.toHaveProperty('something_new');
  });

  it.each([{}, { external: null, link: null }, { external: '30345', protocol: 7, tls_upgrade: 'no' }])(
    'a port without any usable field is read as an empty port: %j',
    (port) => {
      expect(Object.values(DeploymentPort.parse(port)).filter((value) => value !== undefined)).toEqual([]);
    },
  );

  it('if a status answer gives the ports as a list, the bot reads each port under its name', () => {
    const { ports } = DeploymentStatus.parse({
      ...STATUS,
      ports: [{ name: 'game', external: 1 }, { external: 2 }],
    });
    expect(ports).toMatchObject({ game: { external: 1 }, 1: { external: 2 } });
  });
});

describe('reading lists', () => {
  const pagination = { number: 1, next_page_number: null, previous_page_number: null, has_next: false };

  it('a list of tags can have "count" or "total_count", and its tags can be texts or objects', () => {
    for (const tags of [
      [{ name: 'a' }, { name: 'b', create_time: null }],
      ['a', 'b'],
    ]) {
      for (const count of [{ count: 2 }, { total_count: 2 }]) {
        expect(TagList.parse({ tags, ...count, pagination })).toMatchObject({ rows: ['a', 'b'], total: 2 });
      }
    }
  });

  it('an answer without rows is read as an empty list, and an answer that is not a list is refused', () => {
    expect(DeploymentList.parse({ total_count: 0, pagination })).toMatchObject({ rows: [], total: 0 });
    expect(DeploymentList.parse({ data: [] })).toMatchObject({ rows: [] });
    expect(DeploymentList.parse({ data: null, total_count: 0 })).toMatchObject({ rows: [] });
    for (const other of [{}, { message: 'hello' }, [], 'x', null, { data: 'x', total_count: 1 }]) {
      expect(DeploymentList.safeParse(other).success, JSON.stringify(other)).toBe(false);
    }
  });

  it("the registry credentials of an application version are removed from Edgegap's answer", () => {
    const version = AppVersion.parse({
      name: 'v1',
      is_active: false,
      private_token: 'hush',
      envs: [{ key: 'A', value: 'b' }],
    });
    expect(version).toMatchObject({ name: 'v1', is_active: false });
    expect(JSON.stringify(version)).not.toMatch(/hush|envs/);
  });
});

describe('reading times', () => {
  it.each([
    ['2026-03-03 16:02:09.360719', Date.UTC(2026, 2, 3, 16, 2, 9, 360)],
    ['2026-03-03 16:02:09', Date.UTC(2026, 2, 3, 16, 2, 9)],
    ['2026-03-03 16:02', Date.UTC(2026, 2, 3, 16, 2)],
    ['2026-03-03 16:02:09.3', Date.UTC(2026, 2, 3, 16, 2, 9, 300)],
    ['2026-03-03T16:02:09.360719', Date.UTC(2026, 2, 3, 16, 2, 9, 360)],
    ['2025-11-26T16:32:30.825138Z', Date.UTC(2025, 10, 26, 16, 32, 30, 825)],
    ['2025-11-26T16:32:30+02:00', Date.UTC(2025, 10, 26, 14, 32, 30)],
    ['2025-11-26T16:32:30-0130', Date.UTC(2025, 10, 26, 18, 2, 30)],
    ['2025-11-26 16:32:30 UTC', Date.UTC(2025, 10, 26, 16, 32, 30)],
    [' 2026-03-03 16:02:09 ', Date.UTC(2026, 2, 3, 16, 2, 9)],
  ])('the text "%s" from Edgegap is read as a time', (text, ms) => {
    expect(parseEdgegapTime(text)).toBe(ms);
  });

  it.each(['', 'soon', '2026-13-03 16:02:09', '2026-03-03 25:02:09', '03/03/2026', null, undefined])(
    'the text "%s" is not read as a time',
    (text) => {
      expect(parseEdgegapTime(text)).toBeUndefined();
    },
  );
});
