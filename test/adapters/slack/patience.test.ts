import { describe, expect, it, test } from 'vitest';
import { textFile } from '../../../src/chat/card.ts';
import type { Invocation } from '../../../src/chat/port.ts';
import type { SlackFault } from '../../support/slack-faults.ts';
import { until } from '../../support/test-clock.ts';
import { answering, type Bot, card, line, startBot } from './harness.ts';

const LIMITED: SlackFault = { kind: 'rate-limit', retryAfter: 30 };
const PASSING: readonly (readonly [string, SlackFault])[] = [
  ['asks to slow down', LIMITED],
  ['is away', { kind: 'status', status: 503, when: 'before' }],
  ['is away after the effect', { kind: 'status', status: 503, when: 'after' }],
  ['has an error of its own', { kind: 'error', error: 'internal_error' }],
  ['breaks the connection before the effect', { kind: 'reset', when: 'before' }],
  ['breaks the connection after the effect', { kind: 'reset', when: 'after' }],
];
const WAITS = /^Slack makes me wait/;

/** Lets time pass until the probe succeeds. */
async function passing<T>(bot: Bot, probe: () => T | Promise<T>): Promise<NonNullable<T>> {
  return await until(async () => {
    await bot.clock.advance(500);
    return await probe();
  });
}

const calls = ({ driver }: Bot, wanted: string) =>
  driver.server.requests.filter(({ method }) => method === wanted).length;

/** Posts a card for each command, and records each outcome. */
function posting(outcomes: unknown[]) {
  return async (invocation: Invocation) => {
    await invocation.acknowledge('public');
    const { request } = invocation;
    const text = request.kind === 'command' && request.args.kind === 'text' ? request.args.text : '';
    await invocation.postCard(card(text)).then(
      () => outcomes.push(text),
      (error: unknown) => outcomes.push(error),
    );
  };
}

describe.each(PASSING)('waiting while Slack %s', (_, fault) => {
  it('a card that Slack does not accept at first is posted once, as soon as Slack accepts the card', async () => {
    const outcomes: unknown[] = [];
    const bot = await startBot({ handle: posting(outcomes) });
    bot.driver.server.faults.inject('chat.postMessage', fault);
    await bot.driver.slash('operator', 'deploy one');
    await passing(bot, () => outcomes.length === 1);
    expect(outcomes).toEqual(['one']);
    expect(await bot.driver.channel()).toHaveLength(1);
  });

  it('a public answer that Slack does not accept at first is posted once, as soon as Slack accepts the answer', async () => {
    const bot = await startBot({ handle: answering('public', card('Answer')) });
    bot.driver.server.faults.inject('chat.postMessage', fault);
    await bot.driver.slash('operator', 'list');
    await passing(bot, async () => (await bot.driver.channel()).length === 1);
    bot.driver.server.faults.inject('chat.postMessage', fault);
    await bot.driver.mention('operator', 'list');
    await passing(bot, async () => (await bot.driver.channel()).length === 3);
    const asides = (await bot.driver.privately('operator')).map(({ text }) => text);
    expect(asides.filter((text) => !WAITS.test(text))).toEqual([]);
  });

  it('if Slack does not accept the edit of a pressed card at first, the bot edits the card as soon as possible', async () => {
    const bot = await startBot({
      handle: async (invocation) => {
        const pressed = invocation.request.kind === 'action';
        await invocation.acknowledge(pressed ? 'update' : 'public');
        await invocation.respond(pressed ? card('Page two') : card('Page one', more));
      },
    });
    await bot.driver.command('reader', 'list');
    bot.driver.server.faults.inject('chat.update', fault);
    void bot.driver.press('member', 'More');
    await passing(bot, async () => (await bot.driver.channel())[0]?.text === '🟢 Page two');
    expect(await bot.driver.channel()).toHaveLength(1);
  });
});

