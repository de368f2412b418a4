import { describe, expect, it } from 'vitest';
import { textFile } from '../../../src/chat/card.ts';
import { until } from '../../support/test-clock.ts';
import { answering, card, line, startBot } from './harness.ts';

const press = { command: 'logs', action: 'more', arg: 'abc' };
const more = { kind: 'buttons', buttons: [{ label: 'More', style: 'secondary', action: press }] } as const;

describe('a private answer on Slack', () => {
  it('only the person who asked sees a private answer on Slack, and a press of a button updates this answer', async () => {
    const bot = await startBot({
      handle: async (invocation) => {
        const pressed = invocation.request.kind === 'action';
        await invocation.acknowledge(pressed ? 'update' : 'private');
        await invocation.respond(pressed ? card('Page two') : card('Page one', more));
      },
    });
    await bot.driver.command('reader', 'logs');
    await bot.driver.press('reader', 'More');
    expect(await bot.driver.privately('reader')).toMatchObject([{ text: '🟢 Page two', edits: 1 }]);
    expect(bot.invocations[1]?.request).toMatchObject({ source: undefined });
    expect(await bot.driver.channel()).toEqual([]);
  });

  it('a private answer to a press on Slack never replaces the public message with the button', async () => {
    const bot = await startBot({
      handle: async (invocation) => {
        const pressed = invocation.request.kind === 'action';
        await invocation.acknowledge(pressed ? 'private' : 'public');
        await invocation.respond(pressed ? line('Just for you') : card('For all', more));
        if (pressed) await invocation.respond(line('Again'));
      },
    });
    await bot.driver.command('reader', 'logs');
    await bot.driver.press('reader', 'More');
    await until(async () => (await bot.driver.privately('reader')).at(1));
    expect(await bot.driver.privately('reader')).toMatchObject([{ text: 'Just for you' }, { text: 'Again' }]);
    expect(await bot.driver.channel()).toMatchObject([{ text: '🟢 For all', edits: 0 }]);
  });

  it.each(['expired', 'used five times'])(
    'if the response_url has %s, a refusal is posted as an ephemeral message',
    async (how) => {
      const bot = await startBot({
        handle: async (invocation) => {
          if (how === 'expired') bot.driver.server.urls.expireAll();
          else bot.driver.server.urls.useUp();
          await invocation.refuse(line('Too late?'));
        },
      });
      await bot.driver.command('member', 'deploy');
      expect(await bot.driver.privately('member')).toMatchObject([{ text: 'Too late?' }]);
      expect(bot.driver.server.requests.map(({ method }) => method)).toEqual([
        'auth.test',
        'apps.connections.open',
        'response_url',
        'chat.postEphemeral',
      ]);
    },
  );
});

