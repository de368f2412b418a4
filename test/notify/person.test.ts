import { expect, test } from 'vitest';
import { enqueue } from '../../src/notify/outbox.ts';
import { drained, here, line, openDesk } from './harness.ts';
import { refusedForGood, tooFast, unknownOutcome } from './memory-chat.ts';

const answer = {
  kind: 'answer',
  orderKey: 'i1',
  reply: { token: 't' },
  at: here,
  message: line('It was done.'),
  orElse: line('Your stop was done.'),
} as const;

test('an answer from the outbox appears where the answer was announced, and is sent before messages to the channel', async () => {
  const desk = await openDesk();
  await desk.post('d1', 'news');
  await enqueue(desk.store, desk.clock, answer);
  desk.chat.fail('resume', { error: tooFast() });
  await desk.worker.start();
  await desk.settle();
  await desk.pass(1_000);
  expect(desk.chat.calls).toEqual(['resume It was done.', 'post news', 'resume It was done.']);
  expect(desk.chat.answers).toEqual([{ reply: { token: 't' }, text: 'It was done.' }]);
});

test('if an answer was possibly shown, the repeated answer says "possibly repeated"', async () => {
  const desk = await openDesk({ supports: { history: false } });
  await enqueue(desk.store, desk.clock, answer);
  desk.chat.fail('resume', { error: unknownOutcome(), shown: true });
  await desk.worker.start();
  await desk.settle();
  await desk.pass(1_000);
  expect(desk.chat.answers.map(({ text }) => text)).toEqual([
    'It was done.',
    'It was done. (possibly repeated)',
  ]);
});

test('if an answer can no longer be given, the bot posts the answer once in the channel', async () => {
  const desk = await openDesk();
  await enqueue(desk.store, desk.clock, answer);
  desk.chat.fail('resume', { error: refusedForGood() });
  await desk.worker.start();
  await desk.settle();
  await drained(desk, 1_000);
  expect(await desk.states()).toEqual(['dead', 'sent']);
  const ended = desk.store.selectFrom('outbox').select(['kind', 'reason_code']).where('state', '=', 'dead');
  expect(await ended.execute()).toEqual([{ kind: 'answer', reason_code: 'chat-no-such-channel' }]);
  expect(desk.chat.texts).toEqual(['Your stop was done.']);
});

test('the stored content of an answer is deleted when the answer has been given or given up', async () => {
  const desk = await openDesk();
  await enqueue(desk.store, desk.clock, answer);
  await enqueue(desk.store, desk.clock, { ...answer, orderKey: 'i2' });
  desk.chat.fail('resume', { error: refusedForGood() });
  await desk.worker.start();
  await drained(desk, 1_000);
  const rows = desk.store.selectFrom('outbox').select(['message_json', 'target_json']);
  expect(await rows.where('kind', '=', 'answer').execute()).toEqual([
    { message_json: '{}', target_json: null },
    { message_json: '{}', target_json: null },
  ]);
  expect(desk.chat.texts).toEqual(['Your stop was done.']);
});

test('an answer older than half an hour is given up, and the bot posts in the channel instead', async () => {
  const desk = await openDesk();
  await enqueue(desk.store, desk.clock, answer);
  await desk.clock.leap(31 * 60_000);
  await desk.worker.start();
  await drained(desk, 1_000);
  expect(await desk.states()).toEqual(['dead', 'sent']);
  expect(desk.chat.calls).toEqual(['post Your stop was done.']);
});

test('a direct message is sent to the person and not to a channel', async () => {
  const desk = await openDesk();
  await enqueue(desk.store, desk.clock, {
    kind: 'tell',
    orderKey: 'd1',
    person: 'u1',
    at: here,
    message: line('news'),
  });
  await desk.worker.start();
  await desk.settle();
  expect(desk.chat.told).toEqual([{ person: 'u1', workspace: 'w', text: 'news' }]);
  expect(desk.chat.texts).toEqual([]);
});

test('several direct messages to the same person are combined into a single message', async () => {
  const desk = await openDesk();
  for (let n = 1; n <= 5; n++)
    await enqueue(desk.store, desk.clock, {
      kind: 'tell',
      orderKey: `d${n}`,
      person: n < 5 ? 'u1' : 'u2',
      at: here,
      message: line(`server ${n}`),
    });
  await desk.worker.start();
  await desk.settle();
  expect(desk.chat.told.toSorted((a, b) => (a.person < b.person ? -1 : 1))).toEqual([
    { person: 'u1', workspace: 'w', text: 'server 1\nserver 2\nserver 3\nserver 4' },
    { person: 'u2', workspace: 'w', text: 'server 5' },
  ]);
});

test("the channel post that replaces an answer is sent, regardless of the first character of the answer's key", async () => {
  const desk = await openDesk();
  for (const digit of '0123456789abcdef') {
    await enqueue(desk.store, desk.clock, {
      ...answer,
      orderKey: digit,
      key: `${digit}${'0'.repeat(22)}${digit}`,
    });
    desk.chat.fail('resume', { error: refusedForGood() });
  }
  await desk.worker.start();
  await desk.settle();
  expect(desk.chat.texts.join('\n').match(/Your stop was done\./g)).toHaveLength(16);
});