const STEPS = ['files.getUploadURLExternal', 'upload', 'files.completeUploadExternal'];
describe.each([...PASSING, ['breaks its answer off', { kind: 'broken' }] as const])(
  'a file while Slack %s',
  (_, fault) => {
    it.each(STEPS)(
      'if attaching a file fails for a moment at %s, the bot attaches the file once in the end and posts no warning',
      async (step) => {
        const bot = await startBot();
        const files = [{ name: 'server.log', content: 'Größe 1\nline 2\n' }];
        bot.driver.server.faults.inject(step, fault);
        let over = false;
        const message = { ...card('Logs'), files: files.map(({ name, content }) => textFile(name, content)) };
        void bot.adapter.post(bot.team, { message, key: 'key-1' }).finally(() => {
          over = true;
        });
        await passing(bot, () => over);
        const [posted, ...under] = await bot.driver.channel();
        expect(posted).toMatchObject({ text: '🟢 Logs' });
        expect(under).toMatchObject([{ parent: posted?.id, files }]);
      },
    );
  },
);

test('the bot sends the file of a private answer as soon as Slack accepts the direct message', async () => {
  const files = [{ name: 'server.log', content: 'line' }];
  const logs = { ...card('Logs'), files: [textFile('server.log', 'line')] };
  const bot = await startBot({ handle: answering('private', logs) });
  bot.driver.server.faults.inject('chat.postMessage', LIMITED);
  await bot.driver.slash('reader', 'logs');
  await passing(bot, async () =>
    JSON.stringify(await bot.driver.privately('reader')).includes('sent to you'),
  );
  const [asked, file, ...asides] = await bot.driver.privately('reader');
  expect([asked?.text, file?.files]).toEqual(['You asked for server.log.', files]);
  expect(asides.map(({ text }) => text)).toEqual([
    expect.stringMatching(WAITS),
    expect.stringContaining('server.log: sent to you in a direct message.'),
  ]);
});

test('if the bot cannot check whether a file arrived, a reply says that the file may be missing', async () => {
  const bot = await startBot();
  const { faults } = bot.driver.server;
  faults.inject('files.completeUploadExternal', { kind: 'reset', when: 'before' });
  faults.inject('conversations.replies', { kind: 'error', error: 'missing_scope' });
  const message = { ...card('Logs'), files: [textFile('server.log', 'line')] };
  await bot.adapter.post(bot.team, { message, key: 'key-1' });
  const [, said] = await bot.driver.channel();
  expect(said?.text).toContain('server.log may be missing.');
  expect(calls(bot, 'files.completeUploadExternal')).toBe(1);
});

describe('waiting after a 429', () => {
  test('after a 429, the bot does not use that Slack method during the wait, and then posts the cards in order', async () => {
    const outcomes: unknown[] = [];
    const bot = await startBot({ handle: posting(outcomes) });
    bot.driver.server.faults.inject('chat.postMessage', LIMITED);
    for (const name of ['one', 'two', 'three']) await bot.driver.slash('operator', `deploy ${name}`);
    await until(() => bot.invocations.length === 3 && calls(bot, 'chat.postMessage') === 1);
    const news = { message: line('News'), key: 'key-1' };
    const post = () => bot.adapter.post(bot.team, news);
    await until(() =>
      post().then(
        () => false,
        ({ code }) => code === 'slack-ratelimited',
      ),
    );
    await bot.clock.advance(10_000);
    await expect(post()).rejects.toMatchObject({
      retryAfterMs: 20_000,
      outcome: 'not-sent',
      retryable: true,
    });
    await bot.clock.advance(19_999);
    expect(calls(bot, 'chat.postMessage')).toBe(1);
    await bot.clock.advance(100);
    await until(() => outcomes.length === 1);
    // The other cards follow at the pace that Slack allows.
    expect(calls(bot, 'chat.postMessage')).toBe(2);
    await passing(bot, () => outcomes.length === 3);
    expect(outcomes).toEqual(['one', 'two', 'three']);
    expect(calls(bot, 'chat.postMessage')).toBe(4);
    const told = (await bot.driver.privately('operator')).map(({ text }) => text);
    expect(told).toEqual([expect.stringMatching(WAITS)]);
  });

  test('after a response_url answers with 429, the bot does not use that URL during the wait', async () => {
    const bot = await startBot({ handle: answering('private', line('For you')) });
    const { faults } = bot.driver.server;
    faults.inject('response_url', LIMITED);
    const told = async () => (await bot.driver.privately('reader')).length;
    for (const count of [1, 2]) {
      await bot.driver.slash('reader', 'help');
      await until(async () => (await told()) === count);
    }
    expect(calls(bot, 'response_url')).toBe(1);
    await bot.clock.advance(30_000);
    await bot.driver.slash('reader', 'help');
    await until(async () => (await told()) === 3);
    expect(calls(bot, 'response_url')).toBe(2);
  });
});

