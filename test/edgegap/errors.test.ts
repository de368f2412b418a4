import { describe, expect, it } from 'vitest';
import type { EdgegapClient } from '../../src/edgegap/client.ts';
import { DEPLOY, FLEET_DEPLOY, failure, LEGACY_DEPLOY, rig, settled } from './harness.ts';
import { cutShort, json, reset, type Step, silence, text } from './scripted-server.ts';

type Ask = (client: EdgegapClient) => Promise<unknown>;

const status: Ask = (client) => client.status('abc');
const stop: Ask = (client) => client.stop('abc');
const stopMany: Ask = (client) => client.stopMany(['abc']);
const logs: Ask = (client) => client.logs('abc');
const tags: Ask = (client) => client.tags('abc');
const addTag: Ask = (client) => client.addTag('abc', 'qa');
const renameTag: Ask = (client) => client.renameTag('abc', 'qa', 'prod');
const removeTag: Ask = (client) => client.removeTag('abc', 'qa');
const deploy: Ask = (client) => client.deploy(DEPLOY);
const deployToFleet: Ask = (client) => client.deployToFleet(FLEET_DEPLOY);
const deployLegacy: Ask = (client) => client.deployLegacy(LEGACY_DEPLOY);
const list: Ask = (client) => client.deployments();
const applications: Ask = (client) => client.applications();
const versions: Ask = (client) => client.versions('kart');

const everything = {
  status,
  stop,
  stopMany,
  logs,
  tags,
  addTag,
  renameTag,
  removeTag,
  deploy,
  deployToFleet,
  deployLegacy,
  list,
  applications,
  versions,
};

