import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Rich, textFile } from '../../../src/chat/card.ts';
import type { MessageRef } from '../../../src/chat/port.ts';
import { allowedToPost, ids, permissions } from '../../support/discord-world.ts';
import { card, confirmButtons, type Harness, here, line, startHarness } from './harness.ts';

let bot: Harness;
beforeEach(async () => {
  bot = await startHarness();
});
afterEach(async () => {
  await bot.close();
  expect(bot.driver.server.violations).toEqual([]);
});

const asker = '500000000000000006';

describe('posting to Discord', () => {
  test('on Discord, a one-line message under a card replies to the card and pings only the person who asked', async () => {
    const parent = await bot.adapter.post(here, { key: 'card', message: card('Deploying') });
    await bot.adapter.post(here, {
      key: 'line',
      replyTo: parent,
      message: {
        kind: 'line',
        tone: 'success',
        text: [
          { mention: asker, name: 'Olga' },
          ' your server <@500000000000000007> @everyone <@&300000000000000001> is ready',
        ],
      },
    });
    const [, reply] = await bot.driver.channel();
    expect(reply).toMatchObject({ parent: parent.message, pings: [asker] });
    expect(reply?.text).toMatch(/^✅ <@500000000000000006> your server/);
  });

  test('a Discord card without a mention pings no person, whatever the text of the card says', async () => {
    await bot.adapter.post(here, {
      key: 'k',
      message: card(`<@${asker}> @here`, [
        { kind: 'code', text: `<@${asker}> @everyone`, keep: 'end' },
        { kind: 'fields', fields: [{ label: `<@${asker}>`, value: [{ bold: '@everyone' }] }] },
      ]),
    });
    expect((await bot.driver.channel())[0]?.pings).toEqual([]);
  });

  test('a Discord card shows the name of a person as a mention, but does not ping the person', async () => {
    const by: Rich = ['deployed by ', { person: asker, name: 'Olga' }];
    await bot.adapter.post(here, { key: 'named', message: card('kart v1', [{ kind: 'note', text: by }]) });
    const posted = (await bot.driver.channel()).at(-1);
    expect(posted?.text).toContain(`deployed by <@${asker}>`);
    expect(posted?.pings).toEqual([]);
  });

  test('a reply to a deleted Discord message is posted as a plain message', async () => {
    const parent = await bot.adapter.post(here, { key: 'card', message: card('Deploying') });
    const { messages } = bot.driver.server.rest;
    messages.remove(messages.find(ids.channel, parent.message));
    await bot.adapter.post(here, { key: 'line', replyTo: parent, message: line('Ready') });
    expect(await bot.driver.channel()).toMatchObject([{ text: 'Ready' }]);
  });

  test('files on Discord arrive complete and under safe names, and an edit of the message removes the old files', async () => {
    const content = 'ünï\nlines\n';
    const files = [textFile('../logs of "abc".txt', content), textFile('../logs of "abc".txt', 'second')];
    const posted = await bot.adapter.post(here, { key: 'k', message: card('Logs', [], { files }) });
    expect((await bot.driver.channel())[0]?.files).toEqual([
      { name: '_logs_of_abc_.txt', content },
      { name: '2-_logs_of_abc_.txt', content: 'second' },
    ]);
    await bot.adapter.edit(posted, card('Logs, newer', [], { files: [textFile('new.txt', 'new')] }));
    expect((await bot.driver.channel())[0]?.files).toEqual([{ name: 'new.txt', content: 'new' }]);
    await bot.adapter.edit(posted, card('No logs'));
    expect((await bot.driver.channel())[0]?.files).toEqual([]);
  });

  test('a file too large for Discord is cut at the start, so that its end is kept', async () => {
    const content = Array.from({ length: 700_000 }, (_, i) => `line number ${i}\n`).join('');
    await bot.adapter.post(here, {
      key: 'k',
      message: card('Logs', [], { files: [textFile('a.log', content)] }),
    });
    const file = (await bot.driver.channel())[0]?.files[0]?.content ?? '';
    expect(Buffer.byteLength(file)).toBeLessThanOrEqual(10 * 1024 * 1024);
    expect(file).toMatch(/^\[the beginning is cut.*\]\nline number \d+\n/);
    expect(file.endsWith('line number 699999\n')).toBe(true);
  });

  test('an edit of a Discord message can turn a one-line message into a card, and a card into a one-line message', async () => {
    const posted = await bot.adapter.post(here, { key: 'k', message: line('Asking') });
    await bot.adapter.edit(posted, card('Stop it?', [confirmButtons]));
    expect(await bot.driver.channel()).toMatchObject([
      { text: '### Stop it?', buttons: ['Stop it', 'Keep it'] },
    ]);
    await bot.adapter.edit(posted, line('Kept'));
    expect(await bot.driver.channel()).toMatchObject([{ text: 'Kept', buttons: [] }]);
  });
});

