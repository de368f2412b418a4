import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { EdgegapClient } from '../../src/edgegap/client.ts';
import { MAY_HAVE_HAPPENED } from '../../src/edgegap/errors.ts';
import { TRAVEL_MS, WINDOW_MS } from '../../src/edgegap/permits.ts';
import { DOCUMENTED_LIMITS } from '../../src/edgegap/scheduler.ts';
import { AppError } from '../../src/errors.ts';
import { until } from '../support/test-clock.ts';
import {
  caught,
  DEPLOY,
  FLEET_DEPLOY,
  failure,
  LEGACY_DEPLOY,
  refused,
  rig,
  STATUS,
  settled,
} from './harness.ts';
import { most } from './rate-model.ts';
import { cutShort, json, reset, ScriptedServer, type SeenRequest, silence } from './scripted-server.ts';

const ok = json(200, { ...STATUS, message: 'done', processable: [] });
const slowDown = (seconds: string) => json(429, { message: 'slow down' }, { 'retry-after': seconds });

/** The arrival times of requests from now on, according to the clock of the test. */
function arrivals(it: { server: ScriptedServer; clock: { now(): number } }): number[] {
  const begin = it.clock.now();
  const times: number[] = [];
  it.server.onRequest = () => times.push(it.clock.now() - begin);
  return times;
}

describe.each<[string, (client: EdgegapClient) => Promise<unknown>]>([
  ['GET', (client) => client.status('abc')],
  ['DELETE', (client) => client.stop('abc')],
  ['POST (of ids to stop)', (client) => client.stopMany(['abc'])],
])('a %s call that is safe to repeat', (_, ask) => {
  it.each([
    ['429', slowDown('1')],
    ['500', json(500, {})],
    ['503', json(503, {}, { 'retry-after': '1' })],
    ['a broken connection', reset],
    ['an incomplete answer', cutShort],
  ])('a call that is safe to repeat is sent again after %s', async (_name, step) => {
    await using it = await rig();
    it.server.script(step, step, ok);
    await settled(it.clock, ask(it.client));
    expect(it.server.seen).toHaveLength(3);
  });

  it('a call that is safe to repeat is given up after three attempts', async () => {
    await using it = await rig();
    it.server.otherwise(json(502, { message: 'bad gateway' }));
    expect(await failure(settled(it.clock, ask(it.client)))).toMatchObject({
      code: 'edgegap-unavailable',
      status: 502,
    });
    expect(it.server.seen).toHaveLength(3);
  });

  it.each([400, 401, 403, 404, 409])(
    'a call that is safe to repeat is not sent again if Edgegap answers with %i',
    async (code) => {
      await using it = await rig();
      it.server.otherwise(json(code, {}));
      await failure(settled(it.clock, ask(it.client)));
      expect(it.server.seen).toHaveLength(1);
    },
  );

  it('the waits between the attempts of a call grow, and each wait includes a random extra time', async () => {
    for (const [random, waits] of [
      [0, [500, 1_000]],
      [0.999_999, [1_000, 2_000]],
    ] as const) {
      await using it = await rig({ random: () => random });
      const times = arrivals(it);
      it.server.otherwise(json(500, {}));
      await failure(settled(it.clock, ask(it.client)));
      const [first = 0, second = 0, third = 0] = times;
      // The test moves time in steps of 50 ms.
      expect(Math.abs(second - first - waits[0])).toBeLessThanOrEqual(50);
      expect(Math.abs(third - second - waits[1])).toBeLessThanOrEqual(50);
    }
  });

  it.each([
    ['2', 2_000],
    ['86400', 30_000],
    ['Tue, 03 Mar 2026 16:00:05 GMT', 5_000],
  ])(
    'before the next attempt, the client waits for the Retry-After "%s", but at most 30 seconds',
    async (header, wait) => {
      for (const code of [429, 503]) {
        await using it = await rig();
        const times = arrivals(it);
        it.server.script(json(code, {}, { 'retry-after': header }), ok);
        await settled(it.clock, ask(it.client));
        expect(times[1]).toBeGreaterThanOrEqual(wait);
        expect(times[1]).toBeLessThan(wait + 100);
      }
    },
  );
});

