import { describe, expect, test } from 'vitest';
import { until } from '../support/test-clock.ts';
import { card, clockAhead, type Desk, drained, here, openDesk } from './harness.ts';
import { type MemoryChat, refusedForGood, tooFast, unknownOutcome } from './memory-chat.ts';

/** A process begins to send a message and dies before it stores the outcome. */
async function diesWhileSending(
  desk: Desk,
  supports: Parameters<MemoryChat['adapter']>[0] = {},
): Promise<void> {
  let alive = true;
  const inner = desk.chat.adapter(supports);
  const dying = desk.next([
    {
      ...inner,
      post: async (to, outgoing) => {
        await inner.post(to, outgoing);
        alive = false;
        return await new Promise<never>(() => undefined);
      },
    },
  ]);
  await dying.start();
  await until(() => !alive, 'the process to die');
  void dying.stop();
}

/** Starts the next process without waiting until the dead process's claims expire. */
async function restarted(desk: Desk, options: Parameters<MemoryChat['adapter']>[0] = {}): Promise<void> {
  desk.worker = desk.next([desk.chat.adapter(options)]);
  await desk.worker.start();
  // If processes share the store, the next process waits until the last request of the dead process has certainly ended.
  await drained(desk, 1_000);
}

describe('a message that an earlier attempt possibly showed', () => {
  test('if a failed attempt possibly showed a message, the bot searches the channel, and does not send a message that it finds there', async () => {
    const desk = await openDesk();
    const under = desk.chat.add(card('Ready'), here);
    desk.chat.fail('post', { error: unknownOutcome(), shown: true });
    await desk.post('d1', 'news', { under });
    await desk.worker.start();
    await desk.settle();
    await desk.pass(1_000);
    expect(desk.chat.texts).toEqual(['Ready', 'news']);
    expect(await desk.states()).toEqual(['sent']);
  });

  test("the bot finds an earlier message in the channel even if the bot's clock is ahead of the platform's clock", async () => {
    const { clock } = clockAhead(30_000);
    const desk = await openDesk({ clock });
    desk.chat.fail('post', { error: unknownOutcome(), shown: true });
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    await desk.pass(1_000);
    expect(desk.chat.texts).toEqual(['news']);
    expect(await desk.states()).toEqual(['sent']);
  });

  test('if a failed attempt possibly showed a message and the search does not find it, the bot sends the message again', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: unknownOutcome() });
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    await desk.pass(1_000);
    expect(desk.chat.texts).toEqual(['news']);
  });

  test('the search for a message starts at the time of the attempt, even if the channel was unreadable for a long time', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: unknownOutcome(), shown: true });
    desk.chat.fail('find', { error: tooFast(10 * 60_000) }, 3);
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    await drained(desk, 60_000);
    expect(desk.chat.texts).toEqual(['news']);
    expect(desk.chat.calls.filter((call) => call.startsWith('post'))).toHaveLength(1);
  });

  test('if a channel has no history, a message is sent again with the same key as long as the platform remembers the key', async () => {
    const desk = await openDesk({ supports: { history: false, idempotentPosts: true } });
    desk.chat.fail('post', { error: unknownOutcome(), shown: true });
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    await desk.pass(1_000);
    expect(desk.chat.texts).toEqual(['news']);
  });

  test('if the bot could not search for a message, the repeated message says "possibly repeated"', async () => {
    const desk = await openDesk({ supports: { history: false } });
    desk.chat.fail('post', { error: unknownOutcome(), shown: true });
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    await desk.pass(1_000);
    expect(desk.chat.texts).toEqual(['news', 'news (possibly repeated)']);
  });

  test('if the channel is unreadable and the message key is too old, the repeated message says "possibly repeated"', async () => {
    const desk = await openDesk({ supports: { idempotentPosts: true } });
    desk.chat.fail('post', { error: unknownOutcome() });
    desk.chat.fail('find', { error: tooFast(3 * 60_000) });
    desk.chat.fail('find', { error: refusedForGood() });
    await desk.post('d1', 'news', { message: card('news') });
    await desk.worker.start();
    await desk.settle();
    await drained(desk, 60_000);
    expect(desk.chat.texts).toEqual(['news | Possibly repeated']);
  });

  test.each([true, false])(
    'a digest that an earlier attempt possibly showed still arrives exactly once (shown: %s)',
    async (shown) => {
      const desk = await openDesk();
      const card1 = desk.chat.add(card('Ready'), here);
      desk.chat.fail('post', { error: unknownOutcome(), shown });
      for (let n = 1; n <= 5; n++) await desk.post(`d${n}`, `server ${n}`, { under: card1 });
      await desk.worker.start();
      await desk.settle();
      await drained(desk, 1_000);
      expect(desk.chat.texts.slice(1).flatMap((text) => text.split('\n'))).toEqual([
        'server 1',
        'server 2',
        'server 3',
        'server 4',
        'server 5',
      ]);
      expect(desk.chat.messages.slice(1)).toHaveLength(1);
    },
  );

  test('if a digest was possibly shown, the bot searches once and then sends the digest again with the same lines', async () => {
    const desk = await openDesk({ paceMs: 1_000 });
    for (let n = 1; n <= 40; n++) await desk.post(`d${n}`, `server ${n}`);
    desk.chat.fail('post', { error: unknownOutcome() }, 40);
    await desk.worker.start();
    // The platform does not answer for some time, so the bot tries to send each of the four digests several times.
    await until(async () => {
      await desk.resting();
      await desk.clock.advance(1_000);
      return desk.chat.calls.filter((call) => call.startsWith('post')).length >= 40;
    }, 'the outage to end');
    const before = desk.chat.calls.length;
    await drained(desk, 1_000);
    const lines = desk.chat.texts.flatMap((text) => text.split('\n'));
    expect(lines.toSorted()).toEqual(Array.from({ length: 40 }, (_, n) => `server ${n + 1}`).toSorted());
    expect(desk.chat.messages).toHaveLength(4);
    expect(desk.chat.calls.slice(before).filter((call) => call.startsWith('find'))).toHaveLength(4);
  });

  test('if a digest was possibly shown, the whole digest is repeated before a later urgent message about its deployments', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: unknownOutcome() });
    for (let n = 1; n <= 4; n++) await desk.post(`d${n}`, `server ${n}`);
    await desk.worker.start();
    await desk.settle();
    desk.chat.fail('post', { error: tooFast() });
    await desk.post('d5', 'server 5');
    await desk.settle();
    await desk.post('d2', 'server 2 failed', { urgent: true });
    await drained(desk, 1_000);
    expect(desk.chat.texts).toEqual([
      'server 1\nserver 2\nserver 3\nserver 4',
      'server 2 failed',
      'server 5',
    ]);
  });

  test('if a digest has failed, its lines are sent separately, and the bot searches for each line', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: new TypeError('undefined is not a function') });
    for (let n = 1; n <= 4; n++) await desk.post(`d${n}`, `server ${n}`);
    await desk.worker.start();
    await desk.settle();
    desk.chat.fail('post', { error: unknownOutcome(), shown: true }, 4);
    await drained(desk, 1_000);
    expect(desk.chat.texts.toSorted()).toEqual(['server 1', 'server 2', 'server 3', 'server 4']);
  });

  describe('a digest that was possibly shown in an unreadable channel', () => {
    async function digestInDoubt(): Promise<Desk> {
      const desk = await openDesk({ supports: { idempotentPosts: true } });
      // After an error in the bot's own code, each line is sent separately.
      desk.chat.fail('post', { error: new TypeError('undefined is not a function'), shown: true });
      for (let n = 1; n <= 4; n++) await desk.post(`d${n}`, `server ${n}`);
      await desk.worker.start();
      await desk.settle();
      desk.chat.fail('post', { error: tooFast(), text: 'server 1' });
      return desk;
    }
    const marked = [1, 2, 3, 4].map((n) => `server ${n} (possibly repeated)`);

    test('if a failed digest was possibly shown in an unreadable channel, each line is sent alone with "possibly repeated"', async () => {
      const desk = await digestInDoubt();
      desk.chat.fail('find', { error: refusedForGood() }, 100);
      await drained(desk, 1_000);
      expect(desk.chat.texts.slice(1).toSorted()).toEqual(marked);
    });

    test('a line of a failed digest says "possibly repeated" only once, even if the platform no longer remembers the keys', async () => {
      const desk = await digestInDoubt();
      desk.chat.fail('find', { error: refusedForGood() }, 100);
      desk.chat.fail('post', { error: tooFast(3 * 60_000), text: 'server 1' });
      await drained(desk, 10_000);
      expect(desk.chat.texts.slice(1).toSorted()).toEqual(marked);
    });

    test.each([
      [
        'a digest that may have been shown is sent again with its key if the platform still knows the key',
        true,
        1_000,
        '',
      ],
      [
        'a digest that may have been shown is sent again with "possibly repeated" if the key is too old',
        true,
        3 * 60_000,
        ' (possibly repeated)',
      ],
      [
        'a digest that may have been shown is sent again with "possibly repeated" if the platform has no keys',
        false,
        1_000,
        ' (possibly repeated)',
      ],
    ])('%s', async (_, idempotentPosts, waitMs, mark) => {
      const desk = await openDesk({ supports: { idempotentPosts } });
      const all = 'server 1\nserver 2\nserver 3\nserver 4';
      desk.chat.fail('post', { error: unknownOutcome(), shown: true });
      desk.chat.fail('find', { error: refusedForGood() }, 100);
      for (let n = 1; n <= 4; n++) await desk.post(`d${n}`, `server ${n}`);
      await desk.worker.start();
      await desk.settle();
      desk.chat.fail('post', { error: tooFast(waitMs) });
      await drained(desk, 1_000);
      expect(desk.chat.calls.filter((call) => call.startsWith('post')).at(-1)).toBe(`post ${all}${mark}`);
      // If the platform recognises the key, it does not post the message a second time.
      expect(desk.chat.texts).toEqual(idempotentPosts ? [all] : [all, `${all}${mark}`]);
    });

    test('if a digest was possibly shown and its retry is permanently refused, each line says "possibly repeated"', async () => {
      const desk = await openDesk({ supports: { idempotentPosts: true } });
      desk.chat.fail('post', { error: unknownOutcome(), shown: true });
      desk.chat.fail('find', { error: refusedForGood() }, 100);
      for (let n = 1; n <= 4; n++) await desk.post(`d${n}`, `server ${n}`);
      await desk.worker.start();
      await desk.settle();
      desk.chat.fail('post', { error: refusedForGood() });
      await drained(desk, 1_000);
      expect(desk.chat.texts.slice(1).toSorted()).toEqual(marked);
    });

    test('a line that says "possibly repeated" keeps these words even if the channel becomes readable', async () => {
      const desk = await digestInDoubt();
      desk.chat.fail('find', { error: refusedForGood() });
      await drained(desk, 1_000);
      expect(desk.chat.texts.slice(1)).toEqual(['server 1 (possibly repeated)']);
    });
  });
});

