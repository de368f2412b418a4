import { describe, expect, test } from 'vitest';
import { suiteDatabase } from '../support/databases.ts';
import { turn, until } from '../support/test-clock.ts';
import { card, clockAhead, drained, here, openDesk } from './harness.ts';
import { closed, refusedForGood, tooFast, unknownOutcome } from './memory-chat.ts';

describe('the order and pace of messages', () => {
  test('messages about a deployment arrive in order, and each message is sent only after the previous message was shown', async () => {
    const desk = await openDesk();
    const target = desk.chat.add(card('Requesting'), here);
    await desk.edit('d1', target, 'Ready');
    await desk.post('d1', 'is ready', { under: target });
    await desk.post('d1', 'terminated', { under: target });
    await desk.worker.start();
    await desk.settle();
    expect(desk.chat.calls).toEqual(['edit Ready', 'post is ready', 'post terminated']);
    expect(desk.chat.messages.slice(1).map(({ replyTo }) => replyTo?.message)).toEqual(['m1', 'm1']);
    expect(await desk.states()).toEqual(['sent', 'sent', 'sent']);
  });

  test('a message that cannot be sent at first delays only later messages about the same deployment', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: tooFast() });
    await desk.post('d1', 'first');
    await desk.post('d1', 'second');
    await desk.post('d2', 'other');
    await desk.worker.start();
    await desk.settle();
    expect(desk.chat.texts).toEqual(['other']);
    await desk.pass(1_000);
    expect(desk.chat.texts).toEqual(['other', 'first', 'second']);
  });

  test('messages to a channel are sent at a limited rate, and messages to other channels do not wait', async () => {
    const desk = await openDesk({ paceMs: 1_000 });
    const there = { ...here, channel: 'random' };
    for (const n of [1, 2, 3]) await desk.post(`d${n}`, `here ${n}`);
    await desk.post('d4', 'there', { to: there });
    await desk.worker.start();
    const shown = () => [...desk.chat.texts].sort();
    await until(() => desk.chat.texts.length === 2);
    await desk.resting();
    expect(shown()).toEqual(['here 1', 'there']);
    await desk.clock.advance(999);
    await desk.resting();
    expect(shown()).toEqual(['here 1', 'there']);
    await desk.clock.advance(1);
    await desk.resting();
    expect(shown()).toEqual(['here 1', 'here 2', 'there']);
    await desk.resting();
    await desk.clock.advance(1_000);
    await desk.resting();
    expect(desk.chat.texts).toContain('here 3');
  });

  test('a delivery is sent at once if its next attempt was scheduled while the clock was a day fast', async () => {
    const desk = await openDesk();
    const under = desk.chat.add(card('Requested'), here);
    await desk.post('d0', 'before');
    await desk.worker.start();
    await desk.settle();
    await desk.worker.stop();
    const tomorrow = desk.clock.now() + 24 * 60 * 60_000;
    await desk.store.updateTable('channels').set({ next_at: tomorrow, next_edit_at: tomorrow }).execute();
    await desk.post('d1', 'news');
    await desk.edit('d2', under, 'Ready');
    await desk.store
      .updateTable('outbox')
      .set({ next_at: tomorrow })
      .where('state', '=', 'pending')
      .execute();
    desk.worker = desk.next();
    await desk.worker.start();
    await drained(desk, 1_000);
    expect(desk.chat.texts).toEqual(['Ready', 'before', 'news']);
    expect(desk.clock.now()).toBeLessThan(tomorrow - 23 * 60 * 60_000);
  });

  test('a process claims a delivery shortly before the channel is free, and releases the delivery if the process stops', async () => {
    const desk = await openDesk({ paceMs: 1_000 });
    for (const text of ['first', 'second']) await desk.post('d1', text);
    await desk.worker.start();
    await until(() => desk.chat.texts.length === 1);
    await desk.resting();
    await desk.clock.advance(900);
    await until(async () => (await desk.states()).includes('leased'));
    await desk.worker.stop();
    const row = desk.store.selectFrom('outbox').selectAll().where('state', '=', 'pending');
    expect(await row.executeTakeFirstOrThrow()).toMatchObject({ holder: null, uncertain: 0, attempts: 0 });
    expect(desk.chat.calls).toEqual(['post first']);
    desk.worker = desk.next();
    await desk.worker.start();
    await desk.resting();
    await desk.clock.advance(99);
    await desk.resting();
    expect(desk.chat.calls).toEqual(['post first']);
    await desk.clock.advance(1);
    await desk.resting();
    expect(desk.chat.calls).toEqual(['post first', 'post second']);
  });

  test('several unsent edits of a card become a single edit with the newest content', async () => {
    const desk = await openDesk();
    const target = desk.chat.add(card('Requesting'), here);
    for (const text of ['Seeking', 'Deploying', 'Ready']) await desk.edit('d1', target, text);
    const release = desk.chat.hold();
    await desk.worker.start();
    await until(async () => (await desk.states()).includes('leased'));
    await desk.edit('d1', target, 'Stopping');
    await desk.edit('d1', target, 'Terminated');
    desk.worker.wake();
    release();
    await desk.settle();
    expect(desk.chat.calls).toEqual(['edit Ready', 'edit Terminated']);
    expect(desk.chat.texts).toEqual(['Terminated']);
  });

  test('deliveries for a platform that is not configured delay no other delivery', async () => {
    const desk = await openDesk();
    for (let n = 0; n < 600; n++) await desk.post(`gone${n}`, 'x', { to: { ...here, platform: 'gone' } });
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    expect(desk.chat.texts).toEqual(['news']);
  });

  test('a platform with many waiting messages does not delay messages to another platform', async () => {
    const desk = await openDesk({
      adapters: (chat) => [chat.adapter({ platform: 'down', paceMs: 60_000 }), chat.adapter()],
    });
    for (let n = 0; n < 600; n++) await desk.post(`down${n}`, 'x', { to: { ...here, platform: 'down' } });
    await desk.post('d1', 'news');
    await desk.worker.start();
    await until(() => desk.chat.texts.includes('news') && desk.chat.texts.length > 1);
    await turn();
    expect(desk.chat.texts.filter((text) => text.startsWith('x'))).toHaveLength(1);
  });

  // This process has the same number of microtasks on SQLite and PostgreSQL, so one database is enough.
  test.skipIf(suiteDatabase === 'postgres')(
    'if the outbox worker is woken at the moment when it finishes, the due message is still sent',
    async () => {
      for (let hops = 0; hops < 12; hops++) {
        let due = false;
        let inFuture = (): void => undefined;
        const desk = await openDesk({
          clock: (clock) => ({
            now: () => clock.now() + (due ? 60_000 : 0),
            // The worker sets the timer while it searches for messages. The timer fires some microtasks later.
            after() {
              let left = hops;
              const hop = (): void => {
                if (left-- > 0) return void Promise.resolve().then(hop);
                inFuture();
              };
              hop();
              return () => undefined;
            },
          }),
        });
        await desk.post('d1', 'news');
        await desk.store
          .updateTable('outbox')
          .set({ next_at: desk.clock.now() + 30_000 })
          .execute();
        inFuture = () => {
          due = true;
          desk.worker.wake();
        };
        await desk.worker.start();
        await until(() => desk.chat.texts.length === 1, `the message, woken ${hops} hops after`);
      }
    },
  );
});

