import { pino } from 'pino';
import { expect, test } from 'vitest';
import { examineStore } from '../../src/doctor/store.ts';
import { dialectFor, openStore } from '../../src/store/store.ts';
import { freshDatabase } from '../support/databases.ts';

const log = pino({ level: 'silent' });

test('the doctor reports the size and the schema of a PostgreSQL database, even while a bot uses the database', async () => {
  const database = await freshDatabase('postgres', { empty: true });
  const before = await examineStore(database, { log, botRuns: false });
  expect(before.map(({ check, state }) => [check, state])).toEqual([
    ['store', 'ok'],
    ['store.schema', 'ok'],
  ]);
  expect(before.map(({ says }) => says)).toEqual([
    expect.stringMatching(/^The PostgreSQL database \([\d.]+ MiB\) can be used\.$/),
    expect.stringMatching(/^The first start makes the schema, version 00\d\d-/),
  ]);
  const store = await openStore(dialectFor(database, log));
  try {
    const [, schema] = await examineStore(database, { log, botRuns: true });
    expect(schema?.says).toMatch(/^The schema is at 00\S+, the newest version\.$/);
    expect(await examineStore(database, { log, store, botRuns: true })).toHaveLength(2);
  } finally {
    await store.destroy();
  }
});