describe('calls after a 429', () => {
  it('after a 429 from Edgegap, all calls in the same rate-limit bucket wait, and calls in other buckets do not', async () => {
    await using it = await rig();
    const seen: [string, number][] = [];
    const begin = it.clock.now();
    it.server.onRequest = ({ path }: SeenRequest) => seen.push([path, it.clock.now() - begin]);
    it.server.script(slowDown('5')).otherwise(json(200, { ...STATUS, data: [], total_count: 0 }));
    const first = it.client.status('a');
    await until(() => it.server.seen.length === 1 && it.log.length === 1);
    const second = it.client.status('b');
    await settled(it.clock, it.client.deployments());
    await settled(it.clock, Promise.all([first, second]));
    expect(seen.map(([path]) => path)).toEqual([
      '/v1/status/a',
      '/v1/deployments',
      '/v1/status/a',
      '/v1/status/b',
    ]);
    expect(seen[1]?.[1]).toBeLessThan(5_000);
    for (const [, time] of seen.slice(2)) expect(time).toBeGreaterThanOrEqual(5_000);
  });

  it.each<[string, (client: EdgegapClient) => Promise<unknown>]>([
    ['a deploy', (client) => client.deploy(DEPLOY)],
    ['a deploy to a fleet', (client) => client.deployToFleet(FLEET_DEPLOY)],
    ['a legacy deploy', (client) => client.deployLegacy(LEGACY_DEPLOY)],
    ['a new tag', (client) => client.addTag('abc', 'qa')],
    ['a renamed tag', (client) => client.renameTag('abc', 'qa', 'prod')],
  ])('the request for %s is sent again after a 429, because Edgegap did nothing', async (_, ask) => {
    await using it = await rig();
    it.server.script(slowDown('1'), slowDown('1'), ok);
    await settled(it.clock, ask(it.client));
    expect(it.server.seen).toHaveLength(3);
  });

  it('if Edgegap answers a deploy three times with 429, the deploy is reported as not carried out', async () => {
    await using it = await rig();
    it.server.otherwise(slowDown('3'));
    const error = await failure(settled(it.clock, it.client.deploy(DEPLOY)));
    expect(error).toMatchObject({ code: 'edgegap-too-fast', outcome: 'not-done', retryAfterMs: 3_000 });
    expect(error.hint).toContain('3 seconds');
    expect(it.server.seen).toHaveLength(3);
  });
});

