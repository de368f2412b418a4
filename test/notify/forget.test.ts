import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { textFile } from '../../src/chat/card.ts';
import { channelId } from '../../src/notify/channels.ts';
import { enqueue } from '../../src/notify/outbox.ts';
import { purgeChannels, purgeOutbox } from '../../src/notify/report.ts';
import type { Store } from '../../src/store/schema.ts';
import { dialectFor, openStore } from '../../src/store/store.ts';
import { createDriver, startBot } from '../support/bot.ts';
import { freshDatabase, suiteDatabase } from '../support/databases.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { until } from '../support/test-clock.ts';
import { card, here, line, openDesk } from './harness.ts';
import { refusedForGood } from './memory-chat.ts';

const DAY = 24 * 60 * 60_000;

/** Adds rows of messages that were delivered in 1970. */
async function deliveredLongAgo(store: Store, count: number): Promise<void> {
  const { platform, workspace, channel } = here;
  await store
    .insertInto('outbox')
    .values(
      Array.from({ length: count }, (_, n) => ({
        order_key: `old${n}`,
        platform,
        workspace,
        channel,
        kind: 'post',
        message_json: JSON.stringify(line('old')),
        also_to_channel: 0,
        urgent: 0,
        key: `old${n}`,
        state: 'sent',
        uncertain: 0,
        attempts: 1,
        next_at: 1,
        created_at: 1,
        sent_at: 1,
      })),
    )
    .execute();
}

describe('finished deliveries', () => {
  test('the files of a message are deleted from the outbox as soon as the message is sent', async () => {
    const desk = await openDesk();
    await desk.worker.start();
    const message = { ...card('a log'), files: [textFile('a.log', 'the last words')] };
    await enqueue(desk.store, desk.clock, { kind: 'post', orderKey: 'd1', to: here, message });
    await desk.settle();
    const [posted] = desk.chat.messages;
    expect(posted?.message).toMatchObject({ files: [{ name: 'a.log' }] });
    const { message_json } = await desk.store
      .selectFrom('outbox')
      .select('message_json')
      .executeTakeFirstOrThrow();
    expect(JSON.parse(message_json)).toEqual({ ...card('a log'), files: [] });
  });

  test('old finished deliveries are deleted, and so are the rows of channels that are no longer used', async () => {
    const desk = await openDesk();
    await desk.worker.start();
    await desk.post('d1', 'first');
    desk.chat.fail('post', { error: refusedForGood(), text: 'nowhere' });
    await desk.post('d2', 'nowhere');
    await desk.settle();
    await desk.worker.stop();
    await desk.post('d3', 'waits');
    const { store, clock } = desk;
    const written = clock.now();
    await clock.advance(DAY);
    const purge = async (before: number) => [
      await purgeOutbox(store, before),
      await purgeChannels(store, desk.worker.membership, before),
    ];
    expect(await purge(written - DAY)).toEqual([false, false]);
    expect(await desk.states()).toEqual(['sent', 'dead', 'pending']);
    expect(await purge(clock.now())).toEqual([false, false]);
    expect(await desk.states()).toEqual(['pending']);
    expect(await store.selectFrom('channels').selectAll().execute()).toEqual([]);
  });

  test('many old deliveries are deleted in several portions and do not delay new messages', async () => {
    const desk = await openDesk();
    const { store } = desk;
    await deliveredLongAgo(store, 1_200);
    await desk.post('d1', 'news');
    await desk.worker.start();
    await desk.settle();
    expect(desk.chat.texts).toEqual(['news']);
    const left = async () => (await desk.states()).length;
    expect(await left()).toBe(1_201);
    expect(await purgeOutbox(store, DAY)).toBe(true);
    expect(await left()).toBe(701);
    while (await purgeOutbox(store, DAY));
    expect(await left()).toBe(1);
  });

  test('the row of a channel is not deleted while a process has claimed the row', async () => {
    const desk = await openDesk();
    await desk.worker.membership.join();
    const row = { next_at: 1, next_edit_at: 1 };
    await desk.store
      .insertInto('channels')
      .values([
        { id: 'left', holder: null, ...row },
        { id: channelId(here), holder: desk.worker.membership.id, ...row },
      ])
      .execute();
    await purgeChannels(desk.store, desk.worker.membership, DAY);
    const left = await desk.store.selectFrom('channels').select('id').execute();
    expect(left).toEqual([{ id: channelId(here) }]);
  });
});

// A test cannot read a database file while a bot uses the file.
test.runIf(suiteDatabase === 'postgres')('a running bot deletes old deliveries by itself', async () => {
  const url = await freshDatabase();
  const store = await openStore(dialectFor(url, pino({ level: 'silent' })));
  onTestFinished(() => store.destroy());
  await deliveredLongAgo(store, 1_200);
  const clock = pacedClock();
  const driver = await createDriver('console', clock);
  const bot = await startBot(driver, { clock, environment: { DATABASE_URL: url } });
  onTestFinished(() => bot.stop());
  await until(
    async () => (await store.selectFrom('outbox').select('id').limit(1).execute()).length === 0,
    'all of it to be gone',
  );
});
