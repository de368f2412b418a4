import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { bareToken } from '../../src/edgegap/token.ts';
import {
  DEPLOY,
  FLEET_DEPLOY,
  failure,
  LEGACY_DEPLOY,
  refused,
  rig,
  STATUS,
  settled,
  TOKEN,
} from './harness.ts';
import { json, text } from './scripted-server.ts';

const last = { number: 1, next_page_number: null, previous_page_number: null, has_next: false };

describe('requests to Edgegap', () => {
  it('a deploy sends all fields of the request to Edgegap', async () => {
    await using it = await rig();
    it.server.script(json(202, { request_id: 'a69f8e3e0555' }));
    const deployed = await it.client.deploy({
      application: 'kart-racing',
      version: 'v1.2',
      users: [{ ip_address: '203.0.113.7' }, { latitude: 45.5, longitude: -73.56 }],
      tags: ['qa'],
      environment_variables: [
        { key: 'MODE', value: 'duel' },
        { key: 'KEY', value: 'k', is_hidden: true },
      ],
      require_cached_locations: true,
      resources: { cpu_units: 512, memory_mib: 1024 },
      webhooks: { ready: 'https://bot/r', error: 'https://bot/e', terminated: 'https://bot/t' },
    });
    expect(deployed).toEqual({ request_id: 'a69f8e3e0555' });
    const [seen] = it.server.seen;
    expect(it.server.lines).toEqual(['POST /v2/deployments']);
    expect(seen?.headers).toMatchObject({
      authorization: `token ${TOKEN}`,
      'content-type': 'application/json',
    });
    expect(JSON.parse(seen?.body ?? '')).toEqual({
      application: 'kart-racing',
      version: 'v1.2',
      users: [
        { user_type: 'ip_address', user_data: { ip_address: '203.0.113.7' } },
        { user_type: 'geo_coordinates', user_data: { latitude: 45.5, longitude: -73.56 } },
      ],
      tags: ['qa'],
      environment_variables: [
        { key: 'MODE', value: 'duel', is_hidden: false },
        { key: 'KEY', value: 'k', is_hidden: true },
      ],
      require_cached_locations: true,
      resources: { cpu_units: 512, memory_mib: 1024 },
      webhook_on_ready: { url: 'https://bot/r' },
      webhook_on_error: { url: 'https://bot/e' },
      webhook_on_terminated: { url: 'https://bot/t' },
    });
  });

  it('a deploy leaves out the fields that the caller did not give', async () => {
    await using it = await rig();
    it.server.script(json(202, { request_id: 'a' }));
    await it.client.deploy({ ...DEPLOY, webhooks: { ready: 'https://bot/r' } });
    const body = JSON.parse(it.server.seen[0]?.body ?? '');
    expect(Object.keys(body).sort()).toEqual(['application', 'users', 'version', 'webhook_on_ready']);
  });

  it('a deploy to a private fleet sends the same fields as other deploys, and the hosts in the given order', async () => {
    await using it = await rig();
    it.server.otherwise(json(202, { request_id: 'a69f8e3e0555' }));
    expect(await it.client.deployToFleet(FLEET_DEPLOY)).toEqual({ request_id: 'a69f8e3e0555' });
    await it.client.deploy(DEPLOY);
    const [fleet, cloud] = it.server.seen.map(({ body }) => JSON.parse(body));
    expect(fleet).toEqual({ ...cloud, private_host_ids: ['alpha-2', 'alpha-1'] });
    expect(it.server.lines[0]).toBe('POST /v2/private-fleets/deployments');
  });

  it('a legacy deploy sends all fields and returns the version that was deployed', async () => {
    await using it = await rig();
    const deployed = { request_id: 'a', request_app: 'kart-racing', request_version: 'v1.3' };
    it.server.script(json(200, deployed), json(200, { request_id: 'b' }));
    expect(
      await it.client.deployLegacy({
        application: 'kart-racing',
        version: 'v1.3',
        users: [{ ip_address: '203.0.113.7' }, { ip_address: '::1' }],
        tags: ['qa'],
        environment_variables: [{ key: 'KEY', value: 'k', is_hidden: true }],
        command: '/bin/server',
        arguments: '--map harbour',
        container_log_storage: { enabled: true, endpoint_storage: 'match-logs' },
        webhooks: { ready: 'https://bot/r' },
      }),
    ).toEqual({ request_id: 'a', version: 'v1.3' });
    expect(await it.client.deployLegacy(LEGACY_DEPLOY)).toEqual({ request_id: 'b', version: undefined });
    const [whole, least] = it.server.seen.map(({ body }) => JSON.parse(body));
    expect(whole).toEqual({
      app_name: 'kart-racing',
      version_name: 'v1.3',
      ip_list: ['203.0.113.7', '::1'],
      tags: ['qa'],
      env_vars: [{ key: 'KEY', value: 'k', is_hidden: true }],
      command: '/bin/server',
      arguments: '--map harbour',
      container_log_storage: { enabled: true, endpoint_storage: 'match-logs' },
      webhook_url: 'https://bot/r',
    });
    expect(least).toEqual({ app_name: 'kart-racing', ip_list: ['203.0.113.7'] });
    expect(it.server.lines).toEqual(['POST /v1/deploy', 'POST /v1/deploy']);
  });

  it('each call of the Edgegap client uses the path of the right endpoint', async () => {
    await using it = await rig();
    const { client, server } = it;
    server.otherwise((response, { path }) => {
      const name = path.split('/').at(-1) ?? '';
      const key = { apps: 'applications', hosts: 'data' }[name] ?? name;
      json(200, { ...STATUS, message: 'ok', [key]: [], total_count: 0, pagination: last })(
        response,
        {} as never,
      );
    });
    await client.status('abc');
    await client.stop('abc');
    for (const logStorage of [true, false, 'my logs']) await client.stop('abc', { logStorage });
    await client.deployments();
    await client.logs('abc');
    await client.tags('abc');
    await client.tag('abc', 'qa');
    await client.addTag('abc', 'qa');
    await client.renameTag('abc', 'qa', 'prod');
    await client.removeTag('abc', 'prod');
    await client.applications();
    await client.versions('kart');
    await client.locations();
    await client.locations({ application: 'kart', version: 'v1', type: 'cloud', tags: true });
    await client.metrics('abc');
    await client.metrics('abc', { from: 1_772_553_600_000, to: 1_772_557_200_500, step: '5m', raw: true });
    await client.hosts('my fleet');
    expect(server.seen.map(({ method, path, query, body }) => [`${method} ${path}`, query, body])).toEqual([
      ['GET /v1/status/abc', {}, ''],
      ['DELETE /v1/stop/abc', {}, ''],
      ['DELETE /v1/stop/abc', { container_log_storage: 'true' }, ''],
      ['DELETE /v1/stop/abc', { container_log_storage: 'false' }, ''],
      ['DELETE /v1/stop/abc', { container_log_storage: 'my logs' }, ''],
      ['GET /v1/deployments', {}, ''],
      ['GET /v1/deployment/abc/container-logs', {}, ''],
      ['GET /v1/deployments/abc/tags', {}, ''],
      ['GET /v1/deployments/abc/tags/qa', {}, ''],
      ['POST /v1/deployments/abc/tags', {}, '{"name":"qa"}'],
      ['PATCH /v1/deployments/abc/tags/qa', {}, '{"name":"prod"}'],
      ['DELETE /v1/deployments/abc/tags/prod', {}, ''],
      ['GET /v1/apps', {}, ''],
      ['GET /v1/app/kart/versions', {}, ''],
      ['GET /v1/locations', {}, ''],
      ['GET /v1/locations', { app: 'kart', version: 'v1', type: 'cloud', tags: 'true' }, ''],
      ['GET /v1/metrics/deployment/abc', {}, ''],
      [
        'GET /v1/metrics/deployment/abc',
        {
          start_time: '2026-03-03 16:00:00.000',
          end_time: '2026-03-03 17:00:00.500',
          steps: '5m',
          raw: 'true',
        },
        '',
      ],
      ['GET /v2/private-fleets/my%20fleet/hosts', {}, ''],
    ]);
  });

  it.each(['/proxy', '/proxy/', '/a/b/'])(
    'the Edgegap client keeps the path prefix %s of EDGEGAP_API_URL',
    async (prefix) => {
      await using it = await rig({ prefix });
      it.server.script(json(200, STATUS), json(202, { request_id: 'a' }));
      await it.client.status('abc');
      await it.client.deploy(DEPLOY);
      const base = prefix.replace(/\/$/, '');
      expect(it.server.lines).toEqual([`GET ${base}/v1/status/abc`, `POST ${base}/v2/deployments`]);
    },
  );

  it('ids and tags are encoded in the URL, so that each id or tag is a single part of the path', async () => {
    await using it = await rig();
    it.server.otherwise(json(404, { message: 'tag not found' }));
    for (const odd of ['a/b', '../apps', 'a?x=1', 'a#b', 'ünï 🏎️', '%2e%2e', 'a\r\nHost: evil', '\ud800']) {
      await failure(it.client.status(odd));
      await failure(it.client.removeTag('abc', odd));
    }
    expect(it.server.seen).toHaveLength(16);
    for (const { path, query } of it.server.seen) {
      expect(path).toMatch(/^\/v1\/(status|deployments\/abc\/tags)\/[^/]+$/);
      expect(query).toEqual({});
    }
    for (const empty of ['', '.', '..']) {
      expect(await refused(it.client.stop(empty))).toMatchObject({ code: 'edgegap-bad-name' });
    }
    expect(it.server.seen).toHaveLength(16);
  });

  it('reads from Edgegap share a keep-alive connection, and each deploy opens a new connection', async () => {
    await using it = await rig();
    it.server.otherwise(json(202, { ...STATUS }));
    await it.client.status('a');
    await it.client.status('b');
    await it.client.deploy(DEPLOY);
    expect(it.server.seen.map(({ headers }) => headers.connection)).toEqual([
      'keep-alive',
      'keep-alive',
      'close',
    ]);
  });
});

