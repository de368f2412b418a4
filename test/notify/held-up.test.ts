import { describe, expect, test } from 'vitest';
import { until } from '../support/test-clock.ts';
import { card, type Desk, here, openDesk } from './harness.ts';
import { tooFast } from './memory-chat.ts';

const WAIT_MS = 30_000;
const random = { ...here, channel: 'random' };

/**
 * Two channels each have a waiting message and a waiting edit. The platform refuses the first request in the first
 * channel.
 */
async function refused(
  call: 'post' | 'edit',
  held: { readonly posts: boolean; readonly edits: boolean; readonly everywhere: boolean } | undefined,
): Promise<Desk> {
  const desk = await openDesk();
  const cards = [here, random].map((at) => ({ at, ref: desk.chat.add(card('Requesting'), at) }));
  desk.chat.fail(call, { error: tooFast(WAIT_MS, held) });
  const first = cards[0];
  if (call === 'post') await desk.post('d0', 'first');
  else if (first) await desk.edit('d0', first.ref, 'first');
  await desk.worker.start();
  await desk.resting();
  for (const { at, ref } of cards) {
    await desk.post(`p-${at.channel}`, `post in ${at.channel}`, { to: at });
    await desk.edit(`e-${at.channel}`, { ...ref, message: ref.message }, `edit in ${at.channel}`);
  }
  desk.worker.wake();
  await desk.resting();
  desk.chat.calls.shift();
  return desk;
}

describe('a platform that requires a wait', () => {
  test.each([
    ['messages in this channel', 'post', undefined, ['edit here', 'edit there', 'post there']],
    ['edits in this channel', 'edit', undefined, ['edit there', 'post here', 'post there']],
    [
      'messages in all channels',
      'post',
      { posts: true, edits: false, everywhere: true },
      ['edit here', 'edit there'],
    ],
    [
      'edits in all channels',
      'edit',
      { posts: false, edits: true, everywhere: true },
      ['post here', 'post there'],
    ],
    ['all messages and edits', 'post', { posts: true, edits: true, everywhere: true }, []],
  ] as const)(
    'if a platform requires a pause of %s, the pause ends on time and delays no other delivery',
    async (_, call, held, sent) => {
      const desk = await refused(call, held);
      const named = (calls: readonly string[]) =>
        calls.map((one) =>
          one.replace(/ (post|edit) in general/, ' here').replace(/ (post|edit) in random/, ' there'),
        );
      expect(named(desk.chat.calls).toSorted()).toEqual(sent);
      await desk.clock.advance(WAIT_MS - 1);
      await desk.resting();
      expect(named(desk.chat.calls)).toHaveLength(sent.length);
      await desk.pass(1);
      await desk.resting();
      expect(named(desk.chat.calls).toSorted()).toEqual(
        ['edit here', 'edit there', 'post here', 'post there', `${call} first`].toSorted(),
      );
    },
  );

  test('if a platform requires several waits, the longest wait applies, regardless of the order of the answers', async () => {
    const desk = await openDesk();
    const all = { posts: true, edits: false, everywhere: true };
    desk.chat.fail('post', { error: tooFast(WAIT_MS, all), text: 'first' });
    desk.chat.fail('post', { error: tooFast(1_000, all), text: 'second' });
    const release = desk.chat.hold();
    for (const text of ['first', 'second']) await desk.post(text, text, { to: { ...here, channel: text } });
    await desk.worker.start();
    await until(async () => (await desk.states()).every((state) => state === 'leased'));
    release();
    await desk.resting();
    await desk.post('third', 'third', { to: { ...here, channel: 'third' } });
    desk.worker.wake();
    await desk.clock.advance(WAIT_MS - 1);
    await desk.resting();
    expect(desk.chat.calls.toSorted()).toEqual(['post first', 'post second']);
    await desk.pass(1);
    expect(desk.chat.texts.toSorted()).toEqual(['first', 'second', 'third']);
  });

  test('a stored wait for a platform is ignored if its end is hours in the future', async () => {
    const desk = await openDesk();
    const far = desk.clock.now() + 6 * 60 * 60_000;
    await desk.store
      .insertInto('channels')
      .values({ id: 'memory/*', holder: null, next_at: far, next_edit_at: far })
      .execute();
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    expect(desk.chat.texts).toEqual(['news']);
  });
});