describe('calls that change something', () => {
  it.each([reset, cutShort, json(500, {}), json(503, {}, { 'retry-after': '1' })])(
    'a deploy or tag change is never sent again if Edgegap possibly carried out the request (%#)',
    async (step) => {
      for (const ask of [
        (client: EdgegapClient): Promise<unknown> => client.deploy(DEPLOY),
        (client: EdgegapClient) => client.deployToFleet(FLEET_DEPLOY),
        (client: EdgegapClient) => client.deployLegacy(LEGACY_DEPLOY),
        (client: EdgegapClient) => client.addTag('abc', 'qa'),
        (client: EdgegapClient) => client.renameTag('abc', 'qa', 'prod'),
      ]) {
        await using it = await rig();
        it.server.otherwise(step);
        expect(await failure(settled(it.clock, ask(it.client)))).toMatchObject({ outcome: 'unknown' });
        expect(it.server.seen).toHaveLength(1);
      }
    },
  );

  it('if no connection can be opened, a deploy is sent again and reaches Edgegap as soon as Edgegap is back', async () => {
    await using it = await rig();
    const { port } = it.server;
    await it.server[Symbol.asyncDispose]();
    const deployed = it.client.deploy(DEPLOY);
    await until(() => it.log.length === 1 && it.clock.pending > 0);
    await using back = await ScriptedServer.start(port);
    back.script(json(202, { request_id: 'a69f8e3e0555' }));
    expect(await settled(it.clock, deployed)).toEqual({ request_id: 'a69f8e3e0555' });
    expect(back.seen).toHaveLength(1);
  });

  it.each([
    ['410', json(410, { message: 'terminated' }), 'already-terminated'],
    ['404', json(404, { message: 'not found' }), 'perhaps-stopped'],
    ['400', json(400, { message: 'not found' }), 'perhaps-stopped'],
  ])(
    'if the first attempt of a stop possibly worked, the answer %s to the next attempt is not an error',
    async (_, step, outcome) => {
      for (const first of [reset, json(502, {})]) {
        await using it = await rig();
        it.server.script(first, step);
        expect(await settled(it.clock, it.client.stop('abc'))).toBe(outcome);
      }
    },
  );

  it('a stop answered with 404 is an error if no earlier attempt can have worked', async () => {
    await using it = await rig();
    it.server.script(slowDown('1'), json(404, {}));
    expect(await failure(settled(it.clock, it.client.stop('abc')))).toMatchObject({
      code: 'edgegap-no-such-deployment',
      outcome: 'not-done',
    });
  });

  it('if the connection breaks while a tag is removed and the second attempt gets 404, the tag counts as removed', async () => {
    await using it = await rig();
    it.server.script(reset, json(404, { message: 'No such tag' }));
    await settled(it.clock, it.client.removeTag('abc', 'qa'));
    it.server.script(json(404, { message: 'No such tag' }));
    expect(await failure(it.client.removeTag('abc', 'qa'))).toMatchObject({ code: 'edgegap-no-such-tag' });
  });

  it('if an attempt of a stop possibly worked, errors of later attempts leave the outcome unknown', async () => {
    await using it = await rig();
    it.server.script(reset, json(401, {}));
    expect(await failure(settled(it.clock, it.client.stop('abc')))).toMatchObject({
      code: 'edgegap-unauthorized',
      outcome: 'unknown',
    });
    it.server.script(reset);
    it.server.otherwise(slowDown('1'));
    expect(await failure(settled(it.clock, it.client.stop('abc')))).toMatchObject({
      status: 429,
      outcome: 'unknown',
    });
  });
});