describe('the Edgegap token', () => {
  it.each([TOKEN, `token ${TOKEN}`, `Token  ${TOKEN}`, `TOKEN\t${TOKEN}\n`, `  ${TOKEN} `])(
    'the Edgegap token is accepted in the form %j',
    async (form) => {
      await using it = await rig({ token: form });
      it.server.script(json(200, STATUS));
      await it.client.status('abc');
      expect(it.server.seen[0]?.headers.authorization).toBe(`token ${TOKEN}`);
    },
  );

  it.each(['', '  ', 'token', 'token  ', `${TOKEN} x`, `${TOKEN}\r\nX-Evil: 1`, 'tökén'])(
    'if the Edgegap token is %j, the client refuses it, and the error does not repeat the token',
    (form) => {
      let message = '';
      try {
        bareToken(form);
      } catch (error) {
        message = String(error);
      }
      expect(message).toContain('edgegap-token');
      expect(message).not.toContain(TOKEN);
    },
  );

  it('an Edgegap token that begins with the letters "token" is not shortened', () => {
    expect(bareToken('tokenish-123')).toBe('tokenish-123');
  });

  it('the Edgegap token appears in no log line and no error, even if Edgegap repeats the token in an answer', async () => {
    await using it = await rig();
    it.server.script(
      json(200, STATUS),
      json(401, { message: `Invalid token ${TOKEN}`, details: { authorization: `token ${TOKEN}` } }),
      json(400, { message: `token ${TOKEN}` }),
      text(200, TOKEN),
    );
    await it.client.status('abc');
    const errors = [
      await failure(it.client.status('abc')),
      await failure(it.client.deploy(DEPLOY)),
      await failure(it.client.applications()),
    ];
    await it.server[Symbol.asyncDispose]();
    errors.push(await failure(settled(it.clock, it.client.stop('abc'))));
    for (let error of errors as unknown[]) {
      for (; error instanceof Error; error = error.cause) {
        expect(`${error}${error.stack}${JSON.stringify(error)}`).not.toContain(TOKEN);
      }
    }
    expect(it.log.length).toBeGreaterThan(4);
    expect(it.log.join('')).not.toContain(TOKEN);
  }, 30_000);
});

