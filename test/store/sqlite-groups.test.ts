import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Store } from '../../src/store/schema.ts';
import { sqliteDialect } from '../../src/store/sqlite.ts';
import { openStore } from '../../src/store/store.ts';
import { turn } from '../support/test-clock.ts';

async function opened() {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'bot.db');
  const store = await openStore(sqliteDialect(path));
  onTestFinished(() => store.destroy());
  let copies = 0;
  /** The rows that the next process would find on the disk if this process were killed now. */
  const onDisk = (): string[] => {
    const copy = join(folder, `copy-${copies++}.db`);
    for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, copy + end);
    const database = new DatabaseSync(copy);
    const rows = database.prepare('select id from kept order by id').all() as { id: string }[];
    database.close();
    return rows.map(({ id }) => id);
  };
  return { store, onDisk };
}

const keep = (store: Store, id: string, bytes = 2) =>
  store
    .insertInto('kept')
    .values({ id, value_json: 'x'.repeat(bytes), created_at: 1 })
    .execute();
const kept = async (store: Store) =>
  (await store.selectFrom('kept').select('id').orderBy('id').execute()).map(({ id }) => id);
const names = (count: number) => Array.from({ length: count }, (_, index) => String(index).padStart(3, '0'));

/** The number of pages in the write-ahead log. Each commit writes the pages that it has changed. */
async function written(store: Store): Promise<number> {
  const { rows } = await sql<{ log: number }>`PRAGMA wal_checkpoint(PASSIVE)`.execute(store);
  return rows[0]?.log ?? 0;
}

test('simultaneous writes to SQLite share a few commits, although each write is a separate transaction', async () => {
  const { store } = await opened();
  const ids = names(100);
  const before = await written(store);
  await Promise.all(
    ids.map(async (id) => {
      await keep(store, `a${id}`);
      await store.transaction().execute(async (tx) => {
        await keep(tx, `b${id}`);
        await keep(tx, `c${id}`);
      });
    }),
  );
  expect((await kept(store)).length).toBe(300);
  // If each write had a separate commit, there would be two hundred commits with at least two pages each.
  expect((await written(store)) - before).toBeLessThan(150);
});

test('if SQLite has confirmed a write or returned a row, the row is on the disk', async () => {
  const { store, onDisk } = await opened();
  const missing: string[] = [];
  const check = (ids: readonly string[]) => {
    const there = onDisk();
    missing.push(...ids.filter((id) => !there.includes(id)));
  };
  await Promise.all(
    names(5).flatMap((id) => [
      keep(store, id).then(() => check([id])),
      store
        .transaction()
        .execute((tx) => keep(tx, `t${id}`))
        .then(() => check([`t${id}`])),
      kept(store).then(check),
    ]),
  );
  expect(missing).toEqual([]);
  expect(onDisk()).toHaveLength(10);
});

test('if an SQLite transaction fails, only its own writes are rolled back', async () => {
  const { store, onDisk } = await opened();
  await keep(store, 'taken');
  const outcomes = await Promise.allSettled([
    keep(store, 'a'),
    keep(store, 'taken'),
    store.transaction().execute(async (tx) => {
      await keep(tx, 'never');
      await keep(tx, 'taken');
    }),
    keep(store, 'b'),
    store.transaction().execute(async (tx) => {
      await keep(tx, 'neither');
      throw new Error('no');
    }),
    store.transaction().execute(async (tx) => {
      await keep(tx, 'c');
      await keep(tx, 'taken').catch(() => undefined);
    }),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'rejected',
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
  expect(onDisk()).toEqual(['a', 'b', 'c', 'taken']);
});

test('if the disk becomes full, exactly the writes that SQLite confirmed are on the disk', async () => {
  const { store, onDisk } = await opened();
  const roomFor = (pages: number) => sql.raw(`PRAGMA max_page_count=${pages}`).execute(store);
  await roomFor(120);
  // The clock stands still. Otherwise, a busy machine would split the writes into several commits.
  const time = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
  onTestFinished(() => time.mockRestore());
  const done: string[] = [];
  for (let round = 0; round < 5; round++)
    await Promise.allSettled(
      names(8).map(async (id, index) => {
        const name = `${round}-${id}`;
        const bytes = index % 3 === 2 ? 300_000 : 5_000;
        if (index % 2 === 0) await keep(store, name, bytes);
        else
          await store.transaction().execute(async (tx) => {
            // If the caller continues after a failed write, the next write must not happen outside the transaction.
            await keep(tx, `${name}-first`, bytes).catch(() => undefined);
            await keep(tx, name, 10);
          });
        done.push(name);
      }),
    );
  const there = onDisk();
  expect(there.filter((id) => !id.endsWith('-first'))).toEqual(done.toSorted());
  expect(there).not.toContain('0-002');
  await roomFor(100_000);
  await keep(store, 'later', 300_000);
  expect(onDisk()).toContain('later');
});

test('if an SQLite transaction waits for other work, the other writes are delayed, but no write is lost', async () => {
  const { store, onDisk } = await opened();
  const slow = store.transaction().execute(async (tx) => {
    await keep(tx, 'a');
    await turn(5);
    await keep(tx, 'b');
  });
  const other = keep(store, 'c').then(() => kept(store));
  await slow;
  expect(await other).toEqual(['a', 'b', 'c']);
  expect(onDisk()).toEqual(['a', 'b', 'c']);
});

test('after a change of an SQLite table, a statement that was prepared before returns the new columns', async () => {
  const { store } = await opened();
  await keep(store, 'a');
  const all = () => store.selectFrom('kept').selectAll().execute();
  expect(await all()).toEqual([{ id: 'a', account: 'default', value_json: 'xx', created_at: 1 }]);
  await sql`alter table kept add column more text default 'new'`.execute(store);
  expect(await all()).toEqual([
    { id: 'a', account: 'default', value_json: 'xx', created_at: 1, more: 'new' },
  ]);
  await store.schema.alterTable('kept').dropColumn('more').execute();
  expect(await all()).toEqual([{ id: 'a', account: 'default', value_json: 'xx', created_at: 1 }]);
});

test('the SQLite store can run more different statements than its cache holds, and refuses statements after it is closed', async () => {
  const { store } = await opened();
  for (let count = 1; count <= 400; count++)
    await store.selectFrom('kept').select('id').where('id', 'in', names(count)).execute();
  await keep(store, 'a');
  expect(await kept(store)).toEqual(['a']);
  const last = keep(store, 'last');
  await store.destroy();
  await Promise.allSettled([last]);
  await expect(keep(store, 'b')).rejects.toThrow();
});
