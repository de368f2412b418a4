import { describe, expect, it } from 'vitest';
import { withAllowlist } from '../../src/edgegap/allowlist.ts';
import type { EdgegapApi } from '../../src/edgegap/client.ts';
import type { ListFilter } from '../../src/edgegap/requests.ts';
import { RefusedError } from '../../src/errors.ts';
import { caught, DEPLOY, FLEET_DEPLOY, LEGACY_DEPLOY, rig, STATUS } from './harness.ts';
import { json } from './scripted-server.ts';

/** The application of each deployment is the first part of its id: `kart-1` belongs to `kart`. */
const application = (request_id: string) => request_id.split('-')[0];

async function allowing(allowed: string[] | undefined, known: Record<string, string> = {}) {
  const it = await rig();
  it.server.otherwise((response, request) => {
    const id = request.path.split('/')[3] ?? '';
    const body = {
      ...STATUS,
      request_id: id || 'new-1',
      app_name: application(id),
      tags: ['qa'],
      logs: 'x',
      data: [],
      processable: [],
    };
    const apps = ['kart', 'golf', 'chess'].map((name) => ({ name }));
    json(200, { ...body, applications: apps, versions: [], locations: [], total_count: 0 })(
      response,
      request,
    );
  });
  const api = withAllowlist(it.client, allowed, async (request_id) => known[request_id]);
  return { ...it, api, [Symbol.asyncDispose]: it[Symbol.asyncDispose] };
}

async function all(api: EdgegapApi, filters: ListFilter[]) {
  const rows = [];
  for await (const row of api.allDeployments({ filters })) rows.push(row);
  return rows;
}

/** Every call that concerns a deployment. */
const keyed: [string, (api: EdgegapApi, id: string) => Promise<unknown>][] = [
  ['status', (api, id) => api.status(id)],
  ['stop', (api, id) => api.stop(id)],
  ['stopMany', (api, id) => api.stopMany([id])],
  ['logs', (api, id) => api.logs(id)],
  ['logBytes', (api, id) => api.logBytes(id)],
  ['metrics', (api, id) => api.metrics(id)],
  ['tags', (api, id) => api.tags(id)],
  ['tag', (api, id) => api.tag(id, 'qa')],
  ['addTag', (api, id) => api.addTag(id, 'qa')],
  ['renameTag', (api, id) => api.renameTag(id, 'qa', 'prod')],
  ['removeTag', (api, id) => api.removeTag(id, 'qa')],
];

/** Every call that names an application. */
const named: [string, (api: EdgegapApi, name: string) => Promise<unknown>][] = [
  ['deploy', (api, name) => api.deploy({ ...DEPLOY, application: name })],
  ['deployToFleet', (api, name) => api.deployToFleet({ ...FLEET_DEPLOY, application: name })],
  ['deployLegacy', (api, name) => api.deployLegacy({ ...LEGACY_DEPLOY, application: name })],
  ['versions', (api, name) => api.versions(name)],
  ['locations', (api, name) => api.locations({ application: name })],
  [
    'deployments',
    (api, name) => api.deployments({ filters: [{ field: 'application', operator: 'eq', value: name }] }),
  ],
  ['allDeployments', (api, name) => all(api, [{ field: 'application', operator: 'eq', value: name }])],
];

function expectRefusal(error: unknown): void {
  expect(error).toBeInstanceOf(RefusedError);
  expect(error).toMatchObject({ code: 'application-not-allowed' });
  expect((error as RefusedError).userMessage).toMatch(/^The application .*\.$/);
  expect((error as RefusedError).hint).toMatch(/\.$/);
}

it('the allowlist tests cover every call of the Edgegap client', async () => {
  await using it = await allowing(['kart']);
  const covered = [...keyed, ...named].map(([name]) => name);
  // The list of a fleet's hosts contains no applications, so the allowlist does not apply.
  expect([...covered, 'applications', 'hosts'].sort()).toEqual(Object.keys(it.api).sort());
});