describe("Edgegap's answers", () => {
  it.each([
    [200, 'stopping'],
    [202, 'accepted'],
    [410, 'already-terminated'],
  ])('a stop that Edgegap answers with %i has the outcome "%s"', async (status, outcome) => {
    await using it = await rig();
    it.server.script(json(status, { message: 'so be it' }));
    expect(await it.client.stop('abc')).toBe(outcome);
  });

  it('the client reads logs from Edgegap as plain text and as base64, and accepts a plain-text crash log with either', async () => {
    await using it = await rig();
    const words = 'Grüße 🏎️\nline two\n';
    const packed = Buffer.from(words).toString('base64');
    const crash_data = { exit_code: 137, message: 'OOM killed', restart_count: 2 };
    it.server.script(
      json(200, { logs: words, encoding: 'utf-8', crash_logs: null, crash_data: null, logs_link: null }),
      json(200, { logs: packed, encoding: 'BASE64', crash_logs: packed, crash_data, logs_link: 'https://x' }),
      json(200, { logs: packed.replace(/(.{8})/g, '$1\n'), encoding: 'base64', crash_logs: 'Killed: oom!' }),
      json(200, {}),
    );
    const none = { crash_logs: undefined, crash_data: undefined, logs_link: undefined };
    expect(await it.client.logs('a')).toEqual({ logs: words, ...none });
    expect(await it.client.logs('a')).toEqual({
      logs: words,
      crash_logs: words,
      crash_data,
      logs_link: 'https://x',
    });
    expect(await it.client.logs('a')).toEqual({ logs: words, ...none, crash_logs: 'Killed: oom!' });
    expect(await it.client.logs('a')).toEqual({ logs: '', ...none });
  });

  it('if an answer from Edgegap is larger than 32 MiB, the client stops reading the answer', async () => {
    await using it = await rig();
    const piece = Buffer.alloc(1024 * 1024, 'x');
    it.server.script((response) => {
      response.writeHead(200);
      response.on('error', () => {});
      Readable.from(Array.from({ length: 64 }, () => piece)).pipe(response);
    });
    expect(await failure(it.client.logs('a'))).toMatchObject({ code: 'edgegap-too-large', status: 200 });
  });
});