describe('bursts of messages and urgent messages', () => {
  test('many waiting lines for a channel are combined into a single message with each line', async () => {
    const desk = await openDesk({ paceMs: 1_000 });
    for (let n = 1; n <= 12; n++) await desk.post(`d${n}`, `server ${n} is ready`);
    await desk.worker.start();
    await until(() => desk.chat.messages.length === 1);
    expect(desk.chat.texts[0]?.split('\n')).toEqual(
      Array.from({ length: 10 }, (_, index) => `server ${index + 1} is ready`),
    );
    await desk.resting();
    await desk.clock.advance(1_000);
    await desk.resting();
    expect(desk.chat.messages).toHaveLength(2);
    expect(desk.chat.texts[1]).toBe('server 11 is ready');
  });

  test('three waiting lines for a channel are not combined into a digest, but are sent as three messages', async () => {
    const desk = await openDesk();
    for (let n = 1; n <= 3; n++) await desk.post(`d${n}`, `server ${n}`);
    await desk.worker.start();
    await desk.settle();
    expect(desk.chat.texts).toEqual(['server 1', 'server 2', 'server 3']);
  });

  test('lines are combined into a digest even if an edit of a card was stored before each line', async () => {
    const desk = await openDesk({ paceMs: 1_000 });
    for (let n = 1; n <= 20; n++) {
      const target = desk.chat.add(card(`card ${n}`), here);
      await desk.edit(`d${n}`, target, `card ${n}: Ready`);
      await desk.post(`d${n}`, `server ${n} is ready`, { under: target });
    }
    await desk.worker.start();
    await drained(desk, 1_000);
    expect(desk.chat.messages.slice(20)).toHaveLength(2);
    expect(desk.chat.texts.slice(0, 20).every((text) => text.endsWith('Ready'))).toBe(true);
    expect(desk.chat.texts.slice(20).flatMap((text) => text.split('\n'))).toEqual(
      Array.from({ length: 20 }, (_, index) => `server ${index + 1} is ready`),
    );
    // Posts and edits do not wait for each other, because platforms limit them separately.
    expect(desk.chat.calls.slice(0, 4).map((call) => call.slice(0, 4))).toEqual([
      'edit',
      'post',
      'edit',
      'post',
    ]);
  });

  test('a digest is never longer than the platform allows for a message', async () => {
    const desk = await openDesk({ characters: 2_000 });
    for (let n = 1; n <= 12; n++) await desk.post(`d${n}`, `${n} ${'x'.repeat(450)}`);
    await desk.worker.start();
    await desk.settle();
    for (const text of desk.chat.texts) expect(text.length).toBeLessThanOrEqual(2_000);
    expect(desk.chat.texts).toHaveLength(3);
    expect(desk.chat.texts.flatMap((text) => text.split('\n')).map((text) => text.split(' ')[0])).toEqual(
      Array.from({ length: 12 }, (_, index) => String(index + 1)),
    );
  });

  test('if only two lines fit into a message, waiting lines are sent two at a time', async () => {
    const desk = await openDesk({ characters: 2_000 });
    for (let n = 1; n <= 8; n++) await desk.post(`d${n}`, `${n} ${'x'.repeat(900)}`);
    await desk.worker.start();
    await desk.settle();
    // The last two lines are too few for a digest, so each line is sent alone.
    expect(desk.chat.texts.map((text) => text.split('\n').length)).toEqual([2, 2, 2, 1, 1]);
  });

  test('lines for different threads are never combined into one digest', async () => {
    const desk = await openDesk();
    for (let n = 1; n <= 8; n++)
      await desk.post(`d${n}`, `server ${n}`, { to: { ...here, thread: n % 2 ? 'odd' : 'even' } });
    await desk.worker.start();
    await desk.settle();
    expect(desk.chat.messages.map(({ to }) => to.thread)).toEqual(['odd', 'even']);
    expect(desk.chat.texts.toSorted()).toEqual([
      'server 1\nserver 3\nserver 5\nserver 7',
      'server 2\nserver 4\nserver 6\nserver 8',
    ]);
  });

  test('an urgent message is sent alone and before all messages except earlier messages about the same deployment', async () => {
    const desk = await openDesk({ paceMs: 1_000 });
    for (let n = 1; n <= 6; n++) await desk.post(`d${n}`, `server ${n}`);
    const target = desk.chat.add(card('Deploying'), here);
    await desk.edit('bad', target, 'Error');
    await desk.post('bad', 'failed', { urgent: true, alsoToChannel: true, under: target });
    await desk.worker.start();
    await drained(desk, 1_000);
    expect(desk.chat.calls.slice(0, 2)).toEqual(['edit Error', 'post failed']);
    expect(desk.chat.messages[1]).toMatchObject({ alsoToChannel: true, replyTo: target });
    expect(desk.chat.texts[2]?.split('\n')).toHaveLength(6);
  });

  test('urgent messages are never part of a digest', async () => {
    const desk = await openDesk();
    for (let n = 1; n <= 6; n++) await desk.post(`d${n}`, `server ${n} failed`, { urgent: true });
    await desk.worker.start();
    await desk.settle();
    expect(desk.chat.messages).toHaveLength(6);
  });
});

