import { expect, test } from 'vitest';
import { freshStore } from '../support/databases.ts';

test.each([
  ['a NUL, which is left out', 'no\u0000 room', 'no room'],
  ['half a surrogate pair', 'no\ud800 room', 'no\ufffd room'],
  ['other control characters', 'no\u0001\r\n\u001b[31m room\uffff', 'no\u0001\r\n\u001b[31m room\uffff'],
  ['escapes of JSON', JSON.stringify('\u0000\ud800'), '"\\u0000\\ud800"'],
])('text with %s can be stored in the database, found and read back', async (_, given, kept) => {
  const store = await freshStore();
  await store.insertInto('kept').values({ id: given, value_json: given, created_at: 1 }).execute();
  const row = await store.selectFrom('kept').selectAll().where('id', '=', given).executeTakeFirst();
  expect(row).toMatchObject({ id: kept, value_json: kept, created_at: 1 });
});