describe('paging', () => {
  const row = (request_id: string) => ({
    request_id,
    fqdn: 'f',
    ready: true,
    public_ip: 'i',
    start_time: 't',
  });
  const page = (number: number, rows: string[], more: boolean) => ({
    data: rows.map(row),
    total_count: 5,
    pagination: {
      number,
      next_page_number: more ? number + 1 : null,
      has_next: more,
      has_previous: number > 1,
    },
  });

  it('fetching a single page of deployments also returns the total number and whether another page exists', async () => {
    await using it = await rig();
    it.server.script(json(200, page(2, ['c', 'd'], true)), json(200, { data: [row('e')], total_count: 5 }));
    const filters = [
      { field: 'status', operator: 'eq', value: 'READY' },
      { field: 'application', operator: 'in', value: ['kart', 'golf'] },
    ] as const;
    const order_by = [{ field: 'created_at', order: 'desc' }] as const;
    const second = await it.client.deployments({ filters, order_by, page: 2, limit: 2 });
    expect(second).toMatchObject({ total_count: 5, has_next: true, page: 2 });
    expect(second.rows.map(({ request_id }) => request_id)).toEqual(['c', 'd']);
    const { query } = it.server.seen[0] ?? {};
    expect(query).toMatchObject({ page: '2', limit: '2' });
    expect(JSON.parse(query?.query ?? '')).toEqual({
      filters: [
        { field: 'status', operator: 'eq', value: 'ready' },
        { field: 'application', operator: 'in', value: ['kart', 'golf'] },
      ],
      order_by: [{ field: 'created_at', order: 'desc' }],
    });
    expect(await it.client.deployments({ page: 5, limit: 1 })).toMatchObject({
      has_next: false,
      total_count: 5,
    });
  });

  it('the Edgegap client fetches every page, and returns a row that is on two pages only once', async () => {
    await using it = await rig();
    it.server.script(
      json(200, page(1, ['a', 'b'], true)),
      json(200, page(2, ['b', 'c'], true)),
      json(200, page(3, ['d'], false)),
    );
    const ids = [];
    for await (const { request_id } of it.client.allDeployments({ limit: 2 })) ids.push(request_id);
    expect(ids).toEqual(['a', 'b', 'c', 'd']);
    expect(it.server.seen.map(({ query }) => query)).toEqual([
      { limit: '2' },
      { limit: '2', page: '2' },
      { limit: '2', page: '3' },
    ]);
  });

  it('the Edgegap client fetches the next page only when the caller asks for more rows', async () => {
    await using it = await rig();
    it.server.otherwise(json(200, page(1, ['a', 'b'], true)));
    for await (const _ of it.client.allDeployments()) break;
    expect(it.server.seen).toHaveLength(1);
  });

  it.each([
    ['a next page whose number is not higher', { next_page_number: 1, has_next: true }],
    ['a next page without a number', { has_next: true }],
    ['an answer without has_next', { next_page_number: 2 }],
    ['an answer without pagination', undefined],
  ])('the Edgegap client stops fetching pages after %s', async (_, pagination) => {
    await using it = await rig();
    it.server.script(
      json(200, { tags: ['a', 'b'], count: 3, pagination }),
      json(200, { tags: ['c'], count: 3, pagination: pagination && { ...pagination, number: 2 } }),
    );
    it.server.otherwise(json(200, { tags: [], count: 3, pagination }));
    expect(await it.client.tags('abc')).toEqual(['a', 'b', 'c']);
    expect(it.server.seen[0]?.query).toEqual({});
    expect(it.server.seen[1]?.query).toEqual({ page: '2' });
  });

  it('the Edgegap client collects all pages of applications, versions and locations', async () => {
    await using it = await rig();
    const two = (key: string, one: unknown, other: unknown) => [
      json(200, { [key]: [one], total_count: 2, pagination: { has_next: true, next_page_number: 2 } }),
      json(200, { [key]: [other], total_count: 2, pagination: { has_next: false, next_page_number: null } }),
    ];
    it.server.script(
      ...two(
        'applications',
        { name: 'kart', is_active: true, image: 'iVBOR' },
        { name: 'golf', is_active: false },
      ),
      ...two(
        'versions',
        { name: 'v1', req_cpu: 512 },
        { name: 'v2', is_active: false, caching_percent: 0.8 },
      ),
      ...two('locations', { city: 'Montreal', latitude: 45.5 }, { city: 'Tokyo' }),
    );
    expect(await it.client.applications()).toEqual([
      { name: 'kart', is_active: true },
      { name: 'golf', is_active: false },
    ]);
    expect(await it.client.versions('kart')).toEqual([
      { name: 'v1', is_active: true, req_cpu: 512 },
      { name: 'v2', is_active: false, caching_percent: 0.8 },
    ]);
    expect(await it.client.locations({ application: 'kart' })).toEqual({
      locations: [
        { city: 'Montreal', latitude: 45.5, tags: [] },
        { city: 'Tokyo', tags: [] },
      ],
      messages: [],
    });
    expect(it.server.seen.at(-1)?.query).toEqual({ app: 'kart', page: '2' });
  });
});