describe('a delivery attempt that fails', () => {
  test('a failed delivery is retried at growing intervals of at most five minutes', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: tooFast() }, 11);
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    const waits: number[] = [];
    while (desk.chat.texts.length === 0) {
      const { next_at } = await desk.store.selectFrom('outbox').select('next_at').executeTakeFirstOrThrow();
      waits.push(next_at - desk.clock.now());
      await desk.pass(next_at - desk.clock.now() - 1);
      const before = desk.chat.calls.length;
      await desk.pass(1);
      expect(desk.chat.calls.length).toBe(before + 1);
    }
    expect(waits.map((ms) => ms / 1_000)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  test('if the platform answers with a Retry-After, no message is sent to the channel during that time', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: tooFast(30_000) });
    await desk.post('d1', 'first');
    await desk.post('d2', 'second');
    await desk.worker.start();
    await desk.resting();
    await desk.clock.advance(29_999);
    expect(desk.chat.calls).toHaveLength(1);
    await desk.clock.advance(1);
    await desk.settle();
    expect(desk.chat.texts.toSorted()).toEqual(['first', 'second']);
  });

  test('if a Retry-After asks for a day, the delivery is tried again after an hour', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: tooFast(24 * 60 * 60_000) });
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.resting();
    await desk.pass(60 * 60_000 - 1);
    expect(desk.chat.texts).toEqual([]);
    await desk.pass(1);
    expect(desk.chat.texts).toEqual(['news']);
  });

  test('a delivery is not retried too early if its next attempt was scheduled while the clock was a minute fast', async () => {
    const desk = await openDesk();
    await desk.post('d1', 'news');
    const next_at = desk.clock.now() + 61 * 60_000;
    await desk.store.updateTable('outbox').set({ next_at }).execute();
    await desk.worker.start();
    await desk.resting();
    expect(desk.chat.texts).toEqual([]);
    await desk.pass(61 * 60_000);
    expect(desk.chat.texts).toEqual(['news']);
  });

  test('if the platform permanently refuses a delivery, the delivery is given up and logged, and delays no other delivery', async () => {
    const desk = await openDesk();
    const gone = { ...here, message: 'deleted' };
    await desk.edit('d1', gone, 'Ready');
    await desk.post('d1', 'is ready');
    await desk.post('d2', 'elsewhere', { to: { ...here, channel: 'random' } });
    desk.chat.fail('post', { error: refusedForGood(), text: 'is ready' });
    await desk.post('d1', 'terminated');
    await desk.worker.start();
    await desk.settle();
    expect(await desk.states()).toEqual(['dead', 'dead', 'sent', 'sent']);
    expect(desk.chat.texts.toSorted()).toEqual(['elsewhere', 'terminated']);
    expect(desk.log.filter((text) => text.includes('cannot be delivered'))).toHaveLength(2);
  });

  test('if a card cannot be edited, messages are not delayed, and the next edit shows the newest state', async () => {
    const desk = await openDesk();
    const target = desk.chat.add(card('Deploying'), here);
    desk.chat.fail('edit', { error: closed() }, 3);
    await desk.edit('d1', target, 'Error');
    await desk.post('d1', 'failed', { under: target, urgent: true });
    await desk.post('d1', 'asked to stop', { under: target });
    await desk.worker.start();
    await desk.settle();
    expect(desk.chat.calls).toEqual(['edit Error', 'post failed', 'post asked to stop']);
    await desk.edit('d1', target, 'Terminated');
    await desk.post('d1', 'terminated', { under: target });
    await desk.settle();
    expect(desk.chat.texts).toEqual(['Deploying', 'failed', 'asked to stop', 'terminated']);
    for (let n = 0; n < 3; n++) await desk.pass(5 * 60_000);
    expect(desk.chat.calls.slice(4)).toEqual(['edit Terminated', 'edit Terminated', 'edit Terminated']);
    expect(desk.chat.texts[0]).toBe('Terminated');
  });

  test('a failed edit of a card is retried until a newer edit is sent, and not afterwards', async () => {
    const desk = await openDesk();
    const target = desk.chat.add(card('Deploying'), here);
    desk.chat.fail('edit', { error: tooFast() });
    await desk.edit('d1', target, 'Ready');
    const release = desk.chat.hold();
    await desk.worker.start();
    await until(async () => (await desk.states()).includes('leased'));
    await desk.edit('d1', target, 'Terminated');
    release();
    await desk.settle();
    await desk.pass(1_000);
    expect(desk.chat.calls).toEqual(['edit Ready', 'edit Ready', 'edit Terminated']);
  });

  test('a delivery for which the adapter throws an unexpected error is given up after three attempts and logged', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: new TypeError('more structure than fits'), text: 'odd' }, 10);
    await desk.post('d1', 'odd');
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    await desk.pass(1_000);
    await desk.pass(2_000);
    expect(await desk.states()).toEqual(['dead', 'sent']);
    expect(desk.chat.texts).toEqual(['news']);
    const errors = desk.log.filter((text) => text.includes('"level":50'));
    expect(errors).toHaveLength(3);
    for (const text of errors) expect(text).toContain('more structure than fits');
  });

  test('if the platform permanently refuses a digest, each of its lines is sent as a separate message', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: refusedForGood(), text: 'server 3' }, 2);
    for (let n = 1; n <= 5; n++) await desk.post(`d${n}`, `server ${n}`);
    await desk.worker.start();
    await desk.settle();
    expect(await desk.states()).toEqual(['sent', 'sent', 'dead', 'sent', 'sent']);
    expect(desk.chat.texts).toEqual(['server 1', 'server 2', 'server 4', 'server 5']);
  });

  test('a delivery that has failed for a day is given up', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: tooFast(25 * 60 * 60_000) }, 2);
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    await desk.pass(25 * 60 * 60_000);
    expect(await desk.states()).toEqual(['dead']);
  });

  test('after an unexpected error during a send, the bot searches the channel before it sends the message again', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: new TypeError('undefined is not a function'), shown: true });
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    await desk.pass(1_000);
    expect(desk.chat.texts).toEqual(['news']);
    expect(await desk.states()).toEqual(['sent']);
  });

  test('if a message is sent but the store cannot record this, the message is not sent a second time', async () => {
    const desk = await openDesk();
    await desk.post('d1', 'news');
    await desk.store.schema.alterTable('outbox').renameColumn('sent_at', 'sent_at_').execute();
    await desk.worker.start();
    await until(() => desk.log.some((text) => text.includes('could not be recorded')));
    expect(desk.chat.texts).toEqual(['news']);
    expect(desk.log.filter((text) => text.includes('could not be recorded'))).toHaveLength(1);
    await desk.store.schema.alterTable('outbox').renameColumn('sent_at_', 'sent_at').execute();
    await desk.pass(1_000);
    expect(desk.chat.texts).toEqual(['news']);
    expect(await desk.states()).toEqual(['sent']);
  });

  test('if the store cannot record that a message was sent, this is recorded later, even if the clock is set back', async () => {
    const { clock, setRight } = clockAhead(30 * 60_000);
    const desk = await openDesk({ clock });
    await desk.post('d1', 'news');
    await desk.store.schema.alterTable('outbox').renameColumn('sent_at', 'sent_at_').execute();
    await desk.worker.start();
    await until(() => desk.log.some((text) => text.includes('could not be recorded')));
    await desk.store.schema.alterTable('outbox').renameColumn('sent_at_', 'sent_at').execute();
    setRight();
    await desk.pass(1_000);
    expect(desk.chat.texts).toEqual(['news']);
    expect(await desk.states()).toEqual(['sent']);
  });

  test.each([
    ['was sent', undefined],
    ['may have been shown', unknownOutcome()],
    ['has to wait', tooFast()],
  ])(
    'if the store cannot record that a delivery %s, the outbox worker completes the delivery by itself',
    async (_, error) => {
      const desk = await openDesk();
      if (error) desk.chat.fail('post', { error });
      await desk.post('d1', 'news');
      await desk.store.schema.alterTable('outbox').renameColumn('reason', 'reason_').execute();
      await desk.worker.start();
      await until(() => desk.log.some((text) => text.includes('could not be recorded')));
      await desk.store.schema.alterTable('outbox').renameColumn('reason_', 'reason').execute();
      // Nothing wakes the worker, so the worker finds the message by itself.
      await until(async () => {
        await desk.clock.advance(1_000);
        return (await desk.states())[0] === 'sent';
      }, 'the news to be done with');
      expect(desk.chat.texts).toEqual(['news']);
    },
  );

  test('if the start of a delivery cannot be recorded in the store, the worker waits before the next attempt', async () => {
    const desk = await openDesk();
    await desk.post('d1', 'news');
    await desk.store.schema.alterTable('outbox').renameColumn('attempted_at', 'hidden').execute();
    await desk.worker.start();
    await until(() => desk.log.some((text) => text.includes('could not be recorded')));
    await turn(20);
    expect(desk.log.filter((text) => text.includes('could not be recorded'))).toHaveLength(1);
    await desk.store.schema.alterTable('outbox').renameColumn('hidden', 'attempted_at').execute();
    await desk.pass(1_000);
    expect(desk.chat.texts).toEqual(['news']);
  });
});

