import { describe, expect, it } from 'vitest';
import { textFile } from '../../../src/chat/card.ts';
import { until } from '../../support/test-clock.ts';
import { answering, card, line, startBot } from './harness.ts';

const news = { message: card('Ready'), key: 'key-1' };

describe('posting to Slack', () => {
  it('a reply to a Slack card is posted in the thread of the card, and an urgent reply also appears in the channel', async () => {
    const bot = await startBot();
    const root = await bot.adapter.post(bot.team, news);
    const reply = await bot.adapter.post(bot.team, { message: line('Up'), key: 'key-2', replyTo: root });
    const loud = await bot.adapter.post(bot.team, {
      message: line('Down'),
      key: 'key-3',
      replyTo: reply,
      alsoToChannel: true,
    });
    expect(loud).toEqual({ ...bot.team, thread: root.message, message: loud.message });
    const [first, second, third] = await bot.driver.server.web.messages(bot.team.channel);
    expect(first).not.toHaveProperty('thread_ts');
    expect(second).toMatchObject({ thread_ts: root.message });
    expect(second?.reply_broadcast).not.toBe(true);
    expect(third).toMatchObject({ thread_ts: root.message, reply_broadcast: true });
  });

  it('a post to Slack goes into the right thread, shows no link previews and contains a plain-text summary', async () => {
    const bot = await startBot();
    const root = await bot.adapter.post(bot.team, news);
    await bot.adapter.post({ ...bot.team, thread: root.message }, news);
    const sent = bot.driver.server.requests.findLast(({ method }) => method === 'chat.postMessage');
    expect(sent?.params).toMatchObject({
      thread_ts: root.message,
      unfurl_links: 'false',
      unfurl_media: 'false',
      text: 'Ready',
      metadata: JSON.stringify({ event_type: 'edgegap_chatops', event_payload: { key: 'key-1' } }),
    });
  });
});

describe('a reply to a deleted message', () => {
  it('if a Slack thread was deleted, a reply is posted once in the channel', async () => {
    const bot = await startBot();
    const root = await bot.adapter.post(bot.team, news);
    const gone = { kind: 'error', error: 'thread_not_found' } as const;
    bot.driver.server.faults.inject('chat.postMessage', gone);
    const down = { message: line('Down'), key: 'key-2', replyTo: root, alsoToChannel: true };
    const posted = await bot.adapter.post(bot.team, down);
    expect(posted).not.toHaveProperty('thread');
    expect(await bot.driver.channel()).toMatchObject([{ text: '🟢 Ready' }, { text: 'Down' }]);
    expect((await bot.driver.channel())[1]).not.toHaveProperty('parent');
    bot.driver.server.faults.inject('conversations.replies', gone);
    expect(await bot.adapter.findPosted(bot.team, 'key-2', 0, root)).toEqual(posted);
  });
});