test('a message that Slack fails to accept does not hold up the next message', async () => {
  const outcomes: unknown[] = [];
  const bot = await startBot({ handle: posting(outcomes) });
  bot.driver.server.faults.inject('chat.postMessage', { kind: 'error', error: 'internal_error' });
  await bot.driver.slash('operator', 'deploy one');
  await until(() => calls(bot, 'conversations.history') === 1);
  await bot.driver.slash('operator', 'deploy two');
  await until(() => outcomes.length === 1);
  await passing(bot, () => outcomes.length === 2);
  expect(outcomes).toEqual(['two', 'one']);
});

test('if an invocation expires, the bot gives up its waiting card, and a hint says that the bot did nothing', async () => {
  const outcomes: unknown[] = [];
  const bot = await startBot({ handle: posting(outcomes) });
  bot.driver.server.faults.inject('chat.postMessage', LIMITED, 1000);
  const from = bot.clock.now();
  await bot.driver.slash('operator', 'deploy one');
  await passing(bot, () => outcomes.length === 1);
  expect(outcomes).toMatchObject([
    { code: 'slack-ratelimited', hint: expect.stringContaining('I did nothing') },
  ]);
  expect(bot.clock.now() - from).toBeLessThan(30 * 60_000);
  expect(bot.clock.now() - from).toBeGreaterThan(28 * 60_000);
});

test('if the bot cannot read the Slack channel, a card that was possibly posted is not posted again', async () => {
  const outcomes: unknown[] = [];
  const bot = await startBot({ handle: posting(outcomes) });
  const { faults } = bot.driver.server;
  faults.inject('chat.postMessage', { kind: 'status', status: 503, when: 'after' });
  faults.inject('conversations.history', { kind: 'error', error: 'missing_scope' });
  await bot.driver.slash('operator', 'deploy one');
  await until(() => outcomes.length === 1);
  expect(outcomes).toMatchObject([{ outcome: 'unknown', hint: expect.stringContaining('I did nothing') }]);
  expect(calls(bot, 'chat.postMessage')).toBe(1);
});

test('a stopping process gives up all cards that still wait to be posted on Slack', async () => {
  const outcomes: unknown[] = [];
  const bot = await startBot({ handle: posting(outcomes) });
  bot.driver.server.faults.inject('chat.postMessage', LIMITED);
  for (const name of ['one', 'two']) await bot.driver.slash('operator', `deploy ${name}`);
  await until(() => bot.invocations.length === 2 && calls(bot, 'chat.postMessage') === 1);
  await until(() => {
    bot.adapter.hurry?.();
    return outcomes.length === 2;
  });
  expect(outcomes).toMatchObject([
    { name: 'DeliveryError', hint: expect.stringContaining('I did nothing') },
    { name: 'DeliveryError', hint: expect.stringContaining('I did nothing') },
  ]);
  expect(calls(bot, 'chat.postMessage')).toBe(1);
});

const more = {
  kind: 'buttons',
  buttons: [{ label: 'More', style: 'secondary', action: { command: 'logs', action: 'more', arg: 'abc' } }],
} as const;
