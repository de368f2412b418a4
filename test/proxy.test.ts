import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { adapterFor } from './adapters/discord/harness.ts';
import { DEPLOY, failure, rig, STATUS, settled } from './edgegap/harness.ts';
import { json, reset, ScriptedServer } from './edgegap/scripted-server.ts';
import { startBot } from './support/bot.ts';
import type { ChatDriver } from './support/chat-driver.ts';
import { createDiscordDriver } from './support/discord-driver.ts';
import { type HttpProxy, startHttpProxy } from './support/http-proxy.ts';
import { inboxOf } from './support/inbox.ts';
import { createSlackDriver } from './support/slack-driver.ts';
import { TestClock, until } from './support/test-clock.ts';

/** An Edgegap client in a network where only the proxy can resolve host names. */
async function behind(proxy: HttpProxy) {
  const server = await ScriptedServer.start();
  const { edgegap } = readConfig({ HTTP_PROXY: proxy.url });
  const name = `edgegap.invalid:${server.port}`;
  const { clock, client, ...rest } = await rig({
    proxy: edgegap.proxy,
    baseUrl: `http://${name}`,
  });
  onTestFinished(async () => {
    await client.close();
    await rest[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  return { server, clock, client, name };
}

test('through a proxy, reads from Edgegap share connections, and a deploy uses a separate connection', async () => {
  const proxy = await startHttpProxy();
  const { server, client, name } = await behind(proxy);
  server.otherwise(json(200, STATUS));
  for (let n = 0; n < 8; n++) await client.status('c0653765de3b');
  const looks = proxy.seen.length;
  server.script(json(202, { request_id: 'c0653765de3b' }));
  await client.deploy(DEPLOY);
  expect(proxy.seen).toEqual(Array(looks + 1).fill(`CONNECT ${name}`));
  expect(looks).toBeLessThan(8);
  expect(server.seen[8]?.headers).toMatchObject({ host: name, connection: 'close' });
  expect(server.seen[8]?.headers).not.toHaveProperty('proxy-authorization');
});

test('a deploy that the HTTP proxy refuses counts as not sent', async () => {
  const proxy = await startHttpProxy();
  const { server, clock, client } = await behind(proxy);
  proxy.refusals.push(502, 503, 407);
  expect(await failure(settled(clock, client.deploy(DEPLOY)))).toMatchObject({
    code: 'edgegap-unreachable',
    outcome: 'not-done',
    userMessage: expect.stringContaining('the proxy answered HTTP 407'),
  });
  expect(proxy.seen).toHaveLength(3);
  expect(server.seen).toEqual([]);
});

test('if the connection between the proxy and Edgegap breaks, the outcome of a deploy is unknown', async () => {
  const proxy = await startHttpProxy();
  const { server, clock, client } = await behind(proxy);
  server.script(reset);
  expect(await failure(settled(clock, client.deploy(DEPLOY)))).toMatchObject({ outcome: 'unknown' });
  expect(server.lines).toEqual(['POST /v2/deployments']);
});

test('hosts in NO_PROXY and hosts on the local machine are contacted without the proxy', async () => {
  const proxy = await startHttpProxy();
  await using direct = await rig({ proxy: { http: proxy.url, https: proxy.url, except: '' } });
  direct.server.script(json(200, STATUS));
  await direct.client.status('c0653765de3b');
  const { edgegap } = readConfig({ http_proxy: proxy.url, no_proxy: 'example.com, 127.0.0.2' });
  await using named = await rig({ proxy: edgegap.proxy, baseUrl: 'http://127.0.0.2:1' });
  await failure(settled(named.clock, named.client.status('c0653765de3b')));
  expect(proxy.seen).toEqual([]);
});

/** A bot whose settings contain host names that only this proxy can resolve. */
async function talk(driver: ChatDriver, proxy: HttpProxy) {
  onTestFinished(() => driver.close());
  const bot = await startBot(driver, { environment: { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url } });
  onTestFinished(() => bot.stop());
  const application = 'kart-racing';
  await driver.command('operator', 'deploy', { application, version: 'v1.2', near: 'Montreal' });
  await until(
    async () => (await driver.channel()).some(({ text }) => text.includes('is ready')),
    'the server',
  );
  const [deployment = ''] = bot.simulator.deployments.keys();
  for (let n = 1; n <= 60; n++) bot.simulator.print(deployment, `line ${n} ${'🏎'.repeat(80)}`);
  await driver.command('operator', 'logs', { deployment, lines: 60 });
  await until(
    async () =>
      [...(await driver.channel()), ...(await driver.privately('operator'))].some(
        ({ files }) => files.length > 0,
      ),
    'the log',
  );
  await driver.command('operator', 'help');
  await bot.app.settled();
  return bot;
}

test.each(['socket', 'http'] as const)(
  'Slack in the mode "%s" is reached through the proxy',
  async (mode) => {
    const proxy = await startHttpProxy();
    const driver = await createSlackDriver({ mode, host: 'slack.invalid' });
    await talk(driver, proxy);
    const { port } = new URL(driver.server.origin);
    const ways = [`CONNECT slack.invalid:${port}`];
    const heard = new Set(driver.server.requests.map(({ method }) => method));
    expect([...heard]).toEqual(expect.arrayContaining(['chat.postMessage', 'upload', 'response_url']));
    expect(new Set(proxy.seen)).toEqual(new Set(ways));
  },
);

test("Discord's REST API and gateway are reached through the proxy", async () => {
  const proxy = await startHttpProxy();
  const driver = await createDiscordDriver({ host: 'discord.invalid' });
  await talk(driver, proxy);
  const { host, origin } = new URL(driver.server.apiUrl);
  expect(driver.server.violations).toEqual([]);
  expect(new Set(proxy.seen)).toEqual(
    new Set([`CONNECT ${host}`, ...['GET', 'POST', 'PATCH'].map((method) => `${method} ${origin}`)]),
  );
});

test("a gateway session is resumed through the proxy, and the stored address of the session is Discord's own address", async () => {
  const proxy = await startHttpProxy();
  const driver = await createDiscordDriver({ host: 'discord.invalid' });
  onTestFinished(() => driver.close());
  const { gateway } = driver.server;
  const adapter = adapterFor(driver, new TestClock(), { HTTP_PROXY: proxy.url });
  onTestFinished(() => adapter.close());
  await adapter.start(inboxOf(async () => undefined));
  for (let n = 1; n <= 2; n++) {
    gateway.askToReconnect();
    await until(() => gateway.connected && gateway.resumes === n, 'the session to go on');
  }
  await until(() => adapter.bookmark?.() !== undefined, 'a bookmark');
  expect(adapter.bookmark?.()).toContain('"resumeURL":"ws://discord.invalid:');
  const ways = () => proxy.seen.filter((line) => line.startsWith('CONNECT')).length;
  expect(ways()).toBeGreaterThanOrEqual(3);
});
