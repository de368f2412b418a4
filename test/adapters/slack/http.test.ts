import { describe, expect, it } from 'vitest';
import { postToBot, signedBody, signedRequest } from '../../support/slack-inbound.ts';
import { turn } from '../../support/test-clock.ts';
import { startBot } from './harness.ts';

const command = {
  command: '/edgegap',
  text: 'list',
  user_id: 'U123456',
  channel_id: 'C1',
  team_id: 'T000000001',
  trigger_id: 'trigger',
  response_url: 'https://hooks.slack.invalid/x',
};
const now = () => Math.floor(Date.now() / 1000);

describe("Slack's HTTP mode", () => {
  it("in HTTP mode, the Slack adapter receives requests under a path of the bot's own HTTP server", async () => {
    const bot = await startBot({ mode: 'http' });
    expect(bot.adapter.http?.path).toBe('/slack/events');
    const response = await postToBot(bot.url, 'slash_commands', command);
    expect([response.status, await response.text()]).toEqual([200, '']);
    await bot.invocation(1);
  });

  it('in HTTP mode, a mention is acknowledged after the invocation was stored', async () => {
    const stored = Promise.withResolvers<void>();
    const bot = await startBot({
      mode: 'http',
      handle: async (invocation) => {
        await stored.promise;
        await invocation.acknowledge('private');
      },
    });
    let acknowledged = false;
    const mentioned = bot.driver.mention('operator', 'list').then(() => {
      acknowledged = true;
    });
    await bot.invocation(1);
    await turn();
    expect(acknowledged).toBe(false);
    stored.resolve();
    await mentioned;
  });

  it.each([
    ['with a wrong secret', { secret: 'another-signing-secret' }],
    ['older than five minutes', { timestamp: now() - 301 }],
    ['dated more than five minutes in the future', { timestamp: now() + 360 }],
    ['without a signature', { unsigned: true }],
  ])('a Slack request %s is refused', async (_, options) => {
    const bot = await startBot({ mode: 'http' });
    expect((await postToBot(bot.url, 'slash_commands', command, options)).status).toBe(401);
    await turn();
    expect(bot.invocations).toEqual([]);
  });

  it('all Slack requests that the bot refuses within a minute write a single log line', async () => {
    const bot = await startBot({ mode: 'http' });
    const stranger = async (options: object) =>
      expect((await postToBot(bot.url, 'slash_commands', command, options)).status).toBe(401);
    const refusals = () =>
      bot.logLines.filter((line) => line.includes('"warn"')).map((line) => JSON.parse(line));
    for (let n = 0; n < 5; n++) await stranger({ secret: 'another-signing-secret' });
    await stranger({ unsigned: true });
    await stranger({ timestamp: now() + 360 });
    const msg = 'slack: refused a request that SLACK_SIGNING_SECRET does not confirm';
    expect(refusals()).toEqual([
      {
        level: 'warn',
        time: expect.anything(),
        msg,
        refused: 1,
        reason: expect.stringContaining('mismatch'),
      },
    ]);
    await bot.clock.advance(60_000);
    await stranger({ unsigned: true });
    expect(refusals()).toMatchObject([{ refused: 1 }, { refused: 7 }]);
  });

  it("the bot answers Slack's certificate check, although this request has no signature", async () => {
    const bot = await startBot({ mode: 'http' });
    const check = { method: 'POST', body: new URLSearchParams({ ssl_check: '1', token: 'x' }).toString() };
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await fetch(`${bot.url}/slack/events`, { ...check, headers })).status).toBe(200);
    expect(bot.invocations).toEqual([]);
  });

  it('a signed Slack request whose body was changed is refused', async () => {
    const bot = await startBot({ mode: 'http' });
    const request = signedRequest('slash_commands', command);
    const body = request.body.replace('list', 'stop');
    expect((await fetch(`${bot.url}/slack/events`, { ...request, body })).status).toBe(401);
    expect((await fetch(`${bot.url}/slack/events`, request)).status).toBe(200);
  });

  it("when the URL is entered in Slack's settings, the bot answers the challenge from Slack", async () => {
    const bot = await startBot({ mode: 'http' });
    const response = await postToBot(bot.url, 'events_api', { type: 'url_verification', challenge: 'abc' });
    expect(await response.json()).toEqual({ challenge: 'abc' });
  });

  it("a GET request, a huge body and a meaningless event that arrive at Slack's path run no command", async () => {
    const bot = await startBot({ mode: 'http' });
    expect((await fetch(`${bot.url}/slack/events`)).status).toBe(404);
    const huge = { ...command, text: 'x'.repeat(1024 * 1024) };
    expect((await postToBot(bot.url, 'slash_commands', huge)).status).toBe(413);
    const nonsense = { type: 'event_callback', event: { type: 'app_mention' } };
    expect((await postToBot(bot.url, 'events_api', nonsense)).status).toBe(200);
    expect(bot.invocations).toEqual([]);
  });

  it.each(['null', '7', '"x"', '[]', 'payload=null', 'payload=%5B%5D', 'no json'])(
    'if a correctly signed body is %s, the bot refuses the request, and still runs the next command',
    async (body) => {
      const bot = await startBot({ mode: 'http' });
      const signed = signedBody(body);
      expect((await fetch(`${bot.url}/slack/events`, signed)).status).toBe(400);
      expect((await postToBot(bot.url, 'slash_commands', command)).status).toBe(200);
      await bot.invocation(1);
    },
  );

  const { user_id: _, ...nobody } = command;
  it.each([
    ['an event that is null', 'events_api', { type: 'event_callback', event: null }],
    ['an event that is a text', 'events_api', { type: 'event_callback', event: 'app_mention' }],
    ['an event without a type', 'events_api', { type: 'event_callback', event: {} }],
    ['a slash command without a person', 'slash_commands', nobody],
    ['an empty payload', 'events_api', {}],
    [
      'a press without an action',
      'interactive',
      { type: 'block_actions', actions: [], user: { id: 'U123456' } },
    ],
    ['a press whose actions are null', 'interactive', { type: 'block_actions', actions: null }],
    ['a shortcut, which the bot does not have', 'interactive', { type: 'shortcut', callback_id: 'x' }],
  ] as const)(
    'a correctly signed request with %s runs no command, and the next command still runs',
    async (_, type, body) => {
      const bot = await startBot({ mode: 'http' });
      expect((await postToBot(bot.url, type, body)).status).toBe(200);
      expect(bot.invocations).toEqual([]);
      expect((await postToBot(bot.url, 'slash_commands', command)).status).toBe(200);
      await bot.invocation(1);
    },
  );

  it('a stopped Slack adapter answers with 503, so that Slack sends the request again', async () => {
    const bot = await startBot({ mode: 'http' });
    await bot.adapter.stop();
    expect(bot.adapter.healthy()).toBe(false);
    expect((await postToBot(bot.url, 'slash_commands', command)).status).toBe(503);
  });
});