describe('rate limits', () => {
  it.each<[string, number, (client: EdgegapClient) => Promise<unknown>]>([
    ['deploy', 40, (client) => client.deploy(DEPLOY)],
    ['status', 20, (client) => client.status('abc')],
    ['list', 10, (client) => client.deployments()],
  ])(
    'calls in the rate-limit bucket "%s" reach Edgegap at most %i times in any second',
    async (_, limit, ask) => {
      await using it = await rig();
      const times = arrivals(it);
      it.server.otherwise(json(200, { ...STATUS, data: [], total_count: 0 }));
      await settled(it.clock, Promise.all(Array.from({ length: limit * 3 }, () => ask(it.client))));
      expect(times).toHaveLength(limit * 3);
      for (const start of times) {
        expect(times.filter((time) => time >= start && time <= start + 1_000).length).toBeLessThanOrEqual(
          limit,
        );
      }
    },
  );

  it('all deploy endpoints share a single rate limit', async () => {
    await using it = await rig();
    it.server.otherwise(json(202, { request_id: 'a' }));
    const times = arrivals(it);
    const kinds = [
      () => it.client.deploy(DEPLOY),
      () => it.client.deployToFleet(FLEET_DEPLOY),
      () => it.client.deployLegacy(LEGACY_DEPLOY),
    ];
    const all = Array.from({ length: 30 }, () => kinds.map((ask) => ask())).flat();
    await settled(it.clock, Promise.all(all));
    expect(times).toHaveLength(90);
    expect(most(times)).toBeLessThanOrEqual(DOCUMENTED_LIMITS.deploy);
  });

  it('a configured rate limit also counts retries, and calls for people go before background calls', async () => {
    await using it = await rig({ limits: { status: 2 } });
    const times = arrivals(it);
    it.server.script(json(500, {}), json(500, {}), json(500, {})).otherwise(ok);
    const background = Array.from({ length: 6 }, (_, i) => it.client.status(`b${i}`, { lane: 'background' }));
    const person = it.client.status('person');
    await settled(it.clock, Promise.all([...background, person]));
    expect(times).toHaveLength(10);
    for (const start of times) {
      expect(times.filter((time) => time >= start && time <= start + 1_000).length).toBeLessThanOrEqual(2);
    }
    // Two of the background calls had begun before the call for the person.
    expect(it.server.lines.slice(0, 3)).toContain('GET /v1/status/person');
  });

  it('when Edgegap answers again after an outage, the many waiting calls stay within the rate limit', async () => {
    await using it = await rig();
    const arrived: number[] = [];
    const silent: ServerResponse[] = [];
    let stalled = true;
    const answer = (response: ServerResponse) =>
      response.writeHead(202, { 'content-type': 'application/json' }).end('{"request_id":"one"}');
    it.server.otherwise((response) => {
      arrived.push(it.clock.now());
      if (stalled) silent.push(response);
      else answer(response);
    });
    const all = Promise.all(Array.from({ length: 200 }, () => it.client.deploy(DEPLOY)));
    // As many calls hang as may be in progress at once, so the other calls get no connection.
    await until(() => silent.length === 40, 'the first second');
    await it.clock.advance(TRAVEL_MS + WINDOW_MS);
    await until(() => silent.length === 64, 'every connection');
    await it.clock.advance(7_000);
    stalled = false;
    for (const response of silent) answer(response);
    await settled(it.clock, all);
    expect(arrived).toHaveLength(200);
    expect(most(arrived)).toBeLessThanOrEqual(DOCUMENTED_LIMITS.deploy);
  });

  it('when a connection becomes free, the Edgegap client checks again whether the waiting call is still allowed', async () => {
    await using it = await rig();
    const silent: ServerResponse[] = [];
    it.server.otherwise((response) => silent.push(response));
    const first = Promise.allSettled(Array.from({ length: 64 }, () => it.client.deploy(DEPLOY)));
    await until(() => silent.length === 40, 'the first second');
    await it.clock.advance(TRAVEL_MS + WINDOW_MS);
    await until(() => silent.length === 64, 'every connection');
    await it.clock.advance(TRAVEL_MS + WINDOW_MS);
    let asked = 0;
    const mayLeave = () => {
      if (++asked > 1) throw new AppError('too-late', 'No.');
    };
    const late = caught(it.client.deploy(DEPLOY, { mayLeave }));
    await until(() => asked === 1, 'its turn');
    for (const response of silent) response.end();
    expect(await late).toMatchObject({ code: 'too-late' });
    expect(it.server.seen).toHaveLength(64);
    await first;
  });
});

