import { describe, expect, onTestFinished, test } from 'vitest';
import { createSlackAdapter } from '../../../src/adapters/slack/adapter.ts';
import { type Message, textFile } from '../../../src/chat/card.ts';
import type { AckMode, Adapter, Invocation, Reply } from '../../../src/chat/port.ts';
import { createLog } from '../../../src/log.ts';
import { inboxOf } from '../../support/inbox.ts';
import { until } from '../../support/test-clock.ts';
import { type Bot, card, line, slackConfig, startBot } from './harness.ts';

const restarted = line('I was restarted.');
const action = { command: 'stop', action: 'confirm', arg: 'abc' };
const ask = card('Stop?', {
  kind: 'buttons',
  buttons: [{ label: 'Stop it', style: 'danger', action }],
});

type Then = (invocation: Invocation) => Promise<unknown>;

interface Stage {
  readonly bot: Bot;
  /**
   * A person sends a command, and the process dies after `then`. Only the reply that the process has stored remains.
   */
  died(mode: AckMode, then?: Then, act?: () => Promise<unknown>): Promise<Reply>;
  /** A second process, which never received the invocation, gives the answer. */
  resume(reply: Reply, message?: Message, mayLeave?: () => void): Promise<void>;
  channel(): Promise<(string | number)[][]>;
  privately(): Promise<string[]>;
}

async function open(): Promise<Stage> {
  let next: ((invocation: Invocation) => Promise<void>) | undefined;
  const bot = await startBot({ handle: async (invocation) => await next?.(invocation) });
  const { driver } = bot;
  const other: Adapter = createSlackAdapter({
    config: slackConfig(driver.environment),
    clock: bot.clock,
    log: createLog({ level: 'silent', secrets: [] }),
  });
  let started: Promise<void> | undefined;
  onTestFinished(() => other.stop());
  return {
    bot,
    async died(mode, then = async () => undefined, act = () => driver.slash('operator', 'stop abc')) {
      const done = Promise.withResolvers<Reply>();
      next = async (invocation) => {
        const reply = invocation.reply(mode);
        await invocation.acknowledge(mode);
        await then(invocation);
        done.resolve(JSON.parse(JSON.stringify(reply)));
      };
      act().catch((error: unknown) => done.reject(error));
      return await done.promise;
    },
    async resume(reply, message = restarted, mayLeave = () => undefined) {
      started ??= other.start(inboxOf(async () => undefined));
      await started;
      await other.resume(reply, { message, again: message, mayLeave });
    },
    channel: async () => (await driver.channel()).map(({ text, edits }) => [text, edits]),
    privately: async () => (await driver.privately('operator')).map(({ text }) => text),
  };
}

test('if Slack is unreachable when the bot starts, the answer to an earlier command fails and can be tried again', async () => {
  const bot = await startBot({});
  const { resume } = createSlackAdapter({
    config: slackConfig(bot.driver.environment),
    clock: bot.clock,
    log: createLog({ level: 'silent', secrets: [] }),
  });
  const asked = { id: 'x', user: 'U1', channel: 'C1', threadOpen: false, receivedAt: bot.clock.now() };
  const answer = { message: restarted, again: restarted, mayLeave: () => undefined };
  await expect(resume({ mode: 'public', asked }, answer)).rejects.toMatchObject({
    code: 'slack-not-connected',
    retryable: true,
  });
});

describe('an answer by a second process on Slack after a crash', () => {
  test('a second process gives no answer on Slack after a crash if a third process is possibly giving this answer', async () => {
    const { bot, died, resume, channel } = await open();
    const reply = await died('public');
    const inDoubt = () => {
      // The adapter needs some requests to search for an earlier answer.
      expect(bot.driver.server.requests.at(-1)?.method).toBe('conversations.history');
      throw new Error('in doubt');
    };
    await expect(resume(reply, restarted, inDoubt)).rejects.toThrow('in doubt');
    expect(await channel()).toEqual([]);
  });

  test.each(['public', 'private'] as const)(
    'after a crash, a second process also sends the files of a %s answer',
    async (mode) => {
      const { bot, died, resume } = await open();
      const log = { ...card('Log of abc'), files: [textFile('abc.log', 'first line\nlast line\n')] };
      await resume(await died(mode), log);
      expect([...bot.driver.server.uploads.values()]).toEqual(['first line\nlast line\n']);
    },
  );

  test('if a second process sends the public answer of a crashed process twice, the channel on Slack shows the answer only once', async () => {
    const { died, resume, channel } = await open();
    const reply = await died('public');
    await resume(reply);
    await resume(reply);
    expect(await channel()).toEqual([['I was restarted.', 0]]);
  });

  test('after a crash, a second process gives a private answer on Slack privately', async () => {
    const { bot, died, resume, channel, privately } = await open();
    await resume(await died('private'));
    expect(await channel()).toEqual([]);
    expect(await privately()).toEqual(['I was restarted.']);
    expect(await bot.driver.privately('member')).toEqual([]);
  });

  test('after a crash, a second process replaces the Slack card that was posted before the crash', async () => {
    const { died, resume, channel } = await open();
    await resume(await died('public', (invocation) => invocation.postCard(card('Requesting'))));
    expect(await channel()).toEqual([['I was restarted.', 1]]);
  });

  test('a second process gives no public answer on Slack if the first process gave the answer before the crash', async () => {
    const { died, resume, channel, privately } = await open();
    await resume(await died('public', (invocation) => invocation.respond(line('Done'))));
    expect(await channel()).toEqual([['Done', 0]]);
    expect(await privately()).toEqual([]);
  });

  test('after a crash, a second process answers a Slack mention once, in the thread of the mention', async () => {
    const { bot, died, resume } = await open();
    const reply = await died('public', undefined, () => bot.driver.mention('operator', 'deploy'));
    await resume(reply);
    await resume(reply);
    const messages = (await bot.driver.channel()).filter(({ text }) => text === 'I was restarted.');
    expect(messages).toMatchObject([{ parent: expect.any(String) }]);
  });

  test('after a crash, a second process answers a press of a Slack button in the same private message', async () => {
    const { bot, died, resume, privately } = await open();
    await died('private', (invocation) => invocation.respond(ask));
    await until(async () => (await privately()).length === 1);
    await resume(await died('update', undefined, () => bot.driver.press('operator', 'Stop it')));
    expect(await privately()).toEqual(['I was restarted.']);
  });

  test('after a crash, a second process answers a press privately and leaves the public Slack message unchanged', async () => {
    const { bot, died, resume, channel, privately } = await open();
    await died('public', (invocation) => invocation.respond(ask));
    await resume(
      await died('update', undefined, () => bot.driver.press('operator', 'Stop it').catch(() => undefined)),
    );
    expect(await channel()).toMatchObject([[expect.stringContaining('Stop?'), 0]]);
    expect(await privately()).toEqual(['I was restarted.']);
  });
});

