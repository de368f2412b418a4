import { describe, expect, it } from 'vitest';
import type { Invocation } from '../../../src/adapters/adapter.ts';
import { turn, until } from '../../support/test-clock.ts';
import { answering, card, line, startBot } from './harness.ts';

const press = { command: 'logs', action: 'more', arg: 'abc' };
const more = { kind: 'buttons', buttons: [{ label: 'More', style: 'secondary', action: press }] } as const;

describe('a private answer', () => {
  it('is seen by the person alone, and its button updates it where it stands', async () => {
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

  it('never replaces the message everyone sees', async () => {
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

  it.each(['expired', 'used five times'])('comes another way when the response_url has %s', async (how) => {
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
  });
});

describe('where the bot may not post', () => {
  const publicly = answering('public', card('Answer'));

  it('posts to a public channel without being a member', async () => {
    const bot = await startBot({ handle: publicly });
    await bot.driver.command('operator', 'list');
    expect(bot.driver.server.requests.map(({ method }) => method)).not.toContain('conversations.join');
  });

  it('joins a public channel where it has to, once', async () => {
    const bot = await startBot({ handle: publicly });
    bot.driver.server.web.membersOnly.add(bot.team.channel);
    await bot.driver.command('operator', 'list');
    await bot.driver.command('operator', 'list');
    expect(await bot.driver.channel()).toHaveLength(2);
    expect(bot.driver.server.requests.filter(({ method }) => method === 'conversations.join')).toHaveLength(
      1,
    );
  });

  it('answers through the response_url in a private channel it was not invited to', async () => {
    const bot = await startBot({ handle: publicly });
    const { secret } = bot.driver.server.world.channels;
    await bot.driver.slash('operator', 'list', { channel: secret });
    const [message] = await until(async () => {
      const messages = await bot.driver.server.web.messages(secret);
      return messages.length > 0 ? messages : undefined;
    });
    expect(message?.text).toBe('Answer');
  });

  it('hands the files of such an answer over in a direct message', async () => {
    const file = { name: 'server.log', content: 'line' };
    const bot = await startBot({ handle: answering('public', { ...card('Logs'), files: [file] }) });
    const { world, web } = bot.driver.server;
    await bot.driver.slash('operator', 'logs', { channel: world.channels.secret });
    const [message] = await until(async () => {
      const messages = await web.messages(world.channels.secret);
      return messages.length > 0 ? messages : undefined;
    });
    expect(JSON.stringify(message?.blocks)).toContain('server.log: sent to you in a direct message.');
    expect((await bot.driver.privately('operator')).flatMap(({ files }) => files)).toEqual([file]);
  });

  it('updates through the response_url what it had to post that way', async () => {
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
    'refuses a card in the %s channel with what to do about it',
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
        code: name === 'team' ? 'slack_not_in_channel' : 'slack_channel_not_found',
        hint: expect.stringContaining('/invite @bot'),
        outcome: 'not-sent',
        retryable: false,
      });
    },
  );
});

describe('a card', () => {
  it('can be edited long after, by its reference', async () => {
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

  it('is the answer that a later respond replaces', async () => {
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

describe('@bot', () => {
  const both = async (invocation: Invocation) => {
    await invocation.acknowledge('public');
    await invocation.refuse(line('Psst'));
    await invocation.respond(card('Listed'));
  };

  it('is answered in the thread it was asked in', async () => {
    const bot = await startBot({ handle: both });
    const root = String(
      (
        await bot.driver.server.world.call('xoxp-admin', 'chat.postMessage', {
          channel: bot.team.channel,
          text: 'Hi',
        })
      ).ts,
    );
    await bot.driver.mention('operator', 'List --tag qa', root);
    const { request, at } = await bot.invocation(1);
    expect(request).toEqual({ kind: 'command', command: 'list', args: { kind: 'text', text: '--tag qa' } });
    expect(at).toEqual({ ...bot.team, thread: root });
    const answer = await until(async () =>
      (await bot.driver.channel()).find(({ text }) => text.includes('Listed')),
    );
    expect(answer.parent).toBe(root);
    expect(await bot.driver.privately('operator')).toMatchObject([{ text: 'Psst', parent: root }]);
  });

  it('in the channel opens a thread; a private answer stays out of it, where Slack would not show it', async () => {
    const bot = await startBot({ handle: both });
    const asked = await bot.driver.mention('operator', '');
    expect((await bot.invocation(1)).request).toMatchObject({ command: 'help' });
    const answer = await until(async () =>
      (await bot.driver.channel()).find(({ text }) => text.includes('Listed')),
    );
    expect(answer.parent).toBe(asked);
    const [aside] = await bot.driver.privately('operator');
    expect(aside).toMatchObject({ text: 'Psst' });
    expect(aside).not.toHaveProperty('parent');
  });

  it.each([
    ['an edited message', { edited: { user: 'U123456', ts: '1.3' } }],
    ['another app', { bot_id: 'B0OTHER' }],
  ])('by %s is not acted on', async (_, more) => {
    const bot = await startBot();
    const event = {
      type: 'app_mention',
      user: 'U123456',
      text: '<@U0EDGEGAPBOT> stop x',
      ts: '1.2',
      channel: 'C1',
      ...more,
    };
    await bot.driver.deliver('events_api', {
      type: 'event_callback',
      event_id: 'Ev1',
      team_id: bot.team.workspace,
      event,
    });
    await bot.driver.slash('member', 'marker');
    expect((await bot.invocation(1)).request).toMatchObject({ command: 'marker' });
  });
});

describe('a button', () => {
  const block = (action_id: string, more = {}) => ({
    type: 'block_actions',
    user: { id: 'U123456', username: 'x' },
    team: { id: 'T000000001', domain: 'x' },
    container: { type: 'message', message_ts: '5.5', channel_id: 'C1' },
    channel: { id: 'C1', name: 'x' },
    actions: [{ type: 'button', action_id, action_ts: '6.6', block_id: 'b', ...more }],
  });

  it('of another version gets a sentence, and no action', async () => {
    const bot = await startBot();
    const { server } = bot.driver;
    const response_url = `${server.origin}${server.urls.issue({ user: 'U123456', channel: 'C1', source: undefined })}`;
    await bot.driver.deliver('interactive', { ...block('who-knows'), trigger_id: 't', response_url });
    const said = await until(() => server.ephemerals[0]);
    expect(said.text).toContain('another version');
    expect(bot.invocations).toEqual([]);
  });

  it('that only opens a link is acknowledged, and nothing more', async () => {
    const bot = await startBot();
    await bot.driver.deliver('interactive', block('0:url', { url: 'https://docs.edgegap.com' }));
    await turn();
    expect(bot.invocations).toEqual([]);
    expect(bot.driver.server.ephemerals).toEqual([]);
  });

  it('without a trigger id is known by its message, person and time', async () => {
    const bot = await startBot();
    await bot.driver.deliver('interactive', block('0:stop:confirm:x'));
    await bot.driver.deliver('interactive', block('0:stop:confirm:x'));
    await bot.invocation(2);
    expect(bot.invocations.map(({ id }) => id)).toEqual(['5.5-U123456-6.6', '5.5-U123456-6.6']);
  });
});