describe('calls that are aborted', () => {
  const reason = new Error('the person left');

  it('a call that is aborted before its start, during a wait or between attempts rejects with the given reason', async () => {
    await using it = await rig({ limits: { status: 1 } });
    expect(await caught(it.client.status('abc', { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(it.server.seen).toHaveLength(0);

    it.server.script(json(500, {}));
    const controller = new AbortController();
    const retried = caught(it.client.status('abc', { signal: controller.signal }));
    const queued = caught(it.client.status('abc', { signal: controller.signal }));
    await until(() => it.log.length === 1);
    controller.abort(reason);
    expect(await retried).toBe(reason);
    expect(await queued).toBe(reason);
    expect(it.server.seen).toHaveLength(1);
  });

  it('if a stop is aborted between attempts, the error says that the stop was possibly carried out', async () => {
    await using it = await rig();
    it.server.script(json(500, {}));
    const controller = new AbortController();
    const call = failure(it.client.stop('abc', { signal: controller.signal }));
    await until(() => it.log.length === 1 && it.clock.pending > 0);
    controller.abort(reason);
    expect(await call).toMatchObject({ status: 500, outcome: 'unknown' });
    expect(it.server.seen).toHaveLength(1);
  });

  it('if a read is aborted while its request is in progress, the call rejects with the given reason', async () => {
    await using it = await rig();
    it.server.otherwise(silence);
    const controller = new AbortController();
    const call = caught(it.client.status('abc', { signal: controller.signal }));
    await until(() => it.server.seen.length === 1);
    controller.abort(reason);
    expect(await call).toBe(reason);
  });

  it('if a deploy is aborted while its request is in progress, the error says that the deploy was possibly carried out', async () => {
    await using it = await rig();
    it.server.otherwise(silence);
    const controller = new AbortController();
    const call = failure(it.client.deploy(DEPLOY, { signal: controller.signal }));
    await until(() => it.server.seen.length === 1);
    controller.abort(reason);
    expect(await call).toMatchObject({ code: 'edgegap-aborted', outcome: 'unknown', cause: reason });
  });
});

describe('closing the client', () => {
  it('a closing Edgegap client lets a running call finish, and refuses waiting and later calls', async () => {
    await using it = await rig({ limits: { deploy: 1 } });
    let answer = () => {};
    it.server.script((response, request) => {
      answer = () => json(202, { request_id: 'a' })(response, request);
    });
    const first = it.client.deploy(DEPLOY);
    const waiting = refused(it.client.deploy(DEPLOY));
    await until(() => it.server.seen.length === 1);
    const closed = it.client.close();
    expect(await waiting).toMatchObject({ code: 'edgegap-closed' });
    expect(await refused(it.client.status('abc'))).toMatchObject({ code: 'edgegap-closed' });
    answer();
    expect(await first).toEqual({ request_id: 'a' });
    await closed;
  });

  it('if the client closes between two attempts of a stop, the error says that the stop was possibly carried out', async () => {
    for (const steps of [[json(502, {})], [reset], [json(502, {}), slowDown('9')]]) {
      await using it = await rig();
      it.server.script(...steps);
      const stopped = caught(it.client.stop('abc'));
      for (const n of steps.keys()) {
        if (n > 0) await it.clock.advance(500);
        await until(() => it.log.length === n + 1 && it.clock.pending > 0);
      }
      await it.client.close();
      expect(await stopped).toMatchObject({ outcome: 'unknown', hint: MAY_HAVE_HAPPENED });
      expect(it.server.seen).toHaveLength(steps.length);
    }
  });

  it('if the client closes while a stop waits after a 429, the error says that the stop was not carried out', async () => {
    await using it = await rig();
    it.server.script(slowDown('9'));
    const stopped = caught(it.client.stop('abc'));
    await until(() => it.log.length === 1 && it.clock.pending > 0);
    await it.client.close();
    expect(await stopped).toMatchObject({ code: 'edgegap-closed' });
  });

  it('if the Edgegap client is abandoned, changes that are in progress fail with an unknown outcome', async () => {
    await using it = await rig();
    it.server.script(
      () => undefined,
      () => undefined,
    );
    const deploy = refused(it.client.deploy(DEPLOY));
    const status = refused(it.client.status('abc'));
    await until(() => it.server.seen.length === 2);
    const closed = it.client.close();
    await it.client.abandon();
    await closed;
    expect(await deploy).toMatchObject({ code: 'edgegap-aborted', outcome: 'unknown' });
    expect(await status).toMatchObject({ code: 'edgegap-closed' });
  });
});

describe('the log of calls', () => {
  it('the log contains a debug line for each attempt of a call to Edgegap', async () => {
    await using it = await rig();
    it.server.script(reset, json(500, {}), ok);
    await settled(it.clock, it.client.status('abc'));
    const lines = it.log.map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { level: 'debug', method: 'GET', path: '/v1/status/abc', attempt: 1, msg: 'Edgegap call' },
      { status: 500, attempt: 2 },
      { status: 200, attempt: 3 },
    ]);
    expect(lines[2].ms).toEqual(expect.any(Number));
  });

  it('the log contains no request body and no callback URL of a deploy', async () => {
    await using it = await rig();
    it.server.script(json(202, { request_id: 'a' }));
    await it.client.deploy({
      ...DEPLOY,
      webhooks: { ready: 'https://bot.example/callbacks/edgegap/ready/1.hush' },
    });
    expect(it.log.join('')).not.toMatch(/hush|bot\.example|203\.0\.113/);
  });
});