describe.each(keyed)('the call %s about a deployment', (name, ask) => {
  it("a call about a deployment is refused if APP_ALLOWLIST forbids the deployment's application", async () => {
    await using it = await allowing(['kart']);
    const error = await caught(ask(it.api, 'golf-1'));
    expectRefusal(error);
    // A person who has only a request_id must not learn the names of forbidden applications.
    expect(`${(error as RefusedError).userMessage} ${(error as RefusedError).hint}`).not.toContain('golf');
    expect(it.server.lines).toEqual(['GET /v1/status/golf-1']);
  });

  it("a call about a deployment is made if APP_ALLOWLIST allows the deployment's application", async () => {
    await using it = await allowing(['kart', 'golf']);
    await ask(it.api, 'golf-1');
    expect(it.server.lines[0]).toBe('GET /v1/status/golf-1');
    expect(it.server.lines).toHaveLength(name === 'status' ? 1 : 2);
  });

  it('with APP_ALLOWLIST, a call about a deployment is refused if Edgegap does not name the application', async () => {
    await using it = await allowing(['kart']);
    it.server.script(json(200, { request_id: 'x', current_status: 'READY', app_name: null }));
    expectRefusal(await caught(ask(it.api, 'x')));
    expect(it.server.seen).toHaveLength(1);
  });
});

describe.each(keyed.filter(([name]) => name !== 'stopMany'))(
  'the call %s, which concerns a single deployment',
  (_, ask) => {
    it('with APP_ALLOWLIST, if Edgegap does not know a deployment, the error says that the deployment is unknown', async () => {
      await using it = await allowing(['kart']);
      it.server.script(json(400, { message: 'unknown' }));
      expect(await caught(ask(it.api, 'x'))).toMatchObject({ code: 'edgegap-no-such-deployment' });
    });
  },
);

describe.each(keyed.filter(([name]) => name !== 'status'))(
  'the call %s for a deployment in the store',
  (_, ask) => {
    it('to check APP_ALLOWLIST, the bot reads the application of a stored deployment from the store and does not ask Edgegap', async () => {
      await using it = await allowing(['kart'], { odd1: 'kart', odd2: 'golf' });
      await ask(it.api, 'odd1');
      expect(it.server.lines.join()).not.toContain('/v1/status/');
      const before = it.server.seen.length;
      expectRefusal(await caught(ask(it.api, 'odd2')));
      expect(it.server.seen).toHaveLength(before);
    });

    it('to check APP_ALLOWLIST, the bot asks Edgegap for the application of a deployment only once', async () => {
      await using it = await allowing(['kart']);
      await ask(it.api, 'kart-1');
      await ask(it.api, 'kart-1');
      expect(it.server.lines.filter((line) => line.includes('/v1/status/'))).toHaveLength(1);
    });
  },
);

describe.each(named)('the call %s, which names an application', (_, ask) => {
  it('a call that names an application outside APP_ALLOWLIST is refused before a request is sent', async () => {
    await using it = await allowing(['kart']);
    for (const name of ['golf', 'KART', 'kart ', '']) expectRefusal(await caught(ask(it.api, name)));
    expect(it.server.seen).toEqual([]);
  });

  it('a call that names an application on APP_ALLOWLIST is made', async () => {
    await using it = await allowing(['kart']);
    await ask(it.api, 'kart');
    expect(it.server.seen).toHaveLength(1);
  });

  it('a call that names an application is refused if APP_ALLOWLIST allows no application', async () => {
    await using it = await allowing([]);
    expectRefusal(await caught(ask(it.api, 'kart')));
  });
});

describe('the list of deployments and the allowlist', () => {
  it.each<[string, ListFilter[], string[]]>([
    ['none', [], ['kart', 'golf']],
    ['tags', [{ field: 'tags', operator: 'eq', value: 'qa' }], ['kart', 'golf']],
    ['eq', [{ field: 'application', operator: 'eq', value: 'golf' }], ['golf']],
    ['in', [{ field: 'application', operator: 'in', value: ['golf', 'chess'] }], ['golf']],
    ['neq', [{ field: 'application', operator: 'neq', value: 'golf' }], ['kart']],
    ['nin', [{ field: 'application', operator: 'nin', value: ['kart', 'chess'] }], ['golf']],
  ])(
    'a list call with the filter "%s" asks Edgegap only for applications on APP_ALLOWLIST',
    async (_, filters, applications) => {
      await using it = await allowing(['kart', 'golf']);
      await it.api.deployments({ filters, limit: 7 });
      await all(it.api, filters);
      expect(it.server.seen).toHaveLength(2);
      expect(it.server.seen[0]?.query.limit).toBe('7');
      for (const { query } of it.server.seen) {
        const sent: ListFilter[] = JSON.parse(query.query ?? '').filters;
        const about = sent.filter(({ field }) => field === 'application');
        expect(about).toEqual([{ field: 'application', operator: 'in', value: applications }]);
        expect(sent.length - 1).toBe(filters.filter(({ field }) => field !== 'application').length);
      }
    },
  );

  it('if no application on APP_ALLOWLIST can match a list call, the list is empty and no request is sent', async () => {
    await using it = await allowing(['kart']);
    const filters: ListFilter[] = [{ field: 'application', operator: 'neq', value: 'kart' }];
    expect(await it.api.deployments({ filters, page: 3 })).toEqual({
      rows: [],
      total_count: 0,
      has_next: false,
      page: 3,
      messages: [],
    });
    expect(await all(it.api, filters)).toEqual([]);
    await using none = await allowing([]);
    expect((await none.api.deployments()).rows).toEqual([]);
    expect([...it.server.seen, ...none.server.seen]).toEqual([]);
  });
});