describe('channels where the bot may not post', () => {
  const publicly = answering('public', card('Answer'));

  it('the bot posts to a public Slack channel without joining the channel', async () => {
    const bot = await startBot({ handle: publicly });
    await bot.driver.command('operator', 'list');
    expect(bot.driver.server.requests.map(({ method }) => method)).not.toContain('conversations.join');
  });

  it('if only members may post to a public Slack channel, the bot joins the channel before its first post', async () => {
    const bot = await startBot({ handle: publicly });
    bot.driver.server.web.membersOnly.add(bot.team.channel);
    await bot.driver.command('operator', 'list');
    await bot.driver.command('operator', 'list');
    expect(await bot.driver.channel()).toHaveLength(2);
    expect(bot.driver.server.requests.filter(({ method }) => method === 'conversations.join')).toHaveLength(
      1,
    );
  });

  it('in a private Slack channel of which the bot is not a member, the bot answers through the response_url', async () => {
    const bot = await startBot({ handle: publicly });
    const { secret } = bot.driver.server.world.channels;
    await bot.driver.slash('operator', 'list', { channel: secret });
    const [message] = await until(async () => {
      const messages = await bot.driver.server.web.messages(secret);
      return messages.length > 0 ? messages : undefined;
    });
    expect(message?.text).toBe('Answer');
  });

  it('if an answer is sent through the response_url, the bot sends the files of the answer in a direct message', async () => {
    const logs = { ...card('Logs'), files: [textFile('server.log', 'line')] };
    const bot = await startBot({ handle: answering('public', logs) });
    const { world, web } = bot.driver.server;
    await bot.driver.slash('operator', 'logs', { channel: world.channels.secret });
    const [message] = await until(async () => {
      const messages = await web.messages(world.channels.secret);
      return messages.length > 0 ? messages : undefined;
    });
    expect(JSON.stringify(message?.blocks)).toContain('server.log: sent to you in a direct message.');
    expect((await bot.driver.privately('operator')).flatMap(({ files }) => files)).toEqual([
      { name: 'server.log', content: 'line' },
    ]);
  });

  it('a press of a button updates an answer that was posted through the response_url', async () => {
    const bot = await startBot({
      handle: async (invocation) => {
        const pressed = invocation.request.kind === 'action';
        await invocation.acknowledge(pressed ? 'update' : 'public');
        await invocation.respond(pressed ? card('Page two') : card('Page one', more));
      },
    });
    const { web, faults } = bot.driver.server;
    web.membersOnly.add(bot.team.channel);
    faults.inject('conversations.join', { kind: 'error', error: 'is_archived' }, 100);
    await bot.driver.command('reader', 'logs');
    await bot.driver.press('member', 'More');
    expect(await bot.driver.channel()).toMatchObject([{ text: '🟢 Page two', edits: 1 }]);
  });

  it.each(['secret', 'team'] as const)(
    'if the bot may not post in the Slack channel "%s", posting a card fails with a hint to invite the bot',
    async (name) => {
      const failures: unknown[] = [];
      const bot = await startBot({
        handle: async (invocation) => {
          await invocation.acknowledge('public');
          await invocation.postCard(card('Deploying')).catch((error: unknown) => failures.push(error));
        },
      });
      const { server } = bot.driver;
      server.web.membersOnly.add(bot.team.channel);
      server.faults.inject('conversations.join', {
        kind: 'error',
        error: 'method_not_supported_for_channel_type',
      });
      await bot.driver.slash('operator', 'deploy', { channel: server.world.channels[name] });
      const failure = await until(() => failures[0]);
      expect(failure).toMatchObject({
        name: 'DeliveryError',
        code: name === 'team' ? 'slack-not-in-channel' : 'slack-channel-not-found',
        hint: expect.stringContaining('/invite @bot'),
        outcome: 'not-sent',
        retryable: false,
      });
    },
  );
});

describe('a card on Slack', () => {
  it('the reference that the bot gets for a posted Slack card can be used to edit the card later', async () => {
    const refs: unknown[] = [];
    const bot = await startBot({
      handle: async (invocation) => {
        await invocation.acknowledge('public');
        const ref = await invocation.postCard(card('Deploying'));
        await bot.adapter.edit(ref, card('Ready'));
        refs.push(ref);
      },
    });
    await bot.driver.command('operator', 'deploy');
    const ref = await until(() => refs[0]);
    const [message] = await bot.driver.channel();
    expect(ref).toEqual({ ...bot.team, message: message?.id });
    expect(message).toMatchObject({ text: '🟢 Ready', edits: 1 });
  });

  it.each([
    ['asks to slow down', { kind: 'rate-limit', retryAfter: 30 }],
    ['is away for a moment', { kind: 'status', status: 503, when: 'before' }],
  ] as const)('a failed edit of a card is retryable while Slack %s', async (_, fault) => {
    const failed = Promise.withResolvers<unknown>();
    const bot = await startBot({
      handle: async (invocation) => {
        await invocation.acknowledge('public');
        await invocation.postCard(card('Requesting'));
        bot.driver.server.faults.inject('chat.update', fault);
        invocation.respond(card('Nothing was done')).then(failed.resolve, failed.resolve);
      },
    });
    await bot.driver.slash('operator', 'deploy x');
    expect(await failed.promise).toMatchObject({ name: 'DeliveryError', retryable: true });
    expect(await bot.driver.privately('operator')).toEqual([]);
  });

  it('a later answer replaces the card that was posted as the first answer', async () => {
    const bot = await startBot({
      handle: async (invocation) => {
        await invocation.acknowledge('public');
        await invocation.postCard(card('Deploying'));
        await invocation.respond(card('Not deployed'));
      },
    });
    await bot.driver.command('operator', 'deploy');
    await until(async () => (await bot.driver.channel())[0]?.edits);
    expect(await bot.driver.channel()).toMatchObject([{ text: '🟢 Not deployed' }]);
  });
});
