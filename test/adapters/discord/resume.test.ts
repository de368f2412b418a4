import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AckMode, Invocation, Reply } from '../../../src/chat/port.ts';
import { until } from '../../support/test-clock.ts';
import { adapterFor, card, confirmButtons, type Harness, here, line, startHarness } from './harness.ts';

const restarted = line('I was restarted.');

let bot: Harness;
beforeEach(async () => {
  bot = await startHarness();
});
afterEach(async () => {
  await bot.close();
  expect(bot.driver.server.violations).toEqual([]);
});

/** A person sends a command, and the process dies after `until`. Only the reply that the process has stored remains. */
async function died(
  mode: AckMode,
  until_: (invocation: Invocation) => Promise<unknown> = async () => undefined,
  ask: () => Promise<void> = () => bot.driver.command('operator', 'stop'),
): Promise<Reply> {
  const done = Promise.withResolvers<Reply>();
  bot.handle = async (invocation) => {
    const reply = invocation.reply(mode);
    await invocation.acknowledge(mode);
    await until_(invocation);
    done.resolve(JSON.parse(JSON.stringify(reply)));
  };
  await ask();
  return await done.promise;
}

/** A second process, which never received the interaction, gives the answer. */
const resume = (reply: Reply, message = restarted, mayLeave: () => void = () => undefined) =>
  adapterFor(bot.driver, bot.clock).resume(reply, { message, again: message, mayLeave });

const channel = async () => (await bot.driver.channel()).map(({ text, edits }) => ({ text, edits }));
const privately = async () => (await bot.driver.privately('operator')).map(({ text }) => text);

describe('an answer by another process after a crash', () => {
  test.each(['public', 'private'] as const)(
    'after a crash, a second process gives no %s answer if a third process may already be giving that answer',
    async (mode) => {
      const reply = await died(mode);
      const before = bot.driver.server.requests.length;
      const inDoubt = () => {
        // The adapter needs some requests to search for an earlier answer.
        expect(bot.driver.server.requests.length).toBeGreaterThan(before);
        throw new Error('in doubt');
      };
      await expect(resume(reply, restarted, inDoubt)).rejects.toThrow('in doubt');
      expect([await channel(), await privately()]).toEqual([[], []]);
    },
  );

  test('after a crash, a second process fills in the announced public answer on Discord once', async () => {
    const reply = await died('public');
    expect(await channel()).toEqual([]);
    await resume(reply);
    await resume(reply);
    expect(await channel()).toMatchObject([{ text: 'I was restarted.' }]);
    expect(bot.driver.server.rest.messages.all()).toHaveLength(1);
  });

  test('after a crash, a second process fills in the announced private answer on Discord, which stays private', async () => {
    await resume(await died('private'));
    expect(await channel()).toEqual([]);
    expect(await privately()).toEqual(['I was restarted.']);
    expect(await bot.driver.privately('member')).toEqual([]);
  });

  test.each([
    ['that still stands in the channel', async () => undefined],
    [
      'that a person has deleted',
      async () => bot.driver.server.rest.messages.remove(bot.driver.server.rest.messages.all()[0] as never),
    ],
  ])(
    'after a crash, a private answer stays private although the first process announced a public answer %s',
    async (_, before) => {
      const reply = await died('public');
      await before();
      await resume({ ...reply, mode: 'private' });
      expect(await channel()).toEqual([]);
      expect(await privately()).toEqual(['I was restarted.']);
      expect(bot.driver.server.rest.messages.all()).toHaveLength(1);
    },
  );

  test('after a crash, a second process replaces the Discord card that was posted before the crash', async () => {
    await resume(await died('public', (invocation) => invocation.postCard(card('Requesting'))));
    expect(await channel()).toEqual([{ text: 'I was restarted.', edits: 1 }]);
  });

  test('after a crash, a second process answers a press of a button in the same private message', async () => {
    await died('private', (invocation) => invocation.respond(card('Stop?', [confirmButtons])));
    await resume(await died('update', undefined, () => bot.driver.press('operator', 'Stop it')));
    expect(await privately()).toEqual(['I was restarted.']);
  });

  test('after a crash, a second process answers a press privately and leaves the public message unchanged', async () => {
    await died('public', (invocation) => invocation.respond(card('Stop?', [confirmButtons])));
    await resume(await died('update', undefined, () => bot.driver.press('operator', 'Stop it')));
    expect(await channel()).toMatchObject([{ text: '### Stop?', edits: 0 }]);
    expect(await privately()).toEqual(['I was restarted.']);
  });

  test.each(['public', 'private'] as const)(
    'a %s answer that the first process gave before the crash is not given a second time',
    async (mode) => {
      const reply = await died(mode, (invocation) => invocation.respond(line('Done')));
      await resume(reply);
      expect([...(await channel()).map(({ text }) => text), ...(await privately())]).toEqual(['Done']);
    },
  );

  test('after a crash, a second process gives no answer if the first process had already changed the message with the button', async () => {
    for (const mode of ['public', 'private'] as const) {
      await died(mode, (invocation) => invocation.respond(card('Stop?', [confirmButtons])));
      const press = () => bot.driver.press('operator', 'Stop it');
      await resume(await died('update', (invocation) => invocation.respond(line(`Stopped ${mode}`)), press));
    }
    expect(await channel()).toMatchObject([{ text: 'Stopped public' }]);
    expect(await privately()).toEqual(['Stopped private']);
  });
});