describe('posting each Discord message at most once', () => {
  const outgoing = { key: 'outbox-row-17', message: card('Ready') };

  test.each(['reset', 'closed', { status: 502 }] as const)(
    "if Discord's answer to a post is lost (%j), the bot sends the post again, and Discord shows the message only once",
    async (answer) => {
      bot.driver.server.fault({ on: /^POST \/channels/, afterEffect: true, answer });
      const posted = await bot.adapter.post(here, outgoing);
      expect((await bot.driver.channel()).map(({ id }) => id)).toEqual([posted.message]);
      expect(await bot.adapter.post(here, outgoing)).toEqual(posted);
      expect(await bot.driver.channel()).toHaveLength(1);
    },
  );

  test('if Discord closes the connection during an edit, the bot sends the edit again', async () => {
    const posted = await bot.adapter.post(here, outgoing);
    bot.driver.server.fault({ on: /^PATCH \/channels/, answer: 'closed', times: 2 });
    await bot.adapter.edit(posted, card('Stopping'));
    expect((await bot.driver.channel()).map(({ text }) => text)).toEqual(['### Stopping']);
  });

  test('if the outcome of a Discord post is unknown, the bot searches the channel for the message', async () => {
    const since = bot.clock.now();
    const first = await bot.adapter.post(here, { key: 'another', message: card('Ready') });
    bot.driver.server.fault({ on: /^POST \/channels/, afterEffect: true, answer: { status: 503 }, times: 3 });
    await expect(bot.adapter.post(here, { ...outgoing, replyTo: first })).rejects.toMatchObject({
      outcome: 'unknown',
      retryable: true,
    });
    const found = await bot.adapter.findPosted(here, outgoing.key, since);
    const [, second] = await bot.driver.channel();
    expect(found).toEqual({ ...here, message: second?.id });
    expect(await bot.adapter.findPosted(here, 'never-sent', since)).toBeUndefined();
  });

  test('a search for a Discord post ignores messages older than the post and reads more than 100 newer messages', async () => {
    await bot.adapter.post(here, outgoing);
    await bot.clock.advance(10 * 60_000);
    const since = bot.clock.now();
    for (let i = 0; i < 120; i++)
      bot.driver.server.rest.messages.create(ids.channel, { content: `chatter ${i}` });
    expect(await bot.adapter.findPosted(here, outgoing.key, since)).toBeUndefined();
    const posted = await bot.adapter.post(here, { ...outgoing, key: 'outbox-row-18' });
    expect(await bot.adapter.findPosted(here, 'outbox-row-18', since)).toEqual(posted);
  });

  test('if thousands of newer messages follow a post, the search for the post reports an unknown outcome', async () => {
    const since = bot.clock.now();
    const posted = await bot.adapter.post(here, outgoing);
    for (let i = 0; i < 2_000; i++)
      bot.driver.server.rest.messages.create(ids.channel, { content: `chatter ${i}` });
    expect(await bot.adapter.findPosted(here, outgoing.key, since)).toEqual(posted);
    await bot.adapter.post(here, { ...outgoing, key: 'outbox-row-18' });
    await expect(bot.adapter.findPosted(here, 'outbox-row-18', since)).rejects.toMatchObject({
      code: 'discord-history-too-long',
      outcome: 'unknown',
      retryable: false,
    });
  });

  test('a search in a channel that the bot cannot read fails instead of reporting that the message does not exist', async () => {
    await bot.adapter.post(here, outgoing);
    bot.driver.server.rest.botPermissions = allowedToPost & ~permissions.readMessageHistory;
    await expect(bot.adapter.findPosted(here, outgoing.key, 0)).rejects.toMatchObject({
      code: 'discord-unreadable',
      hint: expect.stringContaining('Read Message History'),
    });
    bot.driver.server.rest.botPermissions = 0n;
    await expect(bot.adapter.findPosted(here, outgoing.key, 0)).rejects.toMatchObject({
      code: 'discord-missing-access',
    });
  });
});

