import { expect, test } from 'vitest';
import { purgeRecordings, Recordings } from '../../src/recorder/recordings.ts';
import { freshStore } from '../support/databases.ts';
import { TestClock } from '../support/test-clock.ts';

const log = (logs: string, recordedAt = 1) => ({
  logs,
  crash_logs: undefined,
  logs_link: undefined,
  recordedAt,
});

test('a newer saved log of a server replaces the older log, and a different account sees neither log', async () => {
  const store = await freshStore(new TestClock());
  const [ours, others] = [new Recordings(store, 'a'), new Recordings(store, 'b')];
  await ours.save('r1', log('first'));
  await ours.save('r1', log('second 🏁', 2));
  expect(await ours.of('r1')).toMatchObject({ logs: 'second 🏁', recordedAt: 2 });
  expect(await others.of('r1')).toBeUndefined();
  expect(await ours.of('r2')).toBeUndefined();
});

test('old saved logs of all accounts are deleted, and newer saved logs are kept', async () => {
  const store = await freshStore(new TestClock());
  const [ours, others] = [new Recordings(store, 'a'), new Recordings(store, 'b')];
  for (let n = 0; n < 60; n++) await (n % 2 ? ours : others).save(`r${n}`, log('old', 10));
  await ours.save('new', log('new', 20));
  expect(await purgeRecordings(store, 15)).toBe(true);
  expect(await purgeRecordings(store, 15)).toBe(false);
  expect(await store.selectFrom('recordings').select('id').execute()).toEqual([{ id: 'a/new' }]);
});