it('if APP_ALLOWLIST forbids any deployment in a stop of several deployments, the whole stop is refused', async () => {
  await using it = await allowing(['kart', 'chess'], { odd1: 'kart' });
  expectRefusal(await caught(it.api.stopMany(['kart-1', 'golf-1', 'chess-1'])));
  expect(it.server.lines).not.toContain('POST /v1/deployments/bulk-stop');
  await it.api.stopMany(['kart-2', 'odd1', 'chess-2']);
  await it.api.stopMany(['chess-2', 'kart-2']);
  const bulk = 'POST /v1/deployments/bulk-stop';
  expect(it.server.lines.slice(3, 5).sort()).toEqual(['GET /v1/status/chess-2', 'GET /v1/status/kart-2']);
  expect(it.server.lines.slice(5)).toEqual([bulk, bulk]);
});

it('with APP_ALLOWLIST, a stop of several deployments skips each deployment whose application Edgegap cannot name', async () => {
  await using it = await allowing(['kart'], { ours: 'kart' });
  it.server.script(json(400, { message: 'unknown' }), json(403, {}));
  await it.api.stopMany(['gone', 'hidden', 'ours']);
  expect(JSON.parse(it.server.seen.at(-1)?.body ?? '').filters[0].values).toEqual(['ours']);
});

it('with APP_ALLOWLIST, if Edgegap knows none of the deployments in a stop of several deployments, nothing is stopped', async () => {
  await using it = await allowing(['kart']);
  it.server.script(json(400, { message: 'unknown' }));
  expect(await it.api.stopMany(['gone'])).toEqual({ taken: [], perhaps: [] });
  expect(it.server.lines).toEqual(['GET /v1/status/gone']);
});

it('with APP_ALLOWLIST, a stop of several deployments fails if Edgegap cannot name any of their applications', async () => {
  await using it = await allowing(['kart']);
  it.server.script(json(403, {}), json(400, { message: 'unknown' }));
  expect(await caught(it.api.stopMany(['hidden', 'gone']))).toMatchObject({ code: 'edgegap-forbidden' });
});

it('the list of applications contains only applications on APP_ALLOWLIST', async () => {
  await using it = await allowing(['kart', 'chess', 'gone']);
  expect((await it.api.applications()).map(({ name }) => name)).toEqual(['kart', 'chess']);
});

it('with APP_ALLOWLIST, locations can be requested without an application', async () => {
  await using it = await allowing(['kart']);
  expect(await it.api.locations()).toEqual({ locations: [], messages: [] });
});

it('the client remembers the deployments of its own deploys, even of failed deploys, as allowed', async () => {
  await using it = await allowing(['kart']);
  it.server.script(json(202, { request_id: 'fresh' }), json(422, { request_id: 'left', message: 'full' }));
  await it.api.deploy({ ...DEPLOY, application: 'kart' });
  await caught(it.api.deploy({ ...DEPLOY, application: 'kart' }));
  await it.api.stop('fresh');
  await it.api.stop('left');
  expect(it.server.lines.filter((line) => line.includes('/v1/status/'))).toEqual([]);
});

it('without APP_ALLOWLIST, the Edgegap client is used without checks', async () => {
  await using it = await allowing(undefined);
  expect(it.api).toBe(it.client);
});