describe('deliveries older than a day', () => {
  const DAY = 24 * 60 * 60_000;

  test('a message older than a day is not sent when the bot starts again', async () => {
    const desk = await openDesk();
    await desk.post('d1', 'is ready');
    await desk.post('d2', 'is ready', { to: { ...here, platform: 'gone' } });
    await desk.clock.advance(30 * DAY);
    await desk.post('d1', 'terminated');
    await desk.worker.start();
    await desk.settle();
    expect(desk.chat.texts).toEqual(['terminated']);
    expect(await desk.states()).toEqual(['dead', 'dead', 'sent']);
    expect(desk.log.join('')).toContain('"count":2');
  });

  test('a message that becomes a day old between two attempts is not tried again', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: tooFast(60 * 60_000) });
    desk.chat.fail('post', { error: tooFast(2 * 60_000) });
    await desk.post('d1', 'is ready');
    await desk.worker.start();
    await desk.settle();
    // When the worker deletes old rows, this row is not old enough yet. At the next attempt, it is too old.
    await desk.pass(DAY - 60_000);
    expect(await desk.states()).toEqual(['pending']);
    await desk.pass(2 * 60_000);
    expect(await desk.states()).toEqual(['dead']);
    expect(desk.chat.calls).toHaveLength(2);
  });

  test('if an old unsent edit of a card has newer content, the edit is sent, because only the age of the content matters', async () => {
    const desk = await openDesk();
    const target = desk.chat.add(card('Requesting'), here);
    await desk.edit('d1', target, 'Ready');
    await desk.clock.advance(2 * DAY);
    await desk.edit('d1', target, 'Terminated');
    await desk.worker.start();
    await desk.settle();
    expect(desk.chat.texts).toEqual(['Terminated']);
  });
});

test('after an outbox worker is stopped, its timers are removed and it sends no more messages', async () => {
  const desk = await openDesk();
  desk.chat.fail('post', { error: tooFast() });
  await desk.post('d1', 'news');
  await desk.worker.start();
  await desk.worker.stop();
  await turn();
  expect(desk.clock.pending).toBe(0);
  await desk.clock.advance(60_000);
  await desk.worker.idle();
  expect(desk.chat.texts).toEqual([]);
});

test('if the outcome of an edit of a card is unknown, the edit is sent again', async () => {
  const desk = await openDesk();
  const target = desk.chat.add(card('Requesting'), here);
  desk.chat.fail('edit', { error: unknownOutcome(), shown: true });
  await desk.edit('d1', target, 'Ready');
  await desk.worker.start();
  await desk.settle();
  await desk.pass(1_000);
  expect(desk.chat.calls).toEqual(['edit Ready', 'edit Ready']);
  expect(desk.chat.messages).toHaveLength(1);
});
