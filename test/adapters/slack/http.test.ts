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

describe('HTTP mode', () => {
  it('listens where its path says, on the port of others', async () => {
    const bot = await startBot({ mode: 'http' });
    expect(bot.adapter.http?.path).toBe('/slack/events');
    const response = await postToBot(bot.url, 'slash_commands', command);
    expect([response.status, await response.text()]).toEqual([200, '']);
    await bot.invocation(1);
  });

  it('acknowledges a mention when the pipeline does, which stores first', async () => {
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
    ['from more than five minutes ahead', { timestamp: now() + 360 }],
    ['without a signature', { unsigned: true }],
  ])('refuses a request %s', async (_, options) => {
    const bot = await startBot({ mode: 'http' });
    expect((await postToBot(bot.url, 'slash_commands', command, options)).status).toBe(401);
    await turn();
    expect(bot.invocations).toEqual([]);
  });

  it('has one line in the log for all that strangers send in a minute', async () => {
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

  it('answers the check of the certificate, which Slack does not sign', async () => {
    const bot = await startBot({ mode: 'http' });
    const check = { method: 'POST', body: new URLSearchParams({ ssl_check: '1', token: 'x' }).toString() };
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await fetch(`${bot.url}/slack/events`, { ...check, headers })).status).toBe(200);
    expect(bot.invocations).toEqual([]);
  });

  it('refuses a signed request whose body was changed', async () => {
    const bot = await startBot({ mode: 'http' });
    const request = signedRequest('slash_commands', command);
    const body = request.body.replace('list', 'stop');
    expect((await fetch(`${bot.url}/slack/events`, { ...request, body })).status).toBe(401);
    expect((await fetch(`${bot.url}/slack/events`, request)).status).toBe(200);
  });

  it('answers what Slack asks when the URL is entered', async () => {
    const bot = await startBot({ mode: 'http' });
    const response = await postToBot(bot.url, 'events_api', { type: 'url_verification', challenge: 'abc' });
    expect(await response.json()).toEqual({ challenge: 'abc' });
  });

  it('has nothing to say to a GET, a huge body or nonsense', async () => {
    const bot = await startBot({ mode: 'http' });
    expect((await fetch(`${bot.url}/slack/events`)).status).toBe(404);
    const huge = { ...command, text: 'x'.repeat(1024 * 1024) };
    expect((await postToBot(bot.url, 'slash_commands', huge)).status).toBe(413);
    const nonsense = { type: 'event_callback', event: { type: 'app_mention' } };
    expect((await postToBot(bot.url, 'events_api', nonsense)).status).toBe(200);
    expect(bot.invocations).toEqual([]);
  });

  it.each(['null', '7', '"x"', '[]', 'payload=null', 'payload=%5B%5D', 'no json'])(
    'has no use for a correctly signed %s, and goes on',
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
    ['an event that is a word', 'events_api', { type: 'event_callback', event: 'app_mention' }],
    ['an event of no type', 'events_api', { type: 'event_callback', event: {} }],
    ['a slash command of nobody', 'slash_commands', nobody],
    ['no kind of payload', 'events_api', {}],
    ['a press of nothing', 'interactive', { type: 'block_actions', actions: [], user: { id: 'U123456' } }],
    ['a press of no list', 'interactive', { type: 'block_actions', actions: null }],
    ['a shortcut, which it has not got', 'interactive', { type: 'shortcut', callback_id: 'x' }],
  ] as const)(
    'takes a correctly signed request with %s, does nothing, and goes on',
    async (_, type, body) => {
      const bot = await startBot({ mode: 'http' });
      expect((await postToBot(bot.url, type, body)).status).toBe(200);
      expect(bot.invocations).toEqual([]);
      expect((await postToBot(bot.url, 'slash_commands', command)).status).toBe(200);
      await bot.invocation(1);
    },
  );

  it('asks Slack to come again while it is not running', async () => {
    const bot = await startBot({ mode: 'http' });
    await bot.adapter.stop();
    expect(bot.adapter.healthy()).toBe(false);
    expect((await postToBot(bot.url, 'slash_commands', command)).status).toBe(503);
  });
});
