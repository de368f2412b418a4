import { describe, expect, it } from 'vitest';
import { type SelfStopOptions, selfStop } from '../../src/edgegap/self-stop.ts';
import { createLog } from '../../src/log.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { TestClock } from '../support/test-clock.ts';
import { failure, refused, rig, settled } from './harness.ts';
import { json, reset } from './scripted-server.ts';

const SELF_TOKEN = 'f3a9c1e07b5d4286';

async function inside() {
  const it = await rig();
  const log: string[] = [];
  const options: SelfStopOptions = {
    url: `${it.server.url}/v1/self/stop/abc/660`,
    token: SELF_TOKEN,
    clock: it.clock,
    timeoutMs: 1e9,
    random: () => 0,
    log: createLog({ level: 'trace', secrets: [], destination: { write: (line) => log.push(line) } }),
  };
  const stop = (other: Partial<SelfStopOptions> = {}) =>
    settled(it.clock, selfStop({ ...options, ...other }));
  return { ...it, log, stop, [Symbol.asyncDispose]: it[Symbol.asyncDispose] };
}

describe('a server that stops itself', () => {
  it('a server that stops itself sends the token of its container and says whether to keep the log', async () => {
    await using it = await inside();
    it.server.otherwise(json(200, { message: 'bye' }));
    expect(await it.stop()).toBe('stopping');
    for (const logStorage of [true, false, 'my logs']) await it.stop({ logStorage });
    expect(it.server.seen.map(({ query }) => query)).toEqual([
      {},
      { container_log_storage: 'true' },
      { container_log_storage: 'false' },
      { container_log_storage: 'my logs' },
    ]);
    for (const { headers } of it.server.seen) expect(headers.authorization).toBe(SELF_TOKEN);
    expect(new Set(it.server.lines)).toEqual(new Set(['DELETE /v1/self/stop/abc/660']));
  });

  it.each([
    [202, 'accepted'],
    [410, 'already-terminated'],
  ])(
    'if Edgegap answers a server\'s request for its own stop with %i, the outcome is "%s"',
    async (status, outcome) => {
      await using it = await inside();
      it.server.script(json(status, { message: 'so be it' }));
      expect(await it.stop()).toBe(outcome);
    },
  );

  it('if the connection breaks while a server stops itself, the request is sent again', async () => {
    await using it = await inside();
    it.server.script(reset, json(503, {}), json(404, {}));
    expect(await it.stop()).toBe('perhaps-stopped');
    expect(it.server.seen).toHaveLength(3);
  });

  it.each([
    [400, 'edgegap-no-such-deployment'],
    [401, 'edgegap-unauthorized'],
    [403, 'edgegap-unauthorized'],
    [404, 'edgegap-no-such-deployment'],
  ])(
    "if Edgegap answers a server's request for its own stop with %i, the request fails with the error %s",
    async (status, code) => {
      await using it = await inside();
      it.server.script(json(status, { message: `No ${SELF_TOKEN}` }));
      const error = await failure(it.stop());
      expect(error).toMatchObject({ code, outcome: 'not-done' });
      expect(error.hint).not.toContain('EDGEGAP_API_TOKEN');
      expect(`${error}${error.stack}${JSON.stringify(error)}`).not.toContain(SELF_TOKEN);
    },
  );

  it('the token with which a server stops itself appears in no log line and no result', async () => {
    await using it = await inside();
    it.server.script(reset, json(200, { message: `Stopped by ${SELF_TOKEN}` }));
    expect(await it.stop()).toBe('stopping');
    expect(it.log).toHaveLength(2);
    expect(it.log.join('')).not.toContain(SELF_TOKEN);
  });

  it.each(['', 'abc', '/v1/self/stop/abc/660', 'ftp://api.edgegap.com/x', 'file:///etc/passwd'])(
    'if the variable with the address for "self-stop" is %j, the stop is refused',
    async (url) => {
      await using it = await inside();
      expect(await refused(it.stop({ url }))).toMatchObject({ code: 'edgegap-self-stop' });
    },
  );

  it.each(['', ' ', 'a b', 'a\r\nX-Evil: 1', 'tökén'])(
    'if the variable with the token for "self-stop" is %j, the stop is refused, and the error does not repeat the token',
    async (token) => {
      await using it = await inside();
      const error = await refused(it.stop({ token }));
      expect(error).toMatchObject({ code: 'edgegap-self-stop' });
      expect(error.message).not.toContain('tökén');
      expect(it.server.seen).toEqual([]);
    },
  );
});

it('the log of a simulated server shows the environment variables with which the server can stop itself', async () => {
  const clock = new TestClock();
  const simulator = await startSimulator({ clock });
  try {
    const made = await fetch(`${simulator.url}/v1/deploy`, {
      method: 'POST',
      headers: { authorization: `token ${simulator.token}` },
      body: JSON.stringify({ app_name: 'kart-racing', ip_list: ['203.0.113.9'] }),
    });
    const { request_id } = (await made.json()) as { request_id: string };
    await clock.advance(10_000);
    const answer = await fetch(`${simulator.url}/v1/deployment/${request_id}/container-logs`, {
      headers: { authorization: `token ${simulator.token}` },
    });
    const { logs } = (await answer.json()) as { logs: string };
    const variable = (name: string) => new RegExp(`${name}=(\\S+)`).exec(logs)?.[1] ?? '';
    const url = simulator.url + new URL(variable('ARBITRIUM_DELETE_URL')).pathname;
    const token = variable('ARBITRIUM_DELETE_TOKEN');
    const log = createLog({ level: 'silent', secrets: [] });
    expect(await failure(selfStop({ url, token: 'wrong', clock, log }))).toMatchObject({ status: 401 });
    expect(await failure(selfStop({ url: `${url}0`, token, clock, log }))).toMatchObject({ status: 404 });
    const stopped = await selfStop({ url, token, clock, log, logStorage: 'match-logs' });
    expect(stopped).toBe('stopping');
    const deployment = simulator.deployments.get(request_id);
    expect([deployment?.history.at(-1)?.phase, deployment?.logStorage]).toEqual([
      'TERMINATING',
      'match-logs',
    ]);
    await clock.advance(10_000);
    expect(await failure(selfStop({ url, token, clock, log }))).toMatchObject({ status: 404 });
  } finally {
    await simulator.close();
  }
});