describe('an answer by another process after the token expired', () => {
  const expire = {
    early: async () => bot.driver.server.rest.interactions.expireTokens(),
    'after 15 minutes': () => bot.clock.advance(15 * 60_000),
  };

  test.each(Object.entries(expire))(
    "if the interaction's token expires (%s), a second process posts the public answer once, as a new message",
    async (_, pass) => {
      const reply = await died('public');
      await pass();
      await resume(reply);
      await bot.clock.advance(60 * 60_000);
      await resume(reply);
      expect(await channel()).toMatchObject([{ text: 'I was restarted.' }]);
    },
  );

  test.each(Object.entries(expire))(
    "if the interaction's token expires (%s), a second process finds and replaces the posted card",
    async (_, pass) => {
      const reply = await died('public', (invocation) => invocation.postCard(card('Requesting')));
      await pass();
      await resume(reply);
      expect(await channel()).toEqual([{ text: 'I was restarted.', edits: 1 }]);
    },
  );

  test('a second process finds and replaces the posted card although thousands of newer messages follow', async () => {
    const reply = await died('public', (invocation) => invocation.postCard(card('Requesting')));
    for (let i = 0; i < 2_000; i++)
      bot.driver.server.rest.messages.create(here.channel, { content: `chatter ${i}` });
    bot.driver.server.rest.interactions.expireTokens();
    await resume(reply);
    expect((await channel())[0]).toEqual({ text: 'I was restarted.', edits: 1 });
  });

  test('a Discord answer that the first process gave before the crash stays unchanged', async () => {
    const reply = await died('public', (invocation) => invocation.respond(line('Done')));
    bot.driver.server.rest.interactions.expireTokens();
    await resume(reply);
    expect(await channel()).toMatchObject([{ text: 'Done' }]);
  });

  test('an answer that the first process posted in the Discord channel before the crash stays unchanged', async () => {
    const reply = await died('public', async (invocation) => {
      bot.driver.server.rest.interactions.expireTokens();
      await invocation.respond(line('Done'));
    });
    await resume(reply);
    expect(await channel()).toMatchObject([{ text: '<@500000000000000006>\\: `stop`\\: Done' }]);
  });

  test.each(['private', 'update'] as const)(
    'after the interaction\'s token has expired, an answer of the mode "%s" can no longer be given',
    async (mode) => {
      if (mode === 'update')
        await died('public', (invocation) => invocation.respond(card('Stop?', [confirmButtons])));
      const ask = mode === 'update' ? () => bot.driver.press('operator', 'Stop it') : undefined;
      const reply = await died(mode, undefined, ask);
      bot.driver.server.rest.interactions.expireTokens();
      await expect(resume(reply)).rejects.toMatchObject({ code: 'discord-answer-expired', retryable: false });
      expect(await privately()).toEqual([]);
    },
  );

  test.each([
    ['empty', 0],
    ['unreadable for the bot', 1],
  ])(
    'the public answer to a command that was never acknowledged is posted in the channel, although the channel is %s',
    async (_, messages) => {
      for (let n = 0; n < messages; n++) {
        bot.driver.server.rest.messages.create(here.channel, { content: 'chatter' });
        bot.driver.server.fault({
          on: /^GET \/channels\/\d+\/messages/,
          answer: { status: 200, body: [] },
          times: 2,
        });
      }
      let reply: Reply | undefined;
      bot.handle = async (invocation) => {
        reply = invocation.reply('public');
      };
      bot.driver.server.command(bot.driver.user('operator'), 'list', []);
      await until(() => reply);
      await bot.clock.advance(15 * 60_000);
      await resume(await until(() => reply));
      expect((await channel()).at(-1)?.text).toBe('I was restarted.');
    },
  );

  test('if an interaction was never acknowledged, its private answer is given up', async () => {
    let reply: Reply | undefined;
    bot.handle = async (invocation) => {
      reply = invocation.reply('private');
    };
    bot.driver.server.command(bot.driver.user('operator'), 'list', []);
    await expect(resume(await until(() => reply))).rejects.toMatchObject({
      code: 'discord-answer-expired',
      retryable: false,
    });
  });
});

describe('direct messages on Discord', () => {
  const tell = (text: string, key: string) =>
    bot.adapter.sendDirect(
      { id: bot.driver.user('operator').id, workspace: here.workspace },
      { message: line(text), key },
    );

  test('a Discord direct message that is sent twice with the same key arrives only once', async () => {
    await tell('Ready', 'k1');
    await tell('Ready', 'k1');
    expect(await privately()).toEqual(['Ready']);
    expect(await bot.driver.privately('member')).toEqual([]);
    expect(await channel()).toEqual([]);
  });

  test('if a person accepts no Discord direct messages, a direct message fails and is not tried again', async () => {
    bot.driver.server.rest.closedToDirect.add(bot.driver.user('operator').id);
    await expect(tell('Ready', 'k1')).rejects.toMatchObject({
      code: 'discord-direct-closed',
      outcome: 'not-sent',
      retryable: false,
      mendable: false,
    });
  });
});

test("if only Discord's confirmation of the acknowledgement was lost, a refusal replaces the announced answer", async () => {
  const done = Promise.withResolvers<void>();
  bot.handle = async (invocation) => {
    await invocation.acknowledge('private').catch(() => invocation.refuse(line('Try again.')));
    done.resolve();
  };
  bot.driver.server.fault({ on: /callback/, afterEffect: true, answer: 'reset' });
  bot.driver.server.fault({ on: /callback/, answer: 'reset' });
  await bot.driver.command('operator', 'list');
  await done.promise;
  expect(await privately()).toEqual(['Try again.']);
});