describe('a failed post to Slack', () => {
  it.each([
    [
      'a 429',
      { kind: 'rate-limit', retryAfter: 7 },
      { code: 'slack-ratelimited', outcome: 'not-sent', retryable: true, retryAfterMs: 7000 },
    ],
    [
      'an unknown error',
      { kind: 'error', error: 'a_word_of_tomorrow' },
      { code: 'slack-a-word-of-tomorrow', outcome: 'not-sent', retryable: false, mendable: true },
    ],
    [
      'a 5xx before the effect',
      { kind: 'status', status: 503, when: 'before' },
      { code: 'slack-http-503', outcome: 'unknown', retryable: true },
    ],
    [
      'a 5xx after the effect',
      { kind: 'status', status: 500, when: 'after' },
      { code: 'slack-http-500', outcome: 'unknown', retryable: true },
    ],
    [
      'a broken connection before the effect',
      { kind: 'reset', when: 'before' },
      { code: 'slack-no-answer', outcome: 'unknown', retryable: true },
    ],
    [
      'a broken connection after the effect',
      { kind: 'reset', when: 'after' },
      { code: 'slack-no-answer', outcome: 'unknown', retryable: true },
    ],
    [
      'an answer that ends in the middle',
      { kind: 'broken' },
      { code: 'slack-no-answer', outcome: 'unknown', retryable: true },
    ],
    [
      'is_archived',
      { kind: 'error', error: 'is_archived' },
      { code: 'slack-is-archived', outcome: 'not-sent', retryable: false },
    ],
    [
      'msg_too_long',
      { kind: 'error', error: 'msg_too_long' },
      { code: 'slack-msg-too-long', outcome: 'not-sent', retryable: false },
    ],
    [
      'invalid_auth',
      { kind: 'error', error: 'invalid_auth' },
      { code: 'slack-invalid-auth', retryable: false },
    ],
    [
      'fatal_error',
      { kind: 'error', error: 'fatal_error' },
      { code: 'slack-fatal-error', outcome: 'unknown', retryable: true },
    ],
    [
      'another unknown error',
      { kind: 'error', error: 'who_knows' },
      { code: 'slack-who-knows', outcome: 'not-sent', retryable: false },
    ],
  ] as const)(
    'if a post to Slack fails with %s, the bot does not retry, and the error states the right outcome',
    async (_, fault, expected) => {
      const bot = await startBot();
      bot.driver.server.faults.inject('chat.postMessage', fault);
      await expect(bot.adapter.post(bot.team, news)).rejects.toMatchObject({
        name: 'DeliveryError',
        ...expected,
      });
      expect(bot.driver.server.requests.filter(({ method }) => method === 'chat.postMessage')).toHaveLength(
        1,
      );
    },
  );

  it.each([
    ['chat.postMessage', { posts: true, edits: false, everywhere: true }],
    ['chat.update', { posts: false, edits: true, everywhere: true }],
    ['conversations.history', undefined],
  ] as const)(
    'if Slack answers %s with 429, the error says which requests have to wait',
    async (method, heldUp) => {
      const bot = await startBot();
      const posted = await bot.adapter.post(bot.team, news);
      bot.driver.server.faults.inject(method, { kind: 'rate-limit', retryAfter: 7 });
      const failed =
        method === 'chat.postMessage'
          ? bot.adapter.post(bot.team, news)
          : method === 'chat.update'
            ? bot.adapter.edit(posted, line('x'))
            : bot.adapter.findPosted(bot.team, 'key-1', 0);
      const error = await failed.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'slack-ratelimited', retryAfterMs: 7000 });
      // Slack counts requests per method and workspace.
      expect((error as { heldUp?: unknown }).heldUp).toEqual(heldUp);
    },
  );

  it.each([
    ['is away', { kind: 'status', status: 503, when: 'before' }, undefined],
    ['asks to slow down', { kind: 'rate-limit', retryAfter: 7 }, 7000],
  ] as const)(
    'if the bot cannot join the channel while Slack %s, a post fails and may be tried again',
    async (_, fault, retryAfterMs) => {
      const bot = await startBot();
      const { faults } = bot.driver.server;
      for (const method of ['chat.postMessage', 'conversations.history']) {
        faults.inject(method, { kind: 'error', error: 'not_in_channel' });
        faults.inject('conversations.join', fault);
      }
      const again = { outcome: 'not-sent', retryable: true, retryAfterMs };
      await expect(bot.adapter.post(bot.team, news)).rejects.toMatchObject(again);
      await expect(bot.adapter.findPosted(bot.team, 'key-1', 0)).rejects.toMatchObject(again);
    },
  );

  it('if Slack is unreachable, a post fails, and the error says that the message was not sent', async () => {
    const bot = await startBot();
    await bot.adapter.stop();
    await bot.driver.server.close();
    await expect(bot.adapter.post(bot.team, news)).rejects.toMatchObject({
      code: 'slack-unreachable',
      outcome: 'not-sent',
      retryable: true,
    });
  });

  it('an edit of an unknown Slack message fails and says that the message no longer exists', async () => {
    const bot = await startBot();
    const edit = bot.adapter.edit({ ...bot.team, message: '1.000001' }, card('Ready'));
    await expect(edit).rejects.toMatchObject({ code: 'slack-message-not-found', retryable: false });
  });
});

describe('finding a posted message', () => {
  const since = Date.now() - 60_000;

  it("if a Slack post took effect but Slack's answer was lost, a search finds the message", async () => {
    const bot = await startBot();
    bot.driver.server.faults.inject('chat.postMessage', { kind: 'reset', when: 'after' });
    await expect(bot.adapter.post(bot.team, news)).rejects.toMatchObject({ outcome: 'unknown' });
    const [shown] = await bot.driver.channel();
    expect(await bot.adapter.findPosted(bot.team, 'key-1', since)).toEqual({
      ...bot.team,
      message: shown?.id,
    });
  });

  it('if a search on Slack looks for a reply, it searches only the thread of the reply', async () => {
    const bot = await startBot();
    const root = await bot.adapter.post(bot.team, news);
    const reply = await bot.adapter.post(bot.team, { message: line('Up'), key: 'key-2', replyTo: root });
    expect(await bot.adapter.findPosted(bot.team, 'key-2', since, root)).toEqual(reply);
    expect(await bot.adapter.findPosted(bot.team, 'key-2', since)).toBeUndefined();
  });

  it('the search for a posted message finds nothing if Slack never got the message or if the message is too old', async () => {
    const bot = await startBot();
    bot.driver.server.faults.inject('chat.postMessage', { kind: 'reset', when: 'before' });
    await expect(bot.adapter.post(bot.team, news)).rejects.toMatchObject({ outcome: 'unknown' });
    expect(await bot.adapter.findPosted(bot.team, 'key-1', since)).toBeUndefined();
    await bot.adapter.post(bot.team, news);
    expect(await bot.adapter.findPosted(bot.team, 'key-1', Date.now() + 60_000)).toBeUndefined();
  });

  it('a search on Slack ignores a message with the same key from another author', async () => {
    const bot = await startBot();
    const metadata = JSON.stringify({ event_type: 'edgegap_chatops', event_payload: { key: 'key-1' } });
    const { channel } = bot.team;
    await bot.driver.server.world.call('xoxp-member', 'chat.postMessage', { channel, text: 'Hi', metadata });
    expect(await bot.adapter.findPosted(bot.team, 'key-1', since)).toBeUndefined();
  });

  it('a search on Slack is repeated after a 5xx, and fails in a channel that the bot may not read', async () => {
    const bot = await startBot();
    const { faults, world } = bot.driver.server;
    faults.inject('conversations.history', { kind: 'status', status: 502, when: 'before' });
    expect(await bot.adapter.findPosted(bot.team, 'key-1', since)).toBeUndefined();
    faults.inject('conversations.join', { kind: 'error', error: 'method_not_supported_for_channel_type' });
    const secret = { ...bot.team, channel: world.channels.secret };
    await expect(bot.adapter.findPosted(secret, 'key-1', since)).rejects.toMatchObject({
      code: 'slack-not-in-channel',
      retryable: false,
    });
  });
});