describe('delivery errors', () => {
  const rejected = (status: number, code: number) => ({ status, body: { code, message: 'no' } });
  const final = { outcome: 'not-sent', retryable: false };

  test.each([
    ['a deleted channel', rejected(404, 10003), { code: 'discord-unknown-channel', ...final }],
    ['a channel that the bot cannot see', rejected(403, 50001), { code: 'discord-missing-access', ...final }],
    ['a missing permission', rejected(403, 50013), { code: 'discord-missing-permissions', ...final }],
    ['a locked thread', rejected(403, 160005), { code: 'discord-thread-closed', ...final }],
    ['a message that is too large', rejected(413, 40005), { code: 'discord-too-large', ...final }],
    ['a body that Discord does not accept', rejected(400, 50035), { code: 'discord-rejected', ...final }],
    [
      'an answer that is not JSON',
      { status: 403, headers: { 'content-type': 'text/html' } },
      { code: 'discord-rejected', ...final },
    ],
  ] as const)(
    'if Discord refuses a post because of %s, the error gives the reason and the post counts as not sent',
    async (_, answer, expected) => {
      bot.driver.server.fault({ on: /^POST \/channels/, answer });
      const error = await bot.adapter.post(here, { key: 'k', message: line('x') }).catch((e: unknown) => e);
      expect(error).toMatchObject(expected);
      expect(await bot.driver.channel()).toEqual([]);
    },
  );

  test.each([
    ['the message was deleted', rejected(404, 10008), { code: 'discord-unknown-message', ...final }],
    ['the old message was edited too often', rejected(429, 30046), { outcome: 'not-sent', retryable: true }],
    [
      'the message was edited too often (reported as a bad request)',
      rejected(400, 30046),
      { code: 'discord-edit-limit', retryable: true },
    ],
  ] as const)(
    'if Discord refuses an edit because %s, the error gives the reason',
    async (_, answer, expected) => {
      const posted = await bot.adapter.post(here, { key: 'k', message: line('x') });
      bot.driver.server.fault({ on: /^PATCH \/channels/, answer });
      await expect(bot.adapter.edit(posted, line('y'))).rejects.toMatchObject(expected);
    },
  );

  test('an edit in an archived thread reopens the thread if the bot has the permission', async () => {
    const { rest } = bot.driver.server;
    const posted = await bot.adapter.post(here, { key: 'k', message: line('x') });
    rest.archived = true;
    await bot.adapter.edit(posted, line('y'));
    expect((await bot.driver.channel()).map(({ text }) => text)).toEqual(['y']);
  });

  const closed = (code: number) => ({ on: /^PATCH \/channels\/\d+$/, answer: rejected(403, code) });
  test.each([50013, 50001, 160005])(
    'if the bot may not reopen an archived thread (error %i), the bot first posts a message, which reopens the thread',
    async (code) => {
      const { server } = bot.driver;
      const posted = await bot.adapter.post(here, { key: 'k', message: card('Ready') });
      server.rest.archived = true;
      server.fault(closed(code));
      await bot.adapter.edit(posted, card('Terminated'));
      expect((await bot.driver.channel()).map(({ text }) => text)).toEqual([
        '### Terminated',
        'A message in this thread has changed.',
      ]);
    },
  );

  test("before an edit with an interaction's token, the bot reopens an archived thread by posting a message", async () => {
    const { server } = bot.driver;
    const done = Promise.withResolvers<void>();
    bot.handle = async (invocation) => {
      await invocation.acknowledge('public');
      await invocation.respond(line('Looking'));
      server.rest.archived = true;
      await invocation.respond(line('Found'));
      server.rest.archived = true;
      server.fault(closed(50013));
      await invocation.respond(line('Told')).then(done.resolve, done.reject);
    };
    await bot.driver.command('operator', 'stop');
    await done.promise;
    expect((await bot.driver.channel()).map(({ text }) => text)).toEqual([
      'Told',
      'A message in this thread has changed.',
    ]);
  });

  test('an edit of a Discord message is given up at once if its archived thread cannot be reopened', async () => {
    const { server } = bot.driver;
    const posted = await bot.adapter.post(here, { key: 'k', message: line('x') });
    server.rest.archived = true;
    server.fault(closed(50013));
    server.fault({ on: /^POST \/channels/, answer: rejected(403, 160005) });
    await expect(bot.adapter.edit(posted, line('z'))).rejects.toMatchObject({
      code: 'discord-thread-closed',
      ...final,
      mendable: false,
    });
  });

  test('if Discord limits the rate, the adapter does not wait, but fails with an error that states the waiting time', async () => {
    bot.driver.server.fault({
      on: /^POST \/channels/,
      answer: {
        status: 429,
        headers: { 'retry-after': '7', 'x-ratelimit-scope': 'shared' },
        body: { message: 'You are being rate limited.', retry_after: 7, global: false },
      },
    });
    const error = await bot.adapter.post(here, { key: 'k', message: line('x') }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'discord-rate-limited', outcome: 'not-sent', retryable: true });
    const { retryAfterMs } = error as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThanOrEqual(7000);
    expect(retryAfterMs).toBeLessThan(8000);
  });

  test.each([
    ['a single bucket', {}, undefined],
    ['the whole bot', { 'x-ratelimit-global': 'true' }, { posts: true, edits: true, everywhere: true }],
  ] as const)(
    'if Discord limits the rate of %s, only requests that share this limit have to wait',
    async (_, headers, heldUp) => {
      bot.driver.server.fault({
        on: /^POST \/channels/,
        answer: {
          status: 429,
          headers: { 'retry-after': '1', ...headers },
          body: { message: 'You are being rate limited.', retry_after: 1, global: heldUp !== undefined },
        },
      });
      const error = await bot.adapter.post(here, { key: 'k', message: line('x') }).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'discord-rate-limited' });
      expect((error as { heldUp?: unknown }).heldUp).toEqual(heldUp);
    },
  );

  test("if Discord's rate limit leaves no request for a channel, a post fails without sending a request", async () => {
    bot.driver.server.fault({
      on: /^POST \/channels/,
      times: 2,
      answer: {
        status: 200,
        headers: {
          'x-ratelimit-bucket': 'b',
          'x-ratelimit-limit': '5',
          'x-ratelimit-remaining': '0',
          'x-ratelimit-reset-after': '30',
        },
        body: { id: '1', channel_id: ids.channel },
      },
    });
    // discord.js learns the name of the rate-limit bucket from the first answer, and the state of the bucket from the
    // second.
    for (const key of ['a', 'b']) await bot.adapter.post(here, { key, message: line('x') });
    const requests = bot.driver.server.requests.length;
    await expect(bot.adapter.post(here, { key: 'c', message: line('x') })).rejects.toMatchObject({
      code: 'discord-rate-limited',
    });
    expect(bot.driver.server.requests).toHaveLength(requests);
  });

  test.each(['reset', 'closed', 'cut'] as const)(
    'if the connection of a request to Discord breaks twice (%s), the request is sent again and takes effect once',
    async (answer) => {
      bot.driver.server.fault({ on: /^POST \/channels/, answer, times: 2, afterEffect: true });
      const posted = await bot.adapter.post(here, { key: 'k', message: line('x') });
      bot.driver.server.fault({ on: /^PATCH \/channels/, answer, times: 2 });
      await bot.adapter.edit(posted, line('y'));
      expect((await bot.driver.channel()).map(({ text }) => text)).toEqual(['y']);
    },
  );

  test('after a broken connection, the outcome of a Discord post is unknown; after a refused connection, the post was not sent', async () => {
    bot.driver.server.fault({ on: /^POST \/channels/, answer: 'reset', times: 3 });
    await expect(bot.adapter.post(here, { key: 'k', message: line('x') })).rejects.toMatchObject({
      code: 'discord-unreachable',
      outcome: 'unknown',
      retryable: true,
    });
    await bot.driver.close();
    await expect(bot.adapter.post(here, { key: 'k', message: line('x') })).rejects.toMatchObject({
      code: 'discord-unreachable',
      outcome: 'not-sent',
      retryable: true,
    });
  });

  test("if Discord no longer accepts the bot's token, every post fails with a hint about DISCORD_TOKEN", async () => {
    bot.driver.server.fault({ on: /^POST \/channels/, answer: rejected(401, 0) });
    for (const key of ['a', 'b'])
      await expect(bot.adapter.post(here, { key, message: line('x') })).rejects.toMatchObject({
        code: 'discord-token',
        hint: expect.stringContaining('DISCORD_TOKEN'),
        ...final,
      });
  });

  test('a post to an unknown Discord channel and an edit of an unknown message fail with the reason', async () => {
    await expect(
      bot.adapter.post({ ...here, channel: '499999999999999999' }, { key: 'k', message: line('x') }),
    ).rejects.toMatchObject({ code: 'discord-unknown-channel' });
    const nothing: MessageRef = { ...here, message: '499999999999999999' };
    await expect(bot.adapter.edit(nothing, line('x'))).rejects.toMatchObject({
      code: 'discord-unknown-message',
    });
  });
});