test.each(['expired', 'used up'])(
  'after a crash, a private answer stays private although the response_url is %s',
  async (how) => {
    const { bot, died, resume, channel, privately } = await open();
    const reply = await died('private');
    if (how === 'expired') bot.driver.server.urls.expireAll();
    else bot.driver.server.urls.useUp();
    await resume(reply);
    expect(await channel()).toEqual([]);
    expect(await privately()).toEqual(['I was restarted.']);
  },
);

test('if the bot may not post in the channel after a crash, the public answer is shown only to the person who asked', async () => {
  const { bot, died, resume, channel, privately } = await open();
  const reply = await died('public');
  bot.driver.server.faults.inject('chat.postMessage', { kind: 'error', error: 'is_archived' });
  await resume(reply);
  expect(await channel()).toEqual([]);
  expect(await privately()).toEqual(['I was restarted.']);
});

test('if an answer fails for a temporary reason after a crash, the next attempt gives the answer, and only once', async () => {
  const { bot, died, resume, channel, privately } = await open();
  const reply = await died('public');
  bot.driver.server.faults.inject('chat.postMessage', { kind: 'status', status: 503, when: 'after' });
  await expect(resume(reply)).rejects.toMatchObject({ retryable: true });
  await resume(reply);
  expect(await channel()).toEqual([['I was restarted.', 0]]);
  expect(await privately()).toEqual([]);
});

test("if Slack's answer to a posted card is lost, the bot finds the card and does not post the card again", async () => {
  const { bot, died, channel } = await open();
  bot.driver.server.faults.inject('chat.postMessage', { kind: 'reset', when: 'after' });
  let ref: unknown;
  await died('public', async (invocation) => {
    ref = await invocation.postCard(card('Requesting'));
  });
  expect(ref).toMatchObject({ message: expect.stringMatching(/^\d+\.\d+$/) });
  expect(await channel()).toHaveLength(1);
});

describe('a card whose confirmation was lost and for which the bot cannot search', () => {
  const unavailable = { kind: 'status', status: 503, when: 'before' } as const;

  test.each([
    ['a card that was posted', 'after', [['🟢 Failed', 1]]],
    ['a card that was never posted', 'before', [['🟢 Failed', 0]]],
  ] as const)(
    'if the bot cannot find out whether a card was posted, only one card shows the outcome in the end: %s',
    async (_, when, shown) => {
      const { bot, died, channel, privately } = await open();
      const { faults } = bot.driver.server;
      faults.inject('chat.postMessage', { kind: 'reset', when });
      // The bot is about to stop, so the adapter must not wait.
      bot.adapter.hurry?.();
      // The adapter reads twice, before it posts the card and before it answers the card. It makes each read three
      // times.
      faults.inject('conversations.history', unavailable, 6);
      await died('public', async (invocation) => {
        await expect(invocation.postCard(card('Requesting'))).rejects.toMatchObject({ outcome: 'unknown' });
        // After the failure the outbox has the answer, and the channel gets no message besides the card.
        await expect(invocation.respond(card('Failed'))).rejects.toMatchObject({ retryable: true });
        await invocation.respond(card('Failed'));
      });
      expect(await channel()).toEqual(shown);
      expect(await privately()).toEqual([]);
    },
  );
});

test('only the recipient sees a Slack direct message', async () => {
  const { bot, channel, privately } = await open();
  const { userIds, server } = bot.driver;
  await bot.adapter.sendDirect(
    { id: userIds.operator, workspace: server.world.team },
    { message: line('Ready'), key: 'k' },
  );
  expect(await privately()).toEqual(['Ready']);
  expect(await channel()).toEqual([]);
  expect(await bot.driver.privately('member')).toEqual([]);
});