/** Checks that the error has complete sentences and advice. */
function readable(error: { userMessage: string; hint: string | undefined }): void {
  expect(error.userMessage).toMatch(/^[A-Z].*\S/);
  expect(error.hint).toMatch(/^[A-Z`].*\.$/);
}

describe('the error for each answer from Edgegap', () => {
  it.each<[string, Ask, number, unknown, string, string]>([
    ['status', status, 404, { message: 'Not found' }, 'edgegap-no-such-deployment', 'not-done'],
    ['status', status, 400, { message: 'Bad request' }, 'edgegap-no-such-deployment', 'not-done'],
    ['status', status, 410, { message: 'Gone' }, 'edgegap-gone', 'not-done'],
    ['stop', stop, 404, {}, 'edgegap-no-such-deployment', 'not-done'],
    ['stop', stop, 400, { message: 'Instance abc not found' }, 'edgegap-no-such-deployment', 'not-done'],
    ['stop', stop, 409, { message: 'Busy' }, 'edgegap-conflict', 'not-done'],
    ['stopMany', stopMany, 400, { message: 'Bad filter' }, 'edgegap-bad-request', 'not-done'],
    ['logs', logs, 404, { message: 'Not found' }, 'edgegap-no-such-deployment', 'not-done'],
    ['logs', logs, 400, { message: 'x' }, 'edgegap-no-such-deployment', 'not-done'],
    ['tags', tags, 404, {}, 'edgegap-no-such-deployment', 'not-done'],
    ['tags', tags, 400, {}, 'edgegap-no-such-deployment', 'not-done'],
    ['addTag', addTag, 404, { message: 'Deployment not found' }, 'edgegap-no-such-deployment', 'not-done'],
    [
      'addTag',
      addTag,
      400,
      { message: 'Deployment abc is unknown' },
      'edgegap-no-such-deployment',
      'not-done',
    ],
    ['addTag', addTag, 400, { message: 'No request_id my-tag' }, 'edgegap-no-such-deployment', 'not-done'],
    ['addTag', addTag, 400, { message: 'Tag is too long' }, 'edgegap-bad-request', 'not-done'],
    ['addTag', addTag, 409, { message: 'Tag exists' }, 'edgegap-conflict', 'not-done'],
    ['renameTag', renameTag, 409, { message: 'Tag exists' }, 'edgegap-conflict', 'not-done'],
    ['renameTag', renameTag, 404, { message: 'Tag qa not found' }, 'edgegap-no-such-tag', 'not-done'],
    ['removeTag', removeTag, 404, { message: 'No such tag' }, 'edgegap-no-such-tag', 'not-done'],
    ['deploy', deploy, 400, { message: 'Unknown application' }, 'edgegap-bad-request', 'not-done'],
    ['deploy', deploy, 404, { message: 'No such version' }, 'edgegap-not-found', 'not-done'],
    ['deploy', deploy, 409, {}, 'edgegap-conflict', 'unknown'],
    ['deploy', deploy, 302, {}, 'edgegap-redirected', 'unknown'],
    ['deploy', deploy, 307, {}, 'edgegap-redirected', 'unknown'],
    ['deploy', deploy, 408, {}, 'edgegap-bad-request', 'unknown'],
    ['deploy', deploy, 410, {}, 'edgegap-gone', 'unknown'],
    ['deploy', deploy, 425, {}, 'edgegap-bad-request', 'unknown'],
    ['deploy', deploy, 451, {}, 'edgegap-bad-request', 'unknown'],
    ['deploy', deploy, 499, {}, 'edgegap-bad-request', 'unknown'],
    ['deploy', deploy, 422, { message: 'Full', request_id: 'f00' }, 'edgegap-cannot-allocate', 'done'],
    ['deploy', deploy, 422, { message: 'Full' }, 'edgegap-cannot-allocate', 'unknown'],
    ['deployToFleet', deployToFleet, 400, { message: 'No version' }, 'edgegap-bad-request', 'not-done'],
    ['deployToFleet', deployToFleet, 409, {}, 'edgegap-conflict', 'unknown'],
    ['deployToFleet', deployToFleet, 422, { request_id: 'f00' }, 'edgegap-cannot-allocate', 'done'],
    ['deployLegacy', deployLegacy, 404, { message: 'No version' }, 'edgegap-not-found', 'not-done'],
    ['deployLegacy', deployLegacy, 409, { message: 'Conflict' }, 'edgegap-conflict', 'unknown'],
    ['deployLegacy', deployLegacy, 422, { message: 'Full' }, 'edgegap-cannot-allocate', 'unknown'],
    ['versions', versions, 404, {}, 'edgegap-not-found', 'not-done'],
    ['versions', versions, 400, {}, 'edgegap-bad-request', 'not-done'],
    ['applications', applications, 404, {}, 'edgegap-not-found', 'not-done'],
    ['list', list, 400, { message: 'Bad filter' }, 'edgegap-bad-request', 'not-done'],
    ['list', list, 422, {}, 'edgegap-bad-request', 'not-done'],
    ['list', list, 424, {}, 'edgegap-bad-request', 'not-done'],
  ])(
    'the call $0 that Edgegap answers with $2 and $3 fails with the error $4',
    async (_, ask, code, body, meaning, outcome) => {
      await using it = await rig();
      it.server.script(json(code, body));
      const error = await failure(ask(it.client));
      expect(error).toMatchObject({ code: meaning, status: code, outcome });
      readable(error);
      expect(it.server.seen).toHaveLength(1);
      expect(error.method).toBe(it.server.seen[0]?.method);
      expect(error.path).toBe(it.server.seen[0]?.path);
    },
  );

  it.each(Object.entries(everything))(
    'for 401, 403, 429, 5xx and redirects, the call "%s" fails with the right error and outcome',
    async (name, ask) => {
      // If a proxy redirects a deploy, Edgegap may still have carried out the deploy.
      const redirected = name.startsWith('deploy') ? 'unknown' : 'not-done';
      for (const [code, meaning, outcome, headers] of [
        [401, 'edgegap-unauthorized', 'not-done', {}],
        [403, 'edgegap-forbidden', 'not-done', {}],
        [429, 'edgegap-too-fast', 'not-done', { 'retry-after': '2' }],
        [500, 'edgegap-unavailable', 'unknown', {}],
        [503, 'edgegap-unavailable', 'unknown', {}],
        [301, 'edgegap-redirected', redirected, { location: '/elsewhere' }],
        [307, 'edgegap-redirected', redirected, { location: '/elsewhere' }],
        [303, 'edgegap-redirected', 'unknown', { location: '/elsewhere' }],
      ] as const) {
        await using it = await rig();
        it.server.otherwise(json(code, { message: 'words of theirs' }, headers));
        const error = await failure(settled(it.clock, ask(it.client)));
        expect(error).toMatchObject({ code: meaning, status: code, outcome, apiMessage: 'words of theirs' });
        readable(error);
        expect(it.server.seen.map(({ path }) => path)).not.toContain('/elsewhere');
      }
    },
  );

  it('each type of error from Edgegap has its own text', async () => {
    const cases: [Ask, number][] = [
      [deploy, 400],
      [deploy, 401],
      [deploy, 403],
      [deploy, 404],
      [deploy, 409],
      [deploy, 422],
      [deploy, 429],
      [deploy, 500],
      [status, 404],
      [logs, 404],
      [status, 410],
      [addTag, 409],
    ];
    const words = new Set<string>();
    for (const [ask, code] of cases) {
      await using it = await rig();
      it.server.otherwise(json(code, {}));
      words.add((await failure(settled(it.clock, ask(it.client)))).userMessage);
    }
    expect(words.size).toBe(cases.length);
  });

  it('if Edgegap answers a deploy with 422, the error names the deployment that Edgegap left behind', async () => {
    await using it = await rig();
    it.server.script(json(422, { request_id: 'f00ba4', message: 'Could not allocate' }));
    const error = await failure(it.client.deploy(DEPLOY));
    expect(error.requestId).toBe('f00ba4');
    expect(error.hint).toContain('f00ba4');
    expect(error.userMessage).toContain('Could not allocate');
  });

  it("an error shows Edgegap's message and details on a single line of at most 300 characters", async () => {
    await using it = await rig();
    it.server.script(
      json(400, { message: 'Bad\n\trequest', details: { users: ['missing'] } }),
      json(400, { message: 'x'.repeat(5_000) }),
      text(400, '<html>nginx</html>'),
      json(400, { message: { odd: 1 }, details: {} }),
      json(400, ['odd']),
    );
    expect((await failure(deploy(it.client))).apiMessage).toBe('Bad request {"users":["missing"]}');
    const long = await failure(deploy(it.client));
    expect(long.apiMessage).toHaveLength(300);
    expect(long.userMessage.length).toBeLessThan(400);
    for (let i = 0; i < 3; i++) expect((await failure(deploy(it.client))).apiMessage).toBeUndefined();
  });

  it('after a 429, the Edgegap client waits as long as Retry-After asks, but at most 30 seconds', async () => {
    for (const [header, ms] of [
      ['7', 7_000],
      ['3600', 30_000],
      ['Tue, 03 Mar 2026 16:00:09 GMT', 9_000],
      ['Tue, 03 Mar 2026 15:00:00 GMT', 0],
      ['Fri, 31 Dec 9999 23:59:59 GMT', 30_000],
      ['soon', undefined],
    ] as const) {
      await using it = await rig();
      // The test computes the waiting time at the first answer, because the date in the header is closer at each
      // attempt.
      const headers = { 'retry-after': header };
      it.server.script(json(429, {}, headers), json(401, {}));
      let asked: number | undefined;
      it.server.onRequest = () => {
        asked ??= it.clock.now();
      };
      const call = failure(settled(it.clock, it.client.deploy(DEPLOY)));
      await call;
      expect(it.clock.now() - (asked ?? 0), header).toBeGreaterThanOrEqual(ms ?? 500);
      expect(it.clock.now() - (asked ?? 0), header).toBeLessThanOrEqual((ms ?? 500) + 100);
    }
  });
});

describe('calls without a usable answer', () => {
  const broken: Step = text(200, '{"request_id": "a', { 'content-type': 'application/json' });

  it.each<[string, Step, string]>([
    ['incomplete JSON', broken, 'edgegap-unreadable'],
    ['an HTML page', text(200, '<html>Hello</html>'), 'edgegap-unreadable'],
    ['JSON without the expected fields', json(200, { hello: 'world' }), 'edgegap-unreadable'],
    ['an empty answer', text(200, ''), 'edgegap-unreadable'],
    ['a reset of the connection', reset, 'edgegap-disconnected'],
    ['an incomplete body', cutShort, 'edgegap-disconnected'],
  ])('a deploy answered with %s has an unknown outcome and is never sent again', async (_, step, code) => {
    await using it = await rig();
    it.server.script(step);
    const error = await failure(settled(it.clock, it.client.deploy(DEPLOY)));
    expect(error).toMatchObject({ code, outcome: 'unknown' });
    readable(error);
    expect(it.server.seen).toHaveLength(1);
  });

  it.each([400, 401, 404, 409, 422, 500, 502, 503, 504])(
    'a deploy answered with %i is not sent again',
    async (code) => {
      await using it = await rig();
      it.server.otherwise(json(code, { message: 'no' }));
      await failure(settled(it.clock, it.client.deploy(DEPLOY)));
      expect(it.server.seen).toHaveLength(1);
    },
  );

  it.each([
    ['deploy', deploy, 'unknown'],
    ['status', status, 'unknown'],
    ['stop', stop, 'unknown'],
    ['addTag', addTag, 'unknown'],
  ])('the call "%s" times out if Edgegap does not answer, and is not sent again', async (_, ask, outcome) => {
    await using it = await rig({ timeoutMs: 30_000 });
    it.server.otherwise(silence);
    const arrived = new Promise<void>((resolve) => {
      it.server.onRequest = () => resolve();
    });
    const call = failure(ask(it.client));
    await arrived;
    await it.clock.advance(30_000);
    const error = await call;
    expect(error).toMatchObject({ code: 'edgegap-timeout', outcome, status: undefined });
    expect(error.userMessage).toContain('30 s');
    readable(error);
    expect(it.server.seen).toHaveLength(1);
  });

  it('a call to Edgegap times out if the answer never ends', async () => {
    await using it = await rig({ timeoutMs: 30_000 });
    const half = new Promise<void>((resolve) => {
      it.server.script((response) => {
        response.writeHead(200);
        response.write('{', () => resolve());
      });
    });
    const call = failure(it.client.logs('abc'));
    await half;
    await it.clock.advance(30_000);
    expect(await call).toMatchObject({ code: 'edgegap-timeout' });
  });

  it("if Edgegap's address refuses connections, the call counts as not carried out", async () => {
    await using it = await rig();
    await it.server[Symbol.asyncDispose]();
    for (const ask of Object.values(everything)) {
      const error = await failure(settled(it.clock, ask(it.client)));
      expect(error).toMatchObject({ code: 'edgegap-unreachable', outcome: 'not-done' });
      expect(error.userMessage).toContain('ECONNREFUSED');
      readable(error);
    }
  });

  it('if the host is unknown or the server does not speak TLS, the deploy counts as not carried out', async () => {
    await using other = await rig();
    for (const baseUrl of ['http://edgegap.invalid', other.server.url.replace('http:', 'https:')]) {
      await using it = await rig({ baseUrl });
      const error = await failure(settled(it.clock, it.client.deploy(DEPLOY)));
      expect(error).toMatchObject({ code: 'edgegap-unreachable', outcome: 'not-done' });
    }
    expect(other.server.seen).toEqual([]);
  });
});
