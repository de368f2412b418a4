import { expect, test } from 'vitest';
import { enqueue } from '../../src/notify/outbox.ts';
import { afterWritesTo, OvertakenError, transact, wroteTo } from '../../src/store/transact.ts';
import { here, line, openDesk } from '../notify/harness.ts';
import { freshStore } from '../support/databases.ts';
import { until } from '../support/test-clock.ts';

test('a transaction wakes the listeners of the tables that it wrote, only after the commit and each listener only once', async () => {
  const store = await freshStore();
  const heard: string[] = [];
  for (const table of ['outbox', 'tasks'] as const) afterWritesTo(store, table, () => void heard.push(table));
  await transact(store, async (tx) => {
    wroteTo(tx, 'outbox');
    wroteTo(tx, 'outbox');
    await tx.selectFrom('kept').selectAll().execute();
    expect(heard).toEqual([]);
  });
  expect(heard).toEqual(['outbox']);
});

test('a transaction that is rolled back wakes no listeners, and if a transaction is repeated, only the last attempt counts', async () => {
  const store = await freshStore();
  const heard: string[] = [];
  for (const table of ['outbox', 'tasks'] as const) afterWritesTo(store, table, () => void heard.push(table));
  const failing = transact(store, async (tx) => {
    wroteTo(tx, 'outbox');
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  let tries = 0;
  await transact(store, async (tx) => {
    wroteTo(tx, tries === 0 ? 'outbox' : 'tasks');
    if (tries++ === 0) throw new OvertakenError('another writer was faster');
  });
  expect(heard).toEqual(['tasks']);
});

test('a database write outside a transaction immediately wakes the listeners of its own store, and of no other store', async () => {
  const store = await freshStore();
  const other = await freshStore();
  const heard: string[] = [];
  afterWritesTo(store, 'outbox', () => void heard.push('this store'));
  afterWritesTo(other, 'outbox', () => void heard.push('the other store'));
  wroteTo(store, 'outbox');
  expect(heard).toEqual(['this store']);
});

test('a message that a transaction puts into the outbox is sent immediately after the commit', async () => {
  const { store, clock, chat, worker, settle } = await openDesk();
  await worker.start();
  await settle();
  await transact(store, (tx) =>
    enqueue(tx, clock, { kind: 'post', orderKey: 'd1', to: here, message: line('news') }),
  );
  await until(() => chat.texts.length > 0, 'the message');
  expect(chat.texts).toEqual(['news']);
});
