import { describe, expect, test } from 'vitest';
import { fits as fitsDiscord } from '../../src/adapters/discord/render.ts';
import { fitsWhole as fitsSlack } from '../../src/adapters/slack/render.ts';
import type { Line } from '../../src/chat/card.ts';
import { card, type Desk, drained, here, line, openDesk } from './harness.ts';
import { closed, refusedForGood, tooFast } from './memory-chat.ts';

const news = (text: string): { message: Line } => ({
  message: { kind: 'line', tone: 'success', text: [{ mention: 'u1', name: 'Ana' }, ` ${text}`] },
});

async function reasons(desk: Desk) {
  return await desk.store
    .selectFrom('outbox')
    .select(['kind', 'state', 'reason_code', 'reason'])
    // The rows of the digest's lines, without the row of the digest itself.
    .where('id', '>', 0)
    .orderBy('id')
    .execute();
}

describe('why a delivery failed', () => {
  test('the reason why a message waits is stored, and is deleted after the message is sent', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: tooFast(5_000) });
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    expect(await reasons(desk)).toEqual([
      { kind: 'post', state: 'pending', reason_code: 'chat-too-fast', reason: 'Too fast.' },
    ]);
    await desk.pass(5_000);
    expect(await reasons(desk)).toEqual([{ kind: 'post', state: 'sent', reason_code: null, reason: null }]);
  });

  test('the reason why a message was given up stays stored', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: refusedForGood() });
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    expect(await reasons(desk)).toEqual([
      { kind: 'post', state: 'dead', reason_code: 'chat-no-such-channel', reason: 'No such channel.' },
    ]);
  });

  test.each(['{', '[]', '{"kind":"line"}', 'null', '{"kind":"line","tone":"neutral","text":[null]}'])(
    'a message with the unreadable content %s is given up, and the other messages arrive',
    async (json) => {
      const desk = await openDesk();
      for (let n = 1; n <= 5; n++) await desk.post(`d${n}`, `server ${n}`);
      await desk.store
        .updateTable('outbox')
        .set({ message_json: json })
        .where('order_key', '=', 'd1')
        .execute();
      await desk.post('d1', 'after it');
      await desk.worker.start();
      await desk.settle();
      expect((await reasons(desk))[0]).toMatchObject({ state: 'dead', reason_code: 'outbox-unreadable' });
      expect(desk.chat.texts.join('\n').split('\n').toSorted()).toEqual([
        'after it',
        'server 2',
        'server 3',
        'server 4',
        'server 5',
      ]);
    },
  );
});

test.each([
  ['Slack', fitsSlack, { of: 'a newer version' }],
  ['Discord', fitsDiscord, { bold: 5 }],
] as const)(
  'if the adapter for %s cannot show a line, the line is left out of the digest, and the other lines are sent',
  async (_, fits, inline) => {
    const desk = await openDesk({
      adapters: (chat) => {
        const inner = chat.adapter();
        const post: typeof inner.post = async (to, outgoing) => {
          if (outgoing.message.kind === 'line') fits(outgoing.message);
          return await inner.post(to, outgoing);
        };
        return [{ ...inner, fits, post }];
      },
    });
    await desk.post('d0', '', { message: { ...line(''), text: [inline as never] } });
    for (let n = 1; n <= 5; n++) await desk.post(`d${n}`, `server ${n}`);
    await desk.post('d6', 'elsewhere', { to: { ...here, channel: 'random' } });
    await desk.worker.start();
    await drained(desk, 1_000);
    expect(desk.chat.texts.join('\n').split('\n').toSorted()).toEqual([
      'elsewhere',
      'server 1',
      'server 2',
      'server 3',
      'server 4',
      'server 5',
    ]);
    expect((await reasons(desk))[0]).toMatchObject({ state: 'dead', reason_code: 'outbox-fault' });
  },
);

describe('direct messages about undelivered lines', () => {
  test('a mentioned person gets a single direct message about each line that cannot be posted', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: closed() }, 2);
    await desk.post('d1', '', news('is ready'));
    await desk.post('d1', '', news('terminated'));
    await desk.worker.start();
    await desk.settle();
    const why = 'I cannot post this in general: The thread is closed.';
    expect(desk.chat.told).toEqual([
      { person: 'u1', workspace: 'w', text: `u1 is ready\n${why}` },
      { person: 'u1', workspace: 'w', text: `u1 terminated\n${why}` },
    ]);
    await desk.pass(5 * 60_000);
    await desk.pass(5 * 60_000);
    expect(desk.chat.told).toHaveLength(2);
    expect(desk.chat.texts).toEqual(['u1 is ready', 'u1 terminated']);
  });

  test('if the platform refuses a message and also the direct message about the refusal, the bot sends nothing more', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: refusedForGood() });
    desk.chat.fail('tell', { error: refusedForGood() });
    await desk.post('d1', '', { ...news('failed'), urgent: true });
    await desk.worker.start();
    await desk.settle();
    expect(desk.chat.calls).toHaveLength(2);
    expect((await reasons(desk)).map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      'post dead',
      'tell dead',
    ]);
  });

  test('no direct message follows a failed edit, a temporary failure, or a failed line that mentions no person', async () => {
    const desk = await openDesk();
    const target = desk.chat.add(card('Ready'), here);
    desk.chat.fail('edit', { error: closed() });
    desk.chat.fail('post', { error: closed(), text: 'nobody' });
    desk.chat.fail('post', { error: tooFast(), text: 'is ready' });
    await desk.edit('d1', target, 'Terminated');
    await desk.post('d2', 'for nobody');
    await desk.post('d3', '', news('is ready'));
    await desk.worker.start();
    await desk.settle();
    await desk.pass(1_000);
    expect(desk.chat.told).toEqual([]);
  });

  test('many undelivered lines that mention the same person are reported in a single direct message', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: refusedForGood() }, 6);
    for (let n = 1; n <= 5; n++) await desk.post(`d${n}`, '', news(`server ${n} is ready`));
    const held = desk.chat.hold();
    await desk.worker.start();
    held();
    await drained(desk, 1_000);
    expect(desk.chat.told.map(({ text }) => text).join('\n')).toMatch(
      /server 1(.|\n)*server 2(.|\n)*server 3(.|\n)*server 4(.|\n)*server 5/,
    );
  });
});
