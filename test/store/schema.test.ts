import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { dialectFor, openStore } from '../../src/store/store.ts';
import { freshDatabase, suiteDatabase } from '../support/databases.ts';

const log = pino({ level: 'silent' });

/** The URL of a database that still exists after the store is closed. */
async function lasting(): Promise<string> {
  if (suiteDatabase === 'postgres') return freshDatabase('postgres', { empty: true });
  const folder = mkdtempSync(join(tmpdir(), 'chatops-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'bot.db');
}

test('if a newer version has created the database schema, the bot refuses the schema and leaves it unchanged', async () => {
  const database = await lasting();
  const store = await openStore(dialectFor(database, log));
  await sql`insert into kysely_migration (name, timestamp) values ('9999-future', '2030-01-01')`.execute(
    store,
  );
  await store.destroy();
  await expect(openStore(dialectFor(database, log))).rejects.toMatchObject({
    code: 'store-newer',
    userMessage: 'The database was made or changed by a newer version of me: I do not know 9999-future.',
    hint: expect.stringContaining('Run that version again'),
  });
});

test.runIf(suiteDatabase === 'postgres')(
  'if several processes start at the same time with an empty database, the schema is created once',
  async () => {
    const database = await lasting();
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore(dialectFor(database, log))));
    const [first] = stores;
    if (!first) return;
    const { rows } = await sql`select name from kysely_migration order by name`.execute(first);
    await Promise.all(stores.map((store) => store.destroy()));
    expect(rows).toEqual([
      { name: '0001-initial' },
      { name: '0002-replicas' },
      { name: '0003-tasks' },
      { name: '0004-kept-account' },
      { name: '0005-digests' },
      { name: '0006-askers' },
      { name: '0007-presets' },
      { name: '0008-plans' },
      { name: '0013-recordings' },
    ]);
  },
);
