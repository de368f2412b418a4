import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { giveBack } from '../../src/store/space.ts';
import { sqliteDialect } from '../../src/store/sqlite.ts';
import { openStore, type Store } from '../../src/store/store.ts';

const MB = 1024 * 1024;

async function opened(options: Parameters<typeof sqliteDialect>[1] = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'bot.db');
  const store = await openStore(sqliteDialect(path, options));
  onTestFinished(() => store.destroy());
  return { path, store };
}

const keep = (store: Store, id: string, bytes: number) =>
  store
    .insertInto('kept')
    .values({ id, value_json: 'x'.repeat(bytes), created_at: 1 })
    .execute();
const kept = async (store: Store) =>
  (await store.selectFrom('kept').select('id').execute()).map(({ id }) => id);

describe('a disk that is full', () => {
  const full = (path: string) => ({
    code: 'store-full',
    userMessage: 'My database has no room left.',
    problem: `The database ${path} cannot be used: its disk is full.`,
    remedy: expect.stringContaining(`Free space on the volume that holds ${path}`),
  });

  test('is said in words, undoes what was begun, and is over once there is room', async () => {
    const { path, store } = await opened({ maxPages: 100 });
    await keep(store, 'small', 100);
    await expect(keep(store, 'large', MB)).rejects.toMatchObject(full(path));
    const begun = store.transaction().execute(async (tx) => {
      await keep(tx, 'first', 100);
      await keep(tx, 'second', MB);
    });
    await expect(begun).rejects.toMatchObject(full(path));
    expect(await kept(store)).toEqual(['small']);
    await keep(store, 'another', 100);
    await sql`PRAGMA max_page_count=100000`.execute(store);
    await store.transaction().execute(async (tx) => {
      await keep(tx, 'first', 100);
      await keep(tx, 'second', MB);
    });
    expect((await kept(store)).toSorted()).toEqual(['another', 'first', 'second', 'small']);
  });
});

describe('the file', () => {
  test('gets shorter when much was deleted', async () => {
    const { path, store } = await opened();
    const size = () => statSync(path).size + statSync(`${path}-wal`).size;
    await giveBack(store);
    const before = size();
    for (let index = 0; index < 9; index++) await keep(store, String(index), MB);
    await giveBack(store);
    expect(size()).toBeGreaterThan(9 * MB);
    await store.deleteFrom('kept').execute();
    await giveBack(store);
    expect(size()).toBeLessThan(before + 64 * 1024);
  });

  test('has no log beside it that stays as long as it ever was', async () => {
    const { path, store } = await opened();
    await store.transaction().execute(async (tx) => {
      for (let index = 0; index < 20; index++) await keep(tx, String(index), MB);
    });
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(20 * MB);
    // Written back by the commits that follow; the log begins anew with the one after that.
    for (const id of ['a', 'b', 'c']) await keep(store, id, 1);
    expect(statSync(`${path}-wal`).size).toBeLessThanOrEqual(16 * MB);
  });
});