describe('files on Slack', () => {
  const log = { name: 'server.log', content: 'Größe 1\nline 2\n' };
  const withFile = { ...card('Logs'), files: [textFile(log.name, log.content)] };

  it('a file of a Slack card is posted in the thread of the card', async () => {
    const bot = await startBot();
    const ref = await bot.adapter.post(bot.team, { message: withFile, key: 'key-1' });
    const [posted, file] = await bot.driver.channel();
    expect(posted).toMatchObject({ id: ref.message, text: '🟢 Logs' });
    expect(file).toMatchObject({ parent: ref.message, files: [log] });
  });

  it('a file that an edit adds to a Slack card is posted in the thread of that card', async () => {
    const bot = await startBot();
    const ref = await bot.adapter.post(bot.team, { message: card('Reading'), key: 'key-1' });
    await bot.adapter.edit(ref, withFile);
    const [posted, file] = await bot.driver.channel();
    expect(posted).toMatchObject({ id: ref.message, text: '🟢 Logs', edits: 1 });
    expect(file).toMatchObject({ parent: ref.message, files: [log] });
  });

  it('if a new public answer replaces an answer on Slack, a file of the new answer is posted in the thread', async () => {
    const bot = await startBot({ handle: answering('public', card('Reading'), withFile) });
    await bot.driver.command('reader', 'logs');
    const [answer, file] = await until(async () => {
      const messages = await bot.driver.channel();
      return messages.some(({ files }) => files.length > 0) ? messages : undefined;
    }, 'the file');
    expect(answer).toMatchObject({ text: '🟢 Logs', edits: 1 });
    expect(file).toMatchObject({ parent: answer?.id, files: [log] });
  });

  it('on Slack, the files of a refusal or of an additional private message are sent in a direct message', async () => {
    const bot = await startBot({
      handle: async (invocation) => {
        await invocation.refuse(withFile);
        await invocation.respondPrivately(withFile);
      },
    });
    await bot.driver.command('reader', 'logs');
    const files = async () => (await bot.driver.privately('reader')).flatMap((message) => message.files);
    await until(async () => (await files()).length === 2, 'both files');
    expect(await files()).toEqual([log, log]);
  });

  it('a file of a Slack direct message is posted in the thread of that message', async () => {
    const bot = await startBot();
    const { team, users } = bot.driver.server.world;
    await bot.adapter.sendDirect({ id: users.reader, workspace: team }, { message: withFile, key: 'key-1' });
    expect((await bot.driver.privately('reader')).flatMap(({ files }) => files)).toEqual([log]);
  });

  const refused = { kind: 'error', error: 'file_uploads_disabled' } as const;
  it.each([
    ['files.getUploadURLExternal', refused],
    ['upload', { kind: 'status', status: 403, when: 'before' }],
    ['files.completeUploadExternal', refused],
  ] as const)(
    'if Slack refuses a file at %s, the card stays, and a reply says that the file could not be attached',
    async (step, fault) => {
      const bot = await startBot();
      bot.driver.server.faults.inject(step, fault);
      const ref = await bot.adapter.post(bot.team, { message: withFile, key: 'key-1' });
      const [posted, said] = await bot.driver.channel();
      expect(posted).toMatchObject({ id: ref.message });
      expect(said).toMatchObject({
        parent: ref.message,
        text: expect.stringContaining('server.log could not be attached'),
      });
    },
  );

  it('a file of a private answer on Slack is sent in a direct message', async () => {
    const bot = await startBot({
      handle: async (invocation) => {
        await invocation.acknowledge('private');
        await invocation.respond(withFile);
      },
    });
    await bot.driver.command('reader', 'logs');
    expect(await bot.driver.privately('reader')).toMatchObject([
      { text: 'You asked for server.log.' },
      { files: [log] },
      { text: expect.stringContaining('server.log: sent to you in a direct message.') },
    ]);
    const complete = bot.driver.server.requests.find(
      ({ method }) => method === 'files.completeUploadExternal',
    );
    expect(complete?.params.channel_id).toMatch(/^D/);
    expect([...bot.driver.server.uploads.values()]).toEqual(['Größe 1\nline 2\n']);
    expect(await bot.driver.channel()).toEqual([]);
  });
});
