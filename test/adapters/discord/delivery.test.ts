import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { textFile } from '../../../src/chat/card.ts';
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

describe('posting', () => {
  test('a line under a card replies to it and pings only the person who asked', async () => {
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

  test('nothing pings without a mention of its own, in a card neither', async () => {
    await bot.adapter.post(here, {
      key: 'k',
      message: card(`<@${asker}> @here`, [
        { kind: 'code', text: `<@${asker}> @everyone`, keep: 'end' },
        { kind: 'fields', fields: [{ label: `<@${asker}>`, value: [{ bold: '@everyone' }] }] },
      ]),
    });
    expect((await bot.driver.channel())[0]?.pings).toEqual([]);
  });

  test('a reply to a message that was deleted is posted all the same', async () => {
    const parent = await bot.adapter.post(here, { key: 'card', message: card('Deploying') });
    const { messages } = bot.driver.server.rest;
    messages.remove(messages.find(ids.channel, parent.message));
    await bot.adapter.post(here, { key: 'line', replyTo: parent, message: line('Ready') });
    expect(await bot.driver.channel()).toMatchObject([{ text: 'Ready' }]);
  });

  test('files arrive whole, under safe names, and an edit drops them', async () => {
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

  test('a file larger than Discord takes keeps its end', async () => {
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

  test('a line and a card can replace each other', async () => {
    const posted = await bot.adapter.post(here, { key: 'k', message: line('Asking') });
    await bot.adapter.edit(posted, card('Stop it?', [confirmButtons]));
    expect(await bot.driver.channel()).toMatchObject([
      { text: '### Stop it?', buttons: ['Stop it', 'Keep it'] },
    ]);
    await bot.adapter.edit(posted, line('Kept'));
    expect(await bot.driver.channel()).toMatchObject([{ text: 'Kept', buttons: [] }]);
  });
});

describe('at most once', () => {
  const outgoing = { key: 'outbox-row-17', message: card('Ready') };

  test.each(['reset', 'closed', { status: 502 }] as const)(
    '%j after it took effect: repeated, shown once',
    async (answer) => {
      bot.driver.server.fault({ on: /^POST \/channels/, afterEffect: true, answer });
      const posted = await bot.adapter.post(here, outgoing);
      expect((await bot.driver.channel()).map(({ id }) => id)).toEqual([posted.message]);
      expect(await bot.adapter.post(here, outgoing)).toEqual(posted);
      expect(await bot.driver.channel()).toHaveLength(1);
    },
  );

  test('an edit whose connection Discord closes is made again', async () => {
    const posted = await bot.adapter.post(here, outgoing);
    bot.driver.server.fault({ on: /^PATCH \/channels/, answer: 'closed', times: 2 });
    await bot.adapter.edit(posted, card('Stopping'));
    expect((await bot.driver.channel()).map(({ text }) => text)).toEqual(['### Stopping']);
  });

  test('an outcome nobody knows is settled by reading the channel', async () => {
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

  test('older messages are not looked at, and many newer ones are', async () => {
    await bot.adapter.post(here, outgoing);
    await bot.clock.advance(10 * 60_000);
    const since = bot.clock.now();
    for (let i = 0; i < 120; i++)
      bot.driver.server.rest.messages.create(ids.channel, { content: `chatter ${i}` });
    expect(await bot.adapter.findPosted(here, outgoing.key, since)).toBeUndefined();
    const posted = await bot.adapter.post(here, { ...outgoing, key: 'outbox-row-18' });
    expect(await bot.adapter.findPosted(here, 'outbox-row-18', since)).toEqual(posted);
  });

  test('what thousands of messages came after may have been posted: that is said, not denied', async () => {
    const since = bot.clock.now();
    const posted = await bot.adapter.post(here, outgoing);
    for (let i = 0; i < 2_000; i++)
      bot.driver.server.rest.messages.create(ids.channel, { content: `chatter ${i}` });
    expect(await bot.adapter.findPosted(here, outgoing.key, since)).toEqual(posted);
    await bot.adapter.post(here, { ...outgoing, key: 'outbox-row-18' });
    await expect(bot.adapter.findPosted(here, 'outbox-row-18', since)).rejects.toMatchObject({
      code: 'discord.history-too-long',
      outcome: 'unknown',
      retryable: false,
    });
  });

  test('a channel that cannot be read says so, and is not taken for empty', async () => {
    await bot.adapter.post(here, outgoing);
    bot.driver.server.rest.botPermissions = allowedToPost & ~permissions.readMessageHistory;
    await expect(bot.adapter.findPosted(here, outgoing.key, 0)).rejects.toMatchObject({
      code: 'discord.unreadable',
      hint: expect.stringContaining('Read Message History'),
    });
    bot.driver.server.rest.botPermissions = 0n;
    await expect(bot.adapter.findPosted(here, outgoing.key, 0)).rejects.toMatchObject({
      code: 'discord.missing-access',
    });
  });
});

describe('what goes wrong', () => {
  const rejected = (status: number, code: number) => ({ status, body: { code, message: 'no' } });
  const final = { outcome: 'not-sent', retryable: false };

  test.each([
    ['channel gone', rejected(404, 10003), { code: 'discord.unknown-channel', ...final }],
    ['not visible', rejected(403, 50001), { code: 'discord.missing-access', ...final }],
    ['not allowed', rejected(403, 50013), { code: 'discord.missing-permissions', ...final }],
    ['thread locked', rejected(403, 160005), { code: 'discord.thread-closed', ...final }],
    ['too large', rejected(413, 40005), { code: 'discord.too-large', ...final }],
    ['a form Discord does not take', rejected(400, 50035), { code: 'discord.rejected', ...final }],
    [
      'not JSON',
      { status: 403, headers: { 'content-type': 'text/html' } },
      { code: 'discord.rejected', ...final },
    ],
  ] as const)('%s', async (_, answer, expected) => {
    bot.driver.server.fault({ on: /^POST \/channels/, answer });
    const error = await bot.adapter.post(here, { key: 'k', message: line('x') }).catch((e: unknown) => e);
    expect(error).toMatchObject(expected);
    expect(await bot.driver.channel()).toEqual([]);
  });

  test.each([
    ['deleted meanwhile', rejected(404, 10008), { code: 'discord.unknown-message', ...final }],
    ['too many edits of an old message', rejected(429, 30046), { outcome: 'not-sent', retryable: true }],
    [
      'too many edits, as a bad request',
      rejected(400, 30046),
      { code: 'discord.edit-limit', retryable: true },
    ],
  ] as const)('an edit: %s', async (_, answer, expected) => {
    const posted = await bot.adapter.post(here, { key: 'k', message: line('x') });
    bot.driver.server.fault({ on: /^PATCH \/channels/, answer });
    await expect(bot.adapter.edit(posted, line('y'))).rejects.toMatchObject(expected);
  });

  test('an edit in an archived thread wakes the thread, where the bot may', async () => {
    const { rest } = bot.driver.server;
    const posted = await bot.adapter.post(here, { key: 'k', message: line('x') });
    rest.archived = true;
    await bot.adapter.edit(posted, line('y'));
    expect((await bot.driver.channel()).map(({ text }) => text)).toEqual(['y']);
  });

  const closed = (code: number) => ({ on: /^PATCH \/channels\/\d+$/, answer: rejected(403, code) });
  test.each([50013, 50001, 160005])(
    'an edit in an archived thread that may not be opened (%i) comes after a message, which opens the thread',
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

  test('so does an edit by an interaction’s token', async () => {
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

  test('an edit in a thread that stays closed is given up at once', async () => {
    const { server } = bot.driver;
    const posted = await bot.adapter.post(here, { key: 'k', message: line('x') });
    server.rest.archived = true;
    server.fault(closed(50013));
    server.fault({ on: /^POST \/channels/, answer: rejected(403, 160005) });
    await expect(bot.adapter.edit(posted, line('z'))).rejects.toMatchObject({
      code: 'discord.thread-closed',
      ...final,
      mendable: false,
    });
  });

  test('a rate limit is handed on with its wait, not waited for', async () => {
    bot.driver.server.fault({
      on: /^POST \/channels/,
      answer: {
        status: 429,
        headers: { 'retry-after': '7', 'x-ratelimit-scope': 'shared' },
        body: { message: 'You are being rate limited.', retry_after: 7, global: false },
      },
    });
    const error = await bot.adapter.post(here, { key: 'k', message: line('x') }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'discord.rate-limited', outcome: 'not-sent', retryable: true });
    const { retryAfterMs } = error as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThanOrEqual(7000);
    expect(retryAfterMs).toBeLessThan(8000);
  });

  test.each([
    ['one bucket holds up no other', {}, undefined],
    [
      'the whole bot holds up everything',
      { 'x-ratelimit-global': 'true' },
      { posts: true, edits: true, everywhere: true },
    ],
  ] as const)('a rate limit of %s', async (_, headers, heldUp) => {
    bot.driver.server.fault({
      on: /^POST \/channels/,
      answer: {
        status: 429,
        headers: { 'retry-after': '1', ...headers },
        body: { message: 'You are being rate limited.', retry_after: 1, global: heldUp !== undefined },
      },
    });
    const error = await bot.adapter.post(here, { key: 'k', message: line('x') }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'discord.rate-limited' });
    expect((error as { heldUp?: unknown }).heldUp).toEqual(heldUp);
  });

  test('so is a bucket that is used up', async () => {
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
    // discord.js learns the bucket's name from the first answer, and its state from the next.
    for (const key of ['a', 'b']) await bot.adapter.post(here, { key, message: line('x') });
    const requests = bot.driver.server.requests.length;
    await expect(bot.adapter.post(here, { key: 'c', message: line('x') })).rejects.toMatchObject({
      code: 'discord.rate-limited',
    });
    expect(bot.driver.server.requests).toHaveLength(requests);
  });

  test.each(['reset', 'closed', 'cut'] as const)(
    'a connection that breaks twice (%s) is tried again: a message stands once, an edit is made',
    async (answer) => {
      bot.driver.server.fault({ on: /^POST \/channels/, answer, times: 2, afterEffect: true });
      const posted = await bot.adapter.post(here, { key: 'k', message: line('x') });
      bot.driver.server.fault({ on: /^PATCH \/channels/, answer, times: 2 });
      await bot.adapter.edit(posted, line('y'));
      expect((await bot.driver.channel()).map(({ text }) => text)).toEqual(['y']);
    },
  );

  test('a broken connection: the outcome is unknown; nobody there: surely not sent', async () => {
    bot.driver.server.fault({ on: /^POST \/channels/, answer: 'reset', times: 3 });
    await expect(bot.adapter.post(here, { key: 'k', message: line('x') })).rejects.toMatchObject({
      code: 'discord.unreachable',
      outcome: 'unknown',
      retryable: true,
    });
    await bot.driver.close();
    await expect(bot.adapter.post(here, { key: 'k', message: line('x') })).rejects.toMatchObject({
      code: 'discord.unreachable',
      outcome: 'not-sent',
      retryable: true,
    });
  });

  test('a token that was reset says so, then and ever after', async () => {
    bot.driver.server.fault({ on: /^POST \/channels/, answer: rejected(401, 0) });
    for (const key of ['a', 'b'])
      await expect(bot.adapter.post(here, { key, message: line('x') })).rejects.toMatchObject({
        code: 'discord.token',
        hint: expect.stringContaining('DISCORD_TOKEN'),
        ...final,
      });
  });

  test('a channel of another server, a message of nobody', async () => {
    await expect(
      bot.adapter.post({ ...here, channel: '499999999999999999' }, { key: 'k', message: line('x') }),
    ).rejects.toMatchObject({ code: 'discord.unknown-channel' });
    const nothing: MessageRef = { ...here, message: '499999999999999999' };
    await expect(bot.adapter.edit(nothing, line('x'))).rejects.toMatchObject({
      code: 'discord.unknown-message',
    });
  });
});