describe('a crash between sending and recording a message', () => {
  test('if a process crashes after it sent a message and before it recorded the success, the message is not sent again', async () => {
    const desk = await openDesk();
    await desk.post('d1', 'first');
    await desk.post('d1', 'second');
    await diesWhileSending(desk);
    expect(desk.chat.texts).toEqual(['first']);
    await restarted(desk);
    expect(desk.chat.texts).toEqual(['first', 'second']);
  });

  test('if a process crashes after it sent a message and before it recorded the success, the message is not sent again even days later', async () => {
    const desk = await openDesk();
    await desk.post('d1', 'news');
    await diesWhileSending(desk, { supports: { idempotentPosts: true } });
    await desk.clock.advance(3 * 24 * 60 * 60_000);
    await restarted(desk, { supports: { idempotentPosts: true } });
    expect(desk.chat.texts).toEqual(['news']);
  });

  describe('a crash of a process whose clock was ahead', () => {
    async function died(supports: Parameters<MemoryChat['adapter']>[0] = {}): Promise<Desk> {
      const { clock, setRight } = clockAhead(10 * 60_000);
      const desk = await openDesk({ clock });
      await desk.post('d1', 'news');
      await diesWhileSending(desk, supports);
      setRight();
      return desk;
    }

    test('a message that a process sent while its clock was ahead is not sent again after a crash', async () => {
      const desk = await died();
      await restarted(desk);
      expect(desk.chat.texts).toEqual(['news']);
    });

    test('a message that was sent before a crash is not sent twice, even if the channel is unreadable for a long time', async () => {
      const desk = await died();
      desk.chat.fail('find', { error: tooFast(20 * 60_000) });
      desk.worker = desk.next();
      await desk.worker.start();
      await drained(desk, 60_000);
      expect(desk.chat.texts).toEqual(['news']);
    });

    test('if the platform possibly no longer remembers a key after a crash, the repeated message says "possibly repeated"', async () => {
      const supports = { idempotentPosts: true, history: false };
      const desk = await died({ supports });
      await restarted(desk, { supports });
      expect(desk.chat.calls).toEqual(['post news', 'post news (possibly repeated)']);
    });
  });

  test('if the bot cannot read a channel, a message that is repeated after a crash says "possibly repeated"', async () => {
    const desk = await openDesk();
    await desk.post('d1', 'news');
    await diesWhileSending(desk, { supports: { history: false } });
    await restarted(desk, { supports: { history: false } });
    expect(desk.chat.texts).toEqual(['news', 'news (possibly repeated)']);
  });

  test('if a crash interrupts the edit of a card, the edit is sent again', async () => {
    const desk = await openDesk();
    const target = desk.chat.add(card('Requesting'), here);
    await desk.edit('d1', target, 'Ready');
    await desk.store.updateTable('outbox').set({ state: 'leased', uncertain: 1, attempts: 1 }).execute();
    await restarted(desk);
    expect(desk.chat.texts).toEqual(['Ready']);
  });
});
